/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The provider's section of provisioner.conf. */
#include "broker/hypervisor/libvirt/libvirt_priv.h"
#include "broker/hypervisor/libvirt/store.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/mark.h"
#include "broker/hypervisor/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int text_copy(char *out, size_t size, const char *text, const char *key, struct pst_err *err)
{
	for (const char *p = text; *p; p++) {
		if ((unsigned char)*p < ' ')
			return pst_err_set(err, PST_EINVAL, "%s: has control characters", key);
	}
	if (pst_strlcpy(out, size, text) < 0)
		return pst_err_set(err, PST_ELIMIT, "%s: longer than %zu bytes", key, size - 1);
	return 0;
}

static struct lv_host *host_find(struct libvirt *lv, const char *name)
{
	for (size_t i = 0; i < lv->hosts_n; i++) {
		if (strcmp(lv->hosts[i].name, name) == 0)
			return &lv->hosts[i];
	}
	return NULL;
}

static int host_add(struct libvirt *lv, const char *name, const char *uri, struct pst_err *err)
{
	struct lv_host *h = &lv->hosts[lv->hosts_n];

	if (lv->hosts_n == LV_HOSTS_MAX)
		return pst_err_set(err, PST_ELIMIT, "hosts: more than %d", LV_HOSTS_MAX);
	if (host_find(lv, name))
		return pst_err_set(err, PST_ECONFLICT, "hosts: \"%s\" is there twice", name);
	h->lv = lv;
	if (text_copy(h->name, sizeof(h->name), name, "hosts", err) < 0 || text_copy(h->uri, sizeof(h->uri), uri, "uri", err) < 0)
		return err->code;
	if (!strchr(uri, ':'))
		return pst_err_set(err, PST_EINVAL, "uri: \"%.80s\" is none of libvirt's, such as qemu:///system", uri);
	lv->hosts_n++;
	return 0;
}

static int migrate_uri_add(struct libvirt *lv, const char *name, const char *uri, struct pst_err *err)
{
	struct lv_host *h = host_find(lv, name);

	if (!h)
		return pst_err_set(err, PST_EINVAL, "migrate_uris: \"%.63s\" is not in \"hosts\"", name);
	return text_copy(h->migrate_uri, sizeof(h->migrate_uri), uri, "migrate_uris", err);
}

/* "a=uri, b=uri": a part is taken for each comma. A host's name may be in messages, paths of the API, and JSON. */
static int pairs_read(struct libvirt *lv, const char *text, const char *key,
	int (*take)(struct libvirt *lv, const char *name, const char *value, struct pst_err *err), struct pst_err *err)
{
	char *copy = strdup(text), *rest = copy, *part;
	int rc = copy ? 0 : pst_err_set(err, PST_ENOMEM, "no memory");

	while (rc == 0 && (part = strsep(&rest, ","))) {
		char *value;

		part += strspn(part, " \t");
		part[strcspn(part, " \t")] = '\0';
		value = strchr(part, '=');
		if (!value || value == part || value - part >= MACHINE_NAME_SIZE) {
			rc = pst_err_set(err, PST_EINVAL, "%s: \"%.80s\" must be NAME=URI", key, part);
			break;
		}
		*value++ = '\0';
		rc = take(lv, part, value, err);
	}
	free(copy);
	return rc;
}

static int hosts_read(struct libvirt *lv, const struct driver_params *p, struct pst_err *err)
{
	const char *hosts = pst_conf_str(p->conf, p->section, "hosts", NULL);
	const char *uri = pst_conf_str(p->conf, p->section, "uri", NULL);
	const char *migrate = pst_conf_str(p->conf, p->section, "migrate_uris", NULL);
	int rc;

	if (hosts && uri)
		return pst_err_set(err, PST_EINVAL, "\"uri\" is for one host, \"hosts\" for several: give one of them");
	rc = hosts ? pairs_read(lv, hosts, "hosts", host_add, err) : host_add(lv, "", uri ? uri : "qemu:///system", err);
	if (rc == 0 && migrate)
		rc = pairs_read(lv, migrate, "migrate_uris", migrate_uri_add, err);
	return rc;
}

/* "network", "filter", "addresses": of desktops whose pool names none. */
static int own_network_read(struct libvirt *lv, const struct driver_params *p, struct pst_err *err)
{
	static const char bridge[] = "bridge:";
	const char *network = pst_conf_str(p->conf, p->section, "network", "default");
	const char *addresses = pst_conf_str(p->conf, p->section, "addresses", NULL);
	struct lv_net *n = &lv->nets[0];
	bool is_bridge = pst_str_starts(network, bridge);

	lv->nets_n = 1;
	n->kind = strcmp(network, "none") == 0 ? LV_NET_NONE : is_bridge ? LV_NET_BRIDGE : LV_NET_EXISTING;
	if (text_copy(n->where, sizeof(n->where), is_bridge ? network + sizeof(bridge) - 1 : network, "network", err) < 0 ||
		text_copy(n->filter, sizeof(n->filter), pst_conf_str(p->conf, p->section, "filter", ""), "filter", err) < 0 ||
		pst_conf_bool(p->conf, p->section, "peers", true, &n->peers, err) < 0)
		return err->code;
	return addresses ? lv_addresses_init(&n->addresses, addresses, err) : 0;
}

