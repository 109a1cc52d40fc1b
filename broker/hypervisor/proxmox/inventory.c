/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every machine of ours on every node. The cluster's own list (cluster/resources) has tags and places at once,
 * but states some seconds late, and the nodes have states at once but say nothing when they are off: so both
 * are asked, and compared. A node that is off and has machines of ours makes the list fail: they are unknown.
 */
#include "broker/hypervisor/proxmox/proxmox_priv.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define TRIES 4
#define PAUSE_MS 200

/* One reading. */
struct reading {
	struct rest_op *op;
	struct proxmox *p;
	struct pve_inventory *inventory;
	uint32_t *seen; /* ids that nodes told of, ours or not: a copy that somebody made has our tags, too */
	size_t seen_n;
	bool is_torn;   /* something moved meanwhile */
};

static struct pve_item *item_add(struct pve_inventory *v)
{
	size_t cap = v->cap ? 2 * v->cap : 64;
	struct pve_item *items;

	if (v->n == v->cap) {
		items = v->n < PVE_MACHINES_MAX ? realloc(v->items, cap * sizeof(*items)) : NULL;
		if (!items)
			return NULL;
		v->items = items;
		v->cap = cap;
	}
	memset(&v->items[v->n], 0, sizeof(*v->items));
	return &v->items[v->n++];
}

static bool is_marked(const struct proxmox *p, const json_t *o)
{
	const char *tags = pst_json_str(o, "tags", VMCONFIG_VALUE_SIZE);
	char mark[MARK_SIZE];

	return tags && vmconfig_tag_rest(tags, VMCONFIG_TAG_MARK, mark, sizeof(mark)) && strcmp(mark, p->instance) == 0;
}

/* Worth a look: marked, or by its name one that has no tags yet. */
static bool may_be_ours(const struct proxmox *p, const json_t *o)
{
	const char *name = pst_json_str(o, "name", 256);

	if (pst_json_int(o, "template", 0, 1, 0) == 1)
		return false;
	return is_marked(p, o) || (name && pst_str_starts(name, "puesto-"));
}

/* 0: filled; PST_ENOTFOUND: not ours. */
static int brief_get(struct reading *r, const struct pve_vm *vm, const json_t *o, struct pve_brief *ret, struct pst_err *err)
{
	const char *tags = pst_json_str(o, "tags", VMCONFIG_VALUE_SIZE);
	char rev[VMCONFIG_REV_SIZE] = "";
	json_t *config;
	int rc;

	if (tags && vmconfig_tag_rest(tags, VMCONFIG_TAG_REV, rev, sizeof(rev)) && pve_briefs_find(r->p->briefs, vm->id, rev, ret))
		return ret->desktop[0] ? 0 : pst_err_set(err, PST_ENOTFOUND, "machine %u is not ours", vm->id);
	config = pve_vm_config(r->op, vm, err);
	if (!config) {
		r->is_torn |= err->code == PST_ENOTFOUND && is_marked(r->p, o);
		return err->code;
	}
	rc = pve_brief_read(r->p, vm->id, config, ret, NULL, err);
	json_decref(config);
	if (rc == PST_ENOTFOUND) { /* another installation's, or a copy: its notes are not read again each time, either */
		*ret = (struct pve_brief){ .id = vm->id };
		memcpy(ret->rev, rev, sizeof(ret->rev));
	}
	if (rc == 0 || rev[0])
		pve_briefs_put(r->p->briefs, ret);
	return rc;
}

