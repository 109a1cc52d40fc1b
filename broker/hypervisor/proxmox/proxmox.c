/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The driver of kind "proxmox": machines of a Proxmox VE cluster, by its API and a token. docs/hypervisors.md has the admin's side. */
#include "broker/hypervisor/proxmox/proxmox_priv.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MACHINE_MB 2048 /* of memory for each desktop, where no capacity is set */
#define HEALTH_MS 10000

struct proxmox *proxmox_of(struct driver *d)
{
	return pst_container_of(d, struct proxmox, base);
}

struct proxmox *proxmox_of_op(const struct rest_op *op)
{
	return pst_container_of(op->rest, struct proxmox, rest);
}

/* Memory and number of the nodes that are on and take desktops; the name of one of them, borrowed, or NULL. */
static const char *nodes_count(const struct pve_settings *s, const json_t *nodes, uint64_t *ret_mb, unsigned *ret_on)
{
	const char *one = NULL;
	json_t *o;
	size_t i;

	json_array_foreach(nodes, i, o)
	{
		const char *status = pst_json_str(o, "status", 32), *name = json_string_value(json_object_get(o, "node"));

		if (!status || strcmp(status, "online") != 0 || !pve_node_allowed(s, name))
			continue;
		*ret_mb += (uint64_t)pst_json_int(o, "maxmem", 0, INT64_MAX, 0) >> 20;
		++*ret_on;
		one = name;
	}
	return one;
}

static int seed_storage_check(struct rest_op *op, const char *node, struct pst_err *err)
{
	const struct pve_settings *s = &proxmox_of_op(op)->set;
	const char *content;
	char path[REST_PATH_SIZE];
	int rc = 0;
	json_t *o;

	if (!s->seed.agents[0])
		return 0;
	if (rest_path(path, err, PVE_API "/nodes/%s/storage/%s/status", node, s->seed_storage) < 0)
		return err->code;
	o = pve_get(op, path, JSON_OBJECT, err);
	if (!o)
		return err->code;
	content = pst_json_str(o, "content", 256);
	if (!content || !strstr(content, "iso"))
		rc = pst_err_set(err, PST_EINVAL, "storage %s does not take ISO images: allow it that content, or name another as seed_storage", s->seed_storage);
	json_decref(o);
	return rc;
}

static int proxmox_capacity(struct driver *d, struct driver_capacity *ret, struct pst_err *err)
{
	struct proxmox *p = proxmox_of(d);
	struct pst_err why = PST_ERR_INIT;
	struct rest_op op;
	const char *node;
	unsigned on = 0;
	uint64_t mb = 0;
	json_t *nodes;
	int rc;

	ret->can = DRIVER_POWER | DRIVER_SUSPEND | DRIVER_SNAPSHOT | DRIVER_RESIZE | DRIVER_GROW | DRIVER_MIGRATE | DRIVER_CONSOLE |
		(p->set.is_full ? 0 : DRIVER_LINKED_CLONE);
	rest_begin(&op, &p->rest, "");
	op.end_ms -= rest_left_ms(&op) - PST_MIN(rest_left_ms(&op), (uint64_t)HEALTH_MS);
	nodes = pve_nodes(&op, &why);
	node = nodes_count(&p->set, nodes, &mb, &on);
	if (!nodes)
		rc = why.code;
	else if (!node)
		rc = pst_err_set(&why, PST_EBUSY, "none of its nodes that take desktops is on: look at them in Proxmox VE, and at nodes");
	else if (mb == 0 && !p->set.capacity)
		rc = pst_err_set(&why, PST_EDENIED, "the token does not see the nodes' memory: give it Sys.Audit on /nodes, or set capacity");
	else
		rc = seed_storage_check(&op, node, &why);
	json_decref(nodes);
	rest_end(&op);
	ret->machines = p->set.capacity ? p->set.capacity : (uint32_t)PST_CLAMP(mb / MACHINE_MB, (uint64_t)1, (uint64_t)PVE_MACHINES_MAX);
	pst_strlcpy(ret->reason, sizeof(ret->reason), rc < 0 ? why.text : "");
	ret->healthy = rc == 0;
	snprintf(ret->limits, sizeof(ret->limits), "memory cpu (Proxmox VE, %u nodes on)", on);
	return 0;
}

static int proxmox_watch(struct driver *d, const char *desktop, driver_ended_cb ended, void *arg, struct pst_err *err)
{
	return watches_add(proxmox_of(d)->rest.watches, desktop, ended, arg, err);
}

static void proxmox_cancel(struct driver *d, const char *desktop)
{
	rest_cancel(&proxmox_of(d)->rest, desktop);
}

static void proxmox_close(struct driver *d)
{
	struct proxmox *p = proxmox_of(d);

	rest_shut(&p->rest);
	lookout_destroy(p->lookout);
	rest_finish(&p->rest);
	pve_briefs_destroy(p->briefs);
	lv_addresses_finish(&p->addresses);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static int begin(struct proxmox *p, const struct driver_params *params, struct pst_err *err)
{
	struct lookout_params look = { .driver = &p->base, .rest = &p->rest, .list = proxmox_list };
	struct rest_params rest;

	if (pve_settings_read(p, params, &rest, err) < 0 || rest_init(&p->rest, &rest, err) < 0)
		return err->code;
	p->briefs = pve_briefs_create();
	if (!p->briefs)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	look.poll_ms = p->set.poll_ms;
	p->lookout = lookout_create(&look, err);
	return p->lookout ? 0 : err->code;
}

static struct driver *proxmox_open(const struct driver_params *params, struct pst_err *err)
{
	struct proxmox *p = pst_zalloc(1, sizeof(*p));

	if (!p) {
		pst_err_set(err, PST_ENOMEM, "no memory");
		return NULL;
	}
	pthread_mutex_init(&p->lock, NULL);
	if (begin(p, params, err) < 0) {
		proxmox_close(&p->base);
		return NULL;
	}
	return &p->base;
}

extern const struct driver_type driver_proxmox;

const struct driver_type driver_proxmox = {
	.kind = "proxmox",
	.open = proxmox_open,
	.create = proxmox_create,
	.destroy = proxmox_destroy,
	.restart = proxmox_restart,
	.list = proxmox_list,
	.capacity = proxmox_capacity,
	.watch = proxmox_watch,
	.close = proxmox_close,
	.power = proxmox_power,
	.snapshot_take = proxmox_snapshot_take,
	.snapshot_revert = proxmox_snapshot_revert,
	.snapshot_drop = proxmox_snapshot_drop,
	.resize = proxmox_resize,
	.migrate = proxmox_migrate,
	.console = proxmox_console,
	.way = proxmox_way,
	.hosts = proxmox_hosts,
	.networks = proxmox_networks,
	.cancel = proxmox_cancel,
};