static int network_add(struct libvirt *lv, const struct driver_params *p, const char *name, struct pst_err *err)
{
	char key[MACHINE_NAME_SIZE + 16], made[160];
	const char *text;

	if (lv->nets_n == LV_NETS_MAX)
		return pst_err_set(err, PST_ELIMIT, "networks: more than %d", LV_NETS_MAX - 1);
	for (size_t i = 1; i < lv->nets_n; i++) {
		if (strcmp(lv->nets[i].name, name) == 0)
			return pst_err_set(err, PST_ECONFLICT, "networks: \"%.60s\" is there twice", name);
	}
	snprintf(key, sizeof(key), "network-%.63s", name);
	text = pst_conf_str(p->conf, p->section, key, NULL);
	if (!text)
		return pst_err_set(err, PST_EINVAL, "%s is missing: say what the network is, as %s = bridge:br0", key, key);
	/* Two installations, and two providers, may meet on one hypervisor. */
	snprintf(made, sizeof(made), "puesto-%.8s-%s-%.63s", lv->instance, lv->provider, name);
	return lv_net_parse(&lv->nets[lv->nets_n++], name, text, made, err);
}

/* "networks = office, lab", and of each a "network-office = …". */
static int networks_read(struct libvirt *lv, const struct driver_params *p, struct pst_err *err)
{
	const char *list = pst_conf_str(p->conf, p->section, "networks", "");
	char *copy = strdup(list), *rest = copy, *part;
	int rc = copy ? 0 : pst_err_set(err, PST_ENOMEM, "no memory");

	while (rc == 0 && *list && (part = strsep(&rest, ","))) {
		part += strspn(part, " \t");
		part[strcspn(part, " \t")] = '\0';
		rc = network_add(lv, p, part, err);
	}
	free(copy);
	return rc;
}

static int network_read(struct libvirt *lv, const struct driver_params *p, struct pst_err *err)
{
	struct lv_settings *s = &lv->set;

	if (own_network_read(lv, p, err) < 0 || networks_read(lv, p, err) < 0 || seed_site_read(&s->seed, p, err) < 0 ||
		rdp_site_read(&s->rdp, p, err) < 0 || windows_site_read(&s->windows, p, err) < 0)
		return err->code;
	lv->base.rdp_wait_ms = s->rdp.wait_ms;
	return 0;
}

static int accel_read(struct libvirt *lv, const struct driver_params *p, struct pst_err *err)
{
	static const struct {
		const char *word, *virt;
	} accels[] = { { "auto", "" }, { "kvm", "kvm" }, { "tcg", "qemu" } };
	const char *word = pst_conf_str(p->conf, p->section, "accel", "auto");

	for (size_t i = 0; i < PST_ARRAY_LEN(accels); i++) {
		if (strcmp(accels[i].word, word) == 0) {
			lv->set.accel = accels[i].virt;
			return 0;
		}
	}
	return pst_err_set(err, PST_EINVAL, "accel: \"%.20s\" must be auto, kvm or tcg", word);
}

int lv_settings_read(struct libvirt *lv, const struct driver_params *p, struct pst_err *err)
{
	struct lv_settings *s = &lv->set;
	uint32_t deadline_s, wait_s, boot_s;

	if (pst_strlcpy(lv->provider, sizeof(lv->provider), p->name) < 0 || strchr(p->name, '/'))
		return pst_err_set(err, PST_EINVAL, "a provider of kind libvirt has no '/' in its name");
	if (hosts_read(lv, p, err) < 0 || accel_read(lv, p, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "deadline_s", 2, 3600, 120, &deadline_s, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "address_wait_s", 0, 3600, 30, &wait_s, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "capacity", 0, LV_MACHINES_MAX, 0, &s->capacity, err) < 0 ||
		pst_conf_bool(p->conf, p->section, "instant", false, &s->is_instant, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "parent_boot_s", 10, 3600, 600, &boot_s, err) < 0 ||
		pst_conf_bool(p->conf, p->section, "shared_directory", false, &s->shares_directory, err) < 0)
		return err->code;
	s->deadline_ms = (uint64_t)deadline_s * 1000;
	s->parent_boot_ms = (uint64_t)boot_s * 1000;
	s->address_wait_ms = (uint64_t)wait_s * 1000;
	if (mark_read(p->data, lv->instance, err) < 0 || lv_stores_read(lv, p, err) < 0)
		return err->code;
	return network_read(lv, p, err);
}
