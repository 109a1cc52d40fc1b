/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The provider's section of provisioner.conf. */
#include "broker/hypervisor/proxmox/proxmox_priv.h"

#include "base/conf.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_MS 10000

/* What stands in paths of calls. */
static int name_read(const struct driver_params *p, const char *key, const char *otherwise, char *out, struct pst_err *err)
{
	const char *name = pst_conf_str(p->conf, p->section, key, otherwise);

	if (name[0] && !vmconfig_name_valid(name))
		return pst_err_set(err, PST_EINVAL, "[%s] %s: \"%.80s\" is no name of Proxmox VE", p->section, key, name);
	return pst_strlcpy(out, VMCONFIG_NAME_SIZE, name);
}

static int ids_read(struct pve_settings *s, const struct driver_params *p, struct pst_err *err)
{
	const char *text = pst_conf_str(p->conf, p->section, "ids", "");
	const char *dash = strchr(text, '-');
	char first[16] = "";

	if (!text[0])
		return 0;
	if (dash && (size_t)(dash - text) < sizeof(first)) {
		memcpy(first, text, (size_t)(dash - text));
		if (pst_parse_u32(first, PVE_ID_MIN, PVE_ID_MAX, &s->id_first) == 0 && pst_parse_u32(dash + 1, s->id_first, PVE_ID_MAX, &s->id_last) == 0)
			return 0;
	}
	return pst_err_set(err, PST_EINVAL, "[%s] ids: \"%.40s\" must be FIRST-LAST, numbers from %d on", p->section, text, PVE_ID_MIN);
}

static int clone_read(struct pve_settings *s, const struct driver_params *p, struct pst_err *err)
{
	const char *clone = pst_conf_str(p->conf, p->section, "clone", "linked"), *nodes = pst_conf_str(p->conf, p->section, "nodes", "");

	s->is_full = strcmp(clone, "full") == 0;
	if (!s->is_full && strcmp(clone, "linked") != 0)
		return pst_err_set(err, PST_EINVAL, "[%s] clone: \"%.20s\" must be linked or full", p->section, clone);
	if (pst_strlcpy(s->nodes, sizeof(s->nodes), nodes) < 0)
		return pst_err_set(err, PST_ELIMIT, "[%s] nodes: longer than %zu bytes", p->section, sizeof(s->nodes) - 1);
	if (name_read(p, "pool", "", s->pool, err) < 0 || name_read(p, "storage", "", s->storage, err) < 0 || ids_read(s, p, err) < 0)
		return err->code;
	if (s->storage[0] && !s->is_full)
		return pst_err_set(err, PST_EINVAL, "[%s] storage: a linked clone lies where its template does; clone = full can choose", p->section);
	return pst_conf_bool(p->conf, p->section, "shared_storage", false, &s->is_shared, err);
}

static int seed_read(struct pve_settings *s, const struct driver_params *p, struct pst_err *err)
{
	const char *drive = pst_conf_str(p->conf, p->section, "seed_drive", "ide2");

	if (!vmconfig_name_valid(drive) || pst_strlcpy(s->seed_drive, sizeof(s->seed_drive), drive) < 0)
		return pst_err_set(err, PST_EINVAL, "[%s] seed_drive: \"%.20s\" is no drive such as ide2", p->section, drive);
	if (name_read(p, "seed_storage", "local", s->seed_storage, err) < 0)
		return err->code;
	return seed_site_read(&s->seed, p, err) < 0 || rdp_site_read(&s->rdp, p, err) < 0 ? pst_err_wrap(err, "[%s]", p->section) : 0;
}