static int machine_take(struct reading *r, const char *node, const json_t *o, struct pst_err *err)
{
	const char *status = pst_json_str(o, "status", 32), *lock = pst_json_str(o, "lock", sizeof(((struct pve_vm *)0)->lock) - 1);
	struct pve_vm vm = { .id = (uint32_t)pst_json_int(o, "vmid", PVE_ID_MIN, PVE_ID_MAX, 0) };
	struct pst_err why = PST_ERR_INIT;
	struct pve_brief brief;
	struct pve_item *item;
	int rc;

	if (!vm.id || !status || !may_be_ours(r->p, o))
		return 0;
	if (r->seen_n == PVE_MACHINES_MAX)
		return pst_err_set(err, PST_ELIMIT, "%s has more than %d machines of ours", r->op->rest->what, PVE_MACHINES_MAX);
	r->seen[r->seen_n++] = vm.id;
	pst_strlcpy(vm.node, sizeof(vm.node), node);
	pst_strlcpy(vm.lock, sizeof(vm.lock), lock ? lock : "");
	vm.is_running = strcmp(status, "running") == 0;
	rc = brief_get(r, &vm, o, &brief, &why);
	if (rc < 0)
		return rc == PST_ENOTFOUND ? 0 : pst_err_pass(err, rc, &why);
	item = item_add(r->inventory);
	if (!item)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	item->vm = vm;
	item->brief = brief;
	return 0;
}

static int node_read(struct reading *r, const char *node, struct pst_err *err)
{
	char path[REST_PATH_SIZE];
	json_t *list, *o;
	size_t i;
	int rc = 0;

	if (rest_path(path, err, PVE_API "/nodes/%s/qemu", node) < 0)
		return err->code;
	list = pve_get(r->op, path, JSON_ARRAY, err);
	if (!list)
		return err->code;
	json_array_foreach(list, i, o)
	{
		rc = machine_take(r, node, o, err);
		if (rc < 0)
			break;
	}
	json_decref(list);
	return rc;
}

json_t *pve_nodes(struct rest_op *op, struct pst_err *err)
{
	json_t *nodes = pve_get(op, PVE_API "/nodes", JSON_ARRAY, err), *o;
	size_t i;

	if (nodes && (json_array_size(nodes) == 0 || json_array_size(nodes) > PVE_NODES_MAX)) {
		pst_err_set(err, PST_ELIMIT, "%s has %zu nodes that the token sees: it should be 1 to %d", op->rest->what, json_array_size(nodes),
			PVE_NODES_MAX);
		json_decref(nodes);
		return NULL;
	}
	json_array_foreach(nodes, i, o)
	{
		const char *name = pst_json_str(o, "node", VMCONFIG_NAME_SIZE - 1);

		if (name && vmconfig_name_valid(name))
			continue;
		pst_err_set(err, PST_EPROTO, "%s has a node without a name", op->rest->what);
		json_decref(nodes);
		return NULL;
	}
	return nodes;
}

static bool is_online(const json_t *node)
{
	const char *status = pst_json_str(node, "status", 32);

	return status && strcmp(status, "online") == 0;
}

static int id_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static bool node_is_off(const json_t *nodes, const char *name)
{
	json_t *o;
	size_t i;

	json_array_foreach(nodes, i, o)
	{
		const char *node = pst_json_str(o, "node", VMCONFIG_NAME_SIZE - 1);

		if (node && strcmp(node, name) == 0)
			return !is_online(o);
	}
	return true;
}

/* What the cluster says is ours, and no node has told of. */
static int missing_check(struct reading *r, const json_t *resources, const json_t *nodes, struct pst_err *err)
{
	json_t *o;
	size_t i;

	qsort(r->seen, r->seen_n, sizeof(*r->seen), id_compare);
	json_array_foreach(resources, i, o)
	{
		const char *node = pst_json_str(o, "node", VMCONFIG_NAME_SIZE - 1);
		uint32_t id = (uint32_t)pst_json_int(o, "vmid", PVE_ID_MIN, PVE_ID_MAX, 0);

		if (!node || !id || !is_marked(r->p, o) || pst_json_int(o, "template", 0, 1, 0) == 1 ||
			bsearch(&id, r->seen, r->seen_n, sizeof(id), id_compare))
			continue;
		if (node_is_off(nodes, node))
			return pst_err_set(err, PST_ECLOSED, "node %s is off, and machine %u of ours is there: what became of it is not known", node, id);
		r->is_torn = true;
	}
	return 0;
}

