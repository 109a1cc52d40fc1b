/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The provider's section of provisioner.conf. */
#include "broker/hypervisor/vsphere/vsphere_priv.h"

#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/path.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MAX 65536

/* Inventory paths are used as they stand, and go on with names of ours. */
static int path_copy(char out[VS_PATH_SIZE], const char *text, const char *key, struct pst_err *err)
{
	size_t len;

	text += strspn(text, "/");
	if (pst_strlcpy(out, VS_PATH_SIZE, text) < 0 || !pst_utf8_valid(text, strlen(text)))
		return pst_err_set(err, PST_EINVAL, "%s: must be an inventory path of at most %d bytes", key, VS_PATH_SIZE - 1);
	for (const char *p = text; *p; p++) {
		if ((unsigned char)*p < ' ')
			return pst_err_set(err, PST_EINVAL, "%s: has control characters", key);
	}
	len = strlen(out);
	while (len && out[len - 1] == '/')
		out[--len] = '\0';
	return 0;
}

static int path_join(char out[VS_PATH_SIZE], const char *parent, const char *name, const char *key, struct pst_err *err)
{
	if (snprintf(out, VS_PATH_SIZE, "%s/%s", parent, name) >= VS_PATH_SIZE)
		return pst_err_set(err, PST_ELIMIT, "%s: too long a path", key);
	return 0;
}

/* "DC/vm/Folder": what comes before "/vm". */
static int datacenter_find(const char *folder, char out[VS_PATH_SIZE], struct pst_err *err)
{
	const char *vm = strstr(folder, "/vm/");

	if (!vm || vm == folder)
		return pst_err_set(err, PST_EINVAL, "folder: \"%.100s\" must be DATACENTER/vm/FOLDER, a folder of Puesto's own", folder);
	snprintf(out, VS_PATH_SIZE, "%.*s", (int)(vm - folder), folder);
	return 0;
}

/* A name below that place, or "" without one. */
static int place_read(const struct driver_params *p, const char *key, const char *parent, char out[VS_PATH_SIZE], struct pst_err *err)
{
	const char *name = pst_conf_str(p->conf, p->section, key, "");
	char copy[VS_PATH_SIZE];

	out[0] = '\0';
	if (!name[0])
		return 0;
	return path_copy(copy, name, key, err) < 0 ? err->code : path_join(out, parent, copy, key, err);
}