/* "bridge:vmbr1", "bridge:vmbr1 vlan:42" or "vnet:lab" (Proxmox VE's own names have at most 15 letters). */
static int net_read(const struct net_named *named, struct pve_net *ret, struct pst_err *err)
{
	const char *at = named->value, *end;
	uint32_t tag = 0;
	size_t n;

	ret->is_vnet = pst_str_starts(at, "vnet:");
	at += ret->is_vnet ? strlen("vnet:") : pst_str_starts(at, "bridge:") ? strlen("bridge:") : strlen(at);
	n = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");
	end = at + n + strspn(at + n, " \t");
	if (*end && (ret->is_vnet || !pst_str_starts(end, "vlan:") || pst_parse_u32(end + strlen("vlan:"), 1, 4094, &tag) < 0))
		n = 0;
	if (n == 0 || n >= sizeof(ret->bridge))
		return pst_err_set(err, PST_EINVAL, "network-%s: \"%.100s\" must be bridge:NAME, bridge:NAME vlan:1…4094, or vnet:NAME", named->name, named->value);
	memcpy(ret->bridge, at, n);
	ret->bridge[n] = '\0';
	ret->tag = tag;
	return 0;
}

static int nets_settle(struct pve_settings *s, const struct driver_params *p, struct pst_err *err)
{
	if (nets_read(&s->nets, p, err) < 0)
		return err->code;
	for (size_t i = 0; i < s->nets.n; i++) {
		if (net_read(&s->nets.list[i], &s->net[i], err) < 0)
			return pst_err_wrap(err, "[%s]", p->section);
	}
	return 0;
}

static int network_read(struct proxmox *x, const struct driver_params *p, struct pst_err *err)
{
	const char *addresses = pst_conf_str(p->conf, p->section, "addresses", NULL);
	uint32_t wait_s;

	if (nets_settle(&x->set, p, err) < 0 || name_read(p, "ipam", addresses ? "" : "pve", x->set.ipam, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "address_wait_s", 0, 3600, 30, &wait_s, err) < 0)
		return err->code;
	x->set.address_wait_ms = wait_s * UINT64_C(1000);
	return addresses ? lv_addresses_init(&x->addresses, addresses, err) : 0;
}

static int access_read(const struct driver_params *p, struct rest_params *ret, struct pst_err *err)
{
	uint32_t deadline_s;

	memset(ret, 0, sizeof(*ret));
	ret->what = "Proxmox VE";
	ret->section = p->section;
	ret->auth_scheme = "Authorization: PVEAPIToken=";
	ret->refusal = pve_refusal;
	ret->loop = p->loop;
	if (pst_conf_need(p->conf, p->section, "url", &ret->http.url, err) < 0 ||
		pst_conf_need(p->conf, p->section, "token_file", &ret->auth_file, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "deadline_s", 4, 3600, 300, &deadline_s, err) < 0)
		return err->code;
	ret->http.ca = pst_conf_str(p->conf, p->section, "ca", NULL);
	ret->http.pin = pst_conf_str(p->conf, p->section, "pin", NULL);
	if (ret->http.pin && !pst_str_starts(ret->http.pin, "sha256//"))
		return pst_err_set(err, PST_EINVAL, "[%s] pin: must be sha256// and the base64 of the server's key; docs/hypervisors.md says how to read it",
			p->section);
	ret->deadline_ms = deadline_s * UINT64_C(1000);
	ret->http.timeout_ms = ret->deadline_ms;
	ret->http.is_single = true;
	ret->http.connect_ms = PST_MIN(ret->deadline_ms / 4, (uint64_t)CONNECT_MS);
	return 0;
}

int pve_settings_read(struct proxmox *x, const struct driver_params *p, struct rest_params *ret_rest, struct pst_err *err)
{
	struct pve_settings *s = &x->set;
	uint32_t poll_s;

	if (!vmconfig_name_valid(p->name) || pst_strlcpy(x->provider, sizeof(x->provider), p->name) < 0)
		return pst_err_set(err, PST_EINVAL, "a provider of kind proxmox has letters, digits, '.', '_' and '-' in its name");
	if (access_read(p, ret_rest, err) < 0 || clone_read(s, p, err) < 0 || seed_read(s, p, err) < 0 || network_read(x, p, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "capacity", 0, PVE_MACHINES_MAX, 0, &s->capacity, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "poll_s", 1, 3600, 10, &poll_s, err) < 0)
		return err->code;
	s->poll_ms = poll_s * UINT64_C(1000);
	x->base.rdp_wait_ms = s->rdp.wait_ms;
	return mark_read(p->data, x->instance, err);
}