static int read_once(struct reading *r, struct pst_err *err)
{
	json_t *nodes = pve_nodes(r->op, err), *resources = NULL, *o;
	size_t i;
	int rc = nodes ? 0 : err->code;

	r->inventory->n = r->seen_n = 0;
	r->is_torn = false;
	json_array_foreach(nodes, i, o)
	{
		if (rc == 0 && is_online(o))
			rc = node_read(r, json_string_value(json_object_get(o, "node")), err);
	}
	if (rc == 0) {
		resources = pve_get(r->op, PVE_API "/cluster/resources?type=vm", JSON_ARRAY, err);
		rc = resources ? missing_check(r, resources, nodes, err) : err->code;
	}
	json_decref(resources);
	json_decref(nodes);
	return rc;
}

static int item_compare(const void *a, const void *b)
{
	const struct pve_item *x = a, *y = b;
	int order = strcmp(x->brief.desktop, y->brief.desktop), rx = claim_rank(x->brief.phase), ry = claim_rank(y->brief.phase);

	if (order != 0)
		return order;
	if (rx != ry)
		return ry - rx;
	return x->vm.id < y->vm.id ? -1 : x->vm.id > y->vm.id;
}

/* Until one is of a piece. */
static int read_whole(struct reading *r, struct pst_err *err)
{
	for (int i = 0; i < TRIES; i++) {
		if (read_once(r, err) < 0 || (r->is_torn && rest_wait(r->op, PAUSE_MS, err) < 0))
			return err->code;
		if (!r->is_torn)
			return 0;
	}
	return pst_err_set(err, PST_EBUSY, "machines of %s move about: nothing certain can be said of them now", r->op->rest->what);
}

int pve_inventory_read(struct rest_op *op, struct pve_inventory *ret, struct pst_err *err)
{
	struct reading r = { .op = op, .p = proxmox_of_op(op), .inventory = ret };
	int rc;

	memset(ret, 0, sizeof(*ret));
	r.seen = pst_zalloc(PVE_MACHINES_MAX, sizeof(*r.seen));
	rc = r.seen ? read_whole(&r, err) : pst_err_set(err, PST_ENOMEM, "no memory");
	free(r.seen);
	if (rc == 0 && ret->n > 1)
		qsort(ret->items, ret->n, sizeof(*ret->items), item_compare);
	return rc;
}

void pve_inventory_finish(struct pve_inventory *v)
{
	free(v->items);
	memset(v, 0, sizeof(*v));
}

static void machine_fill(const struct proxmox *p, const struct pve_item *item, const json_t *leases, struct machine *m)
{
	const struct pve_brief *b = &item->brief;
	const struct machine_request r = { .is_windows = b->is_windows, .has_rdp = b->has_rdp };
	struct claim c = { .phase = b->phase };
	char address[CLAIM_ADDRESS_SIZE];

	memset(m, 0, sizeof(*m));
	pst_strlcpy(m->desktop, sizeof(m->desktop), b->desktop);
	pst_strlcpy(m->task, sizeof(m->task), b->task);
	pst_strlcpy(m->image, sizeof(m->image), b->image);
	pst_strlcpy(m->host, sizeof(m->host), item->vm.node);
	m->state = claim_state(&c, item->vm.is_running, m->reason);
	pst_strlcpy(address, sizeof(address), b->address);
	if (!address[0])
		(void)pve_lease_find(leases, b->mac, address);
	rdp_site_endpoint(&p->set.rdp, &p->set.seed, &r, address, &m->endpoint);
}

int proxmox_list(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err)
{
	struct proxmox *p = proxmox_of(d);
	struct pve_inventory v = { .n = 0 };
	uint64_t moment = watches_now(p->rest.watches);
	json_t *leases = NULL;
	struct rest_op op;
	struct machine m;
	int rc;

	rest_begin(&op, &p->rest, "");
	rc = pve_inventory_read(&op, &v, err);
	if (rc == 0)
		rc = (leases = pve_leases(&op, err)) ? 0 : err->code;
	for (size_t i = 0; rc == 0 && i < v.n; i++) {
		if (i > 0 && strcmp(v.items[i].brief.desktop, v.items[i - 1].brief.desktop) == 0)
			continue;
		machine_fill(p, &v.items[i], leases, &m);
		if (m.state == MACHINE_RUNNING)
			watches_see(p->rest.watches, m.desktop, moment);
		visit(&m, arg);
	}
	json_decref(leases);
	pve_inventory_finish(&v);
	rest_end(&op);
	return rc;
}
