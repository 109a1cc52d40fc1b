/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cluster's nodes and the networks of the settings, for whoever places desktops. */
#include "broker/hypervisor/proxmox/proxmox_priv.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* Is it one of "a, b"? The empty list has all. */
bool pve_node_allowed(const struct pve_settings *s, const char *node)
{
	const char *nodes = s->nodes;
	size_t len = strlen(node);

	if (!nodes[0])
		return true;
	while (*nodes) {
		size_t n;

		nodes += strspn(nodes, ", \t");
		n = strcspn(nodes, ", \t");
		if (n == len && strncmp(nodes, node, n) == 0)
			return true;
		nodes += n;
	}
	return false;
}

/* That run there, ours or not, as the cluster's statistics have it. */
static uint32_t machines_count(const json_t *resources, const char *node)
{
	uint32_t n = 0;
	json_t *o;
	size_t i;

	json_array_foreach(resources, i, o)
	{
		const char *where = pst_json_str(o, "node", VMCONFIG_NAME_SIZE - 1), *status = pst_json_str(o, "status", 32);

		n += where && status && strcmp(where, node) == 0 && strcmp(status, "running") == 0;
	}
	return n;
}

static void node_tell(const json_t *o, const json_t *resources, driver_host_cb visit, void *arg)
{
	const char *name = json_string_value(json_object_get(o, "node")), *status = pst_json_str(o, "status", 32);
	int64_t all = pst_json_int(o, "maxmem", 0, INT64_MAX, 0), used = pst_json_int(o, "mem", 0, all, all);
	struct driver_host h;

	memset(&h, 0, sizeof(h));
	if (pst_strlcpy(h.name, sizeof(h.name), name) < 0)
		return; /* no command could name it */
	h.processors = (uint32_t)pst_json_int(o, "maxcpu", 0, INT32_MAX, 0);
	h.memory_mb = (uint32_t)PST_MIN(all >> 20, (int64_t)UINT32_MAX);
	h.free_mb = (uint32_t)PST_MIN((all - used) >> 20, (int64_t)UINT32_MAX);
	h.machines = machines_count(resources, name);
	h.usable = status && strcmp(status, "online") == 0;
	if (!h.usable)
		snprintf(h.reason, sizeof(h.reason), "it is %.20s in Proxmox VE: look at it there", status ? status : "not known");
	visit(&h, arg);
}

int proxmox_hosts(struct driver *d, driver_host_cb visit, void *arg, struct pst_err *err)
{
	struct proxmox *p = proxmox_of(d);
	json_t *nodes, *resources, *o;
	struct rest_op op;
	size_t i;
	int rc;

	/* Where a template lies on a storage of one node alone, that node is the only choice. */
	if (!p->set.is_shared)
		return 0;
	rest_begin(&op, &p->rest, "");
	nodes = pve_nodes(&op, err);
	resources = nodes ? pve_get(&op, PVE_API "/cluster/resources?type=vm", JSON_ARRAY, err) : NULL;
	rc = resources ? 0 : err->code;
	json_array_foreach(nodes, i, o)
	{
		if (rc == 0 && pve_node_allowed(&p->set, json_string_value(json_object_get(o, "node"))))
			node_tell(o, resources, visit, arg);
	}
	json_decref(resources);
	json_decref(nodes);
	rest_end(&op);
	return rc;
}

int proxmox_networks(struct driver *d, driver_network_cb visit, void *arg, struct pst_err *err)
{
	const struct pve_settings *s = &proxmox_of(d)->set;

	(void)err;
	for (size_t i = 0; i < s->nets.n; i++) {
		/* Whether desktops reach each other there is the network's own matter. */
		struct driver_network n = { .peers = true };

		pst_strlcpy(n.name, sizeof(n.name), s->nets.list[i].name);
		pst_strlcpy(n.kind, sizeof(n.kind), s->net[i].is_vnet ? "existing" : "bridge");
		if (s->net[i].tag)
			snprintf(n.about, sizeof(n.about), "%s, VLAN %u", s->net[i].bridge, s->net[i].tag);
		else
			pst_strlcpy(n.about, sizeof(n.about), s->net[i].bridge);
		visit(&n, arg);
	}
	return 0;
}
