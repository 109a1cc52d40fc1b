/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The provider's section of provisioner.conf. */
#include "broker/hypervisor/kubevirt/kubevirt_priv.h"

#include "base/conf.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/path.h"

#include <stdio.h>
#include <string.h>

#define CONNECT_MS 10000
#define TOKEN_IN_POD "/var/run/secrets/kubernetes.io/serviceaccount/token"

/* What stands in paths and in objects: a name of Kubernetes (RFC 1123), with also perhaps. */
static int name_read(const struct driver_params *p, const char *key, const char *otherwise, const char *also, char *out, size_t size, struct pst_err *err)
{
	const char *name = pst_conf_str(p->conf, p->section, key, otherwise);
	char allowed[64];

	snprintf(allowed, sizeof(allowed), "abcdefghijklmnopqrstuvwxyz0123456789-%s", also);
	if (strspn(name, allowed) != strlen(name) || name[0] == '-' || name[0] == '.' || name[0] == '/' || pst_strlcpy(out, size, name) < 0)
		return pst_err_set(err, PST_EINVAL, "[%s] %s: \"%.80s\" is no name of Kubernetes", p->section, key, name);
	return 0;
}

static int access_read(const struct driver_params *p, struct rest_params *ret, struct pst_err *err)
{
	uint32_t deadline_s;

	memset(ret, 0, sizeof(*ret));
	ret->what = "Kubernetes";
	ret->section = p->section;
	ret->auth_scheme = "Authorization: Bearer ";
	ret->auth_file = pst_conf_str(p->conf, p->section, "token_file", TOKEN_IN_POD);
	ret->refusal = k8s_refusal;
	ret->loop = p->loop;
	if (pst_conf_need(p->conf, p->section, "url", &ret->http.url, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "deadline_s", 4, 3600, 300, &deadline_s, err) < 0)
		return err->code;
	ret->http.ca = pst_conf_str(p->conf, p->section, "ca", NULL);
	ret->http.pin = pst_conf_str(p->conf, p->section, "pin", NULL);
	if (ret->http.pin && !pst_str_starts(ret->http.pin, "sha256//"))
		return pst_err_set(err, PST_EINVAL, "[%s] pin: must be sha256// and the base64 of the server's key", p->section);
	ret->deadline_ms = deadline_s * UINT64_C(1000);
	ret->http.timeout_ms = ret->deadline_ms;
	ret->http.connect_ms = PST_MIN(ret->deadline_ms / 4, (uint64_t)CONNECT_MS);
	ret->http.is_single = true;
	return 0;
}

static int workload_read(struct kubevirt *k, const struct driver_params *p, struct pst_err *err)
{
	const char *word = pst_conf_str(p->conf, p->section, "workload", "vm");

	k->site.is_pods = strcmp(word, "pod") == 0;
	if (!k->site.is_pods && strcmp(word, "vm") != 0)
		return pst_err_set(err, PST_EINVAL, "[%s] workload: \"%.20s\" must be vm or pod", p->section, word);
	if (k->site.is_pods && (k->network[0] || !k->seed.agents[0]))
		return pst_err_set(err, PST_EINVAL, "[%s] workload: pods are on the cluster's own network (no \"network\"), and want \"agents\"", p->section);
	return 0;
}

static int service_read(struct kubevirt *k, const struct driver_params *p, struct pst_err *err)
{
	static const char *const kinds[] = { "ClusterIP", "LoadBalancer" };
	const char *word = pst_conf_str(p->conf, p->section, "service", kinds[0]);

	for (size_t i = 0; i < PST_ARRAY_LEN(kinds); i++) {
		if (strcmp(word, kinds[i]) == 0) {
			k->service = kinds[i];
			return 0;
		}
	}
	return pst_err_set(err, PST_EINVAL, "[%s] service: \"%.20s\" must be ClusterIP or LoadBalancer", p->section, word);
}