static int network_add(struct vs_settings *s, const struct driver_params *p, const char *name, const char *parent, struct pst_err *err)
{
	struct vs_network *n = &s->networks[s->networks_n];
	char key[MACHINE_NAME_SIZE + 16];

	if (s->networks_n == VS_NETWORKS_MAX)
		return pst_err_set(err, PST_ELIMIT, "networks: more than %d", VS_NETWORKS_MAX);
	if (!name[0] || pst_strlcpy(n->name, sizeof(n->name), name) < 0 || strcmp(name, "host") == 0 || strcmp(name, "none") == 0 ||
		name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")])
		return pst_err_set(err, PST_EINVAL,
			"networks: \"%.63s\" is no name of letters, digits and ._- (\"host\" and \"none\" are taken)", name);
	snprintf(key, sizeof(key), "network-%s", name);
	if (place_read(p, key, parent, n->path, err) < 0)
		return err->code;
	if (!n->path[0])
		return pst_err_set(err, PST_EINVAL, "%s: must be the network's name in vSphere", key);
	s->networks_n++;
	return 0;
}

/* "office, lab", each with its own key. */
static int networks_read(struct vs_settings *s, const struct driver_params *p, const char *parent, struct pst_err *err)
{
	char *copy = strdup(pst_conf_str(p->conf, p->section, "networks", "")), *rest = copy, *name;
	int rc = copy ? 0 : pst_err_set(err, PST_ENOMEM, "no memory");

	while (rc == 0 && copy[0] && (name = strsep(&rest, ","))) {
		name += strspn(name, " \t");
		name[strcspn(name, " \t")] = '\0';
		rc = network_add(s, p, name, parent, err);
	}
	free(copy);
	return rc;
}

static int places_read(struct vsphere *vs, const struct driver_params *p, struct pst_err *err)
{
	struct vs_settings *s = &vs->set;
	char datacenter[VS_PATH_SIZE], parent[VS_PATH_SIZE];
	const char *folder, *cluster;

	if (pst_conf_need(p->conf, p->section, "folder", &folder, err) < 0 || path_copy(s->folder, folder, "folder", err) < 0 ||
		pst_conf_need(p->conf, p->section, "cluster", &cluster, err) < 0 || path_copy(s->cluster, cluster, "cluster", err) < 0 ||
		datacenter_find(s->folder, datacenter, err) < 0 || path_join(parent, s->cluster, "Resources", "cluster", err) < 0 ||
		path_copy(s->pool, pst_conf_str(p->conf, p->section, "pool", parent), "pool", err) < 0)
		return err->code;
	if (path_join(parent, datacenter, "vm", "folder", err) < 0 ||
		path_copy(s->templates, pst_conf_str(p->conf, p->section, "templates", parent), "templates", err) < 0 ||
		place_read(p, "host", s->cluster, s->host, err) < 0 || path_join(parent, datacenter, "datastore", "datastore", err) < 0 ||
		place_read(p, "datastore", parent, s->datastore, err) < 0 || path_join(parent, datacenter, "network", "network", err) < 0)
		return err->code;
	return place_read(p, "network", parent, s->network, err) < 0 ? err->code : networks_read(s, p, parent, err);
}

/* "10.0.0.10-10.0.0.99" */
static int addresses_read(struct vs_settings *s, const char *range, struct pst_err *err)
{
	char first[INET_ADDRSTRLEN];
	struct in_addr a, b;
	const char *dash = range ? strchr(range, '-') : NULL;

	if (!range)
		return 0;
	if (dash && (size_t)(dash - range) < sizeof(first)) {
		snprintf(first, sizeof(first), "%.*s", (int)(dash - range), range);
		if (inet_pton(AF_INET, first, &a) == 1 && inet_pton(AF_INET, dash + 1, &b) == 1 && ntohl(a.s_addr) > 0 &&
			ntohl(a.s_addr) <= ntohl(b.s_addr)) {
			s->first = ntohl(a.s_addr);
			s->last = ntohl(b.s_addr);
			return 0;
		}
	}
	return pst_err_set(err, PST_EINVAL, "addresses: \"%.60s\" must be FIRST-LAST, such as 10.1.0.10-10.1.3.250", range);
}

static int agents_read(struct vs_settings *s, const struct driver_params *p, struct pst_err *err)
{
	if (seed_site_read(&s->seed, p, err) < 0 || rdp_site_read(&s->rdp, p, err) < 0)
		return err->code;
	return addresses_read(s, pst_conf_str(p->conf, p->section, "addresses", NULL), err);
}

static int server_read(const struct vs_settings *s, const struct driver_params *p, struct vim_params *ret, struct pst_err *err)
{
	if (pst_conf_need(p->conf, p->section, "url", &ret->url, err) < 0 ||
		pst_conf_need(p->conf, p->section, "user", &ret->user, err) < 0 ||
		pst_conf_need(p->conf, p->section, "password_file", &ret->password_file, err) < 0)
		return err->code;
	ret->ca = pst_conf_str(p->conf, p->section, "ca", NULL);
	ret->pin = pst_conf_str(p->conf, p->section, "pin", NULL);
	ret->timeout_ms = s->deadline_ms;
	ret->connect_ms = PST_MIN(s->deadline_ms, UINT64_C(10000));
	if (ret->pin && !pst_str_starts(ret->pin, "sha256//"))
		return pst_err_set(err, PST_EINVAL, "pin: must be sha256//BASE64 of the server's public key");
	return 0;
}

int vs_settings_read(struct vsphere *vs, const struct driver_params *p, struct vim_params *ret, struct pst_err *err)
{
	struct vs_settings *s = &vs->set;
	uint32_t deadline_s, poll_s, wait_s;

	pst_strlcpy(vs->provider, sizeof(vs->provider), p->name);
	if (pst_conf_u32(p->conf, p->section, "deadline_s", 2, 3600, 300, &deadline_s, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "poll_s", 1, 3600, 30, &poll_s, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "address_wait_s", 0, 3600, 60, &wait_s, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "capacity", 0, CAPACITY_MAX, 0, &s->capacity, err) < 0)
		return pst_err_wrap(err, "[%s]", p->section);
	s->deadline_ms = deadline_s * UINT64_C(1000);
	s->poll_ms = poll_s * UINT64_C(1000);
	s->address_wait_ms = wait_s * UINT64_C(1000);
	if (server_read(s, p, ret, err) < 0 || places_read(vs, p, err) < 0 || agents_read(s, p, err) < 0)
		return pst_err_wrap(err, "[%s]", p->section);
	vs->base.rdp_wait_ms = s->rdp.wait_ms;
	return mark_read(p->data, vs->instance, err);
}