static int names_read(struct kubevirt *k, const struct driver_params *p, struct pst_err *err)
{
	/* It is a label's value. */
	if (strspn(p->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != strlen(p->name) || p->name[0] == '-' ||
		p->name[strlen(p->name) - 1] == '-' || pst_strlcpy(k->provider, sizeof(k->provider), p->name) < 0)
		return pst_err_set(err, PST_EINVAL, "a provider of kind kubevirt has letters, digits and '-' in its name");
	if (name_read(p, "namespace", "puesto", "", k->space, sizeof(k->space), err) < 0 ||
		name_read(p, "network", "", "./", k->network, sizeof(k->network), err) < 0 ||
		name_read(p, "storage_class", "", ".", k->storage_class, sizeof(k->storage_class), err) < 0 ||
		name_read(p, "pull_secret", "", ".", k->pull_secret, sizeof(k->pull_secret), err) < 0)
		return err->code;
	return k->space[0] ? 0 : pst_err_set(err, PST_EINVAL, "[%s] namespace: must not be empty", p->section);
}

/* "NAME" or "NAMESPACE/NAME" of a NetworkAttachmentDefinition, each. */
static int nets_settle(struct kubevirt *k, const struct driver_params *p, struct pst_err *err)
{
	if (nets_read(&k->nets, p, err) < 0)
		return err->code;
	for (size_t i = 0; i < k->nets.n; i++) {
		const char *value = k->nets.list[i].value;

		if (value[strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-./")] || strspn(value, "-./") || strlen(value) >= sizeof(k->network))
			return pst_err_set(err, PST_EINVAL, "[%s] network-%s: \"%.80s\" must be NAME or NAMESPACE/NAME of a network of multus", p->section,
				k->nets.list[i].name, value);
	}
	if (k->nets.n > 0 && k->site.is_pods)
		return pst_err_set(err, PST_EINVAL, "[%s] networks: pods are on the cluster's own network", p->section);
	return 0;
}

bool kube_is_apart(const struct kubevirt *k, const struct machine_request *r)
{
	return objects_network(&k->site, r)[0] != '\0';
}

int kubevirt_networks(struct driver *d, driver_network_cb visit, void *arg, struct pst_err *err)
{
	const struct nets *nets = &kubevirt_of(d)->nets;

	(void)err;
	for (size_t i = 0; i < nets->n; i++) {
		/* Whether desktops reach each other there is the network's own matter. */
		struct driver_network n = { .kind = "existing", .peers = true };

		pst_strlcpy(n.name, sizeof(n.name), nets->list[i].name);
		snprintf(n.about, sizeof(n.about), "%.*s", (int)sizeof(n.about) - 1, nets->list[i].value);
		visit(&n, arg);
	}
	return 0;
}

int kube_settings_read(struct kubevirt *k, const struct driver_params *p, struct rest_params *ret_rest, struct pst_err *err)
{
	uint32_t poll_s;

	if (names_read(k, p, err) < 0 || access_read(p, ret_rest, err) < 0 || service_read(k, p, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "capacity", 1, K8S_ITEMS_MAX, 100, &k->capacity, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "poll_s", 1, 3600, 60, &poll_s, err) < 0 || mark_read(p->data, k->instance, err) < 0)
		return err->code;
	if (seed_site_read(&k->seed, p, err) < 0)
		return pst_err_wrap(err, "[%s]", p->section);
	if (workload_read(k, p, err) < 0 || nets_settle(k, p, err) < 0)
		return err->code;
	k->poll_ms = poll_s * UINT64_C(1000);
	k->site = (struct objects_site){ .space = k->space, .instance = k->instance, .provider = k->provider, .network = k->network, .nets = &k->nets,
		.storage_class = k->storage_class, .pull_secret = k->pull_secret, .service = k->service, .agent_port = k->seed.agent_port,
		.has_seeds = k->seed.agents[0] != '\0', .is_pods = k->site.is_pods };
	return 0;
}
