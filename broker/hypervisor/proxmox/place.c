/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From which template, on which node, under which id. */
#include "broker/hypervisor/proxmox/proxmox_priv.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <string.h>

#define ID_TRIES 200

/* By its id or its name; the second of one name makes it no name. */
static int template_match(const json_t *list, const char *ref, struct pve_vm *ret)
{
	uint32_t id = 0;
	json_t *o;
	size_t i;
	int n = 0;

	(void)pst_parse_u32(ref, PVE_ID_MIN, PVE_ID_MAX, &id);
	json_array_foreach(list, i, o)
	{
		const char *name = pst_json_str(o, "name", 256), *node = pst_json_str(o, "node", VMCONFIG_NAME_SIZE - 1);
		uint32_t own = (uint32_t)pst_json_int(o, "vmid", PVE_ID_MIN, PVE_ID_MAX, 0);

		if (!own || !node || !vmconfig_name_valid(node) || pst_json_int(o, "template", 0, 1, 0) != 1)
			continue;
		if (id ? own != id : !name || strcmp(name, ref) != 0)
			continue;
		memset(ret, 0, sizeof(*ret));
		ret->id = own;
		pst_strlcpy(ret->node, sizeof(ret->node), node);
		n++;
	}
	return n;
}

int pve_template_find(struct rest_op *op, const struct machine_request *r, struct pve_vm *ret, struct pst_err *err)
{
	const char *ref = r->image_base + strlen(REQUEST_REF);
	json_t *list;
	int n;

	if (!pst_str_starts(r->image_base, REQUEST_REF))
		return pst_err_set(err, PST_EUNSUPPORTED, "image %s: its base \"%.200s\" is no template; write " REQUEST_REF "ID or " REQUEST_REF "NAME",
			r->image_name, r->image_base);
	list = pve_get(op, PVE_API "/cluster/resources?type=vm", JSON_ARRAY, err);
	if (!list)
		return err->code;
	n = template_match(list, ref, ret);
	json_decref(list);
	if (n == 1)
		return 0;
	return pst_err_set(err, PST_EINVAL, n ? "image %s: several templates are called \"%.100s\": name it by its id"
		: "image %s: there is no template \"%.100s\" that the token sees (it needs VM.Audit and VM.Clone there)", r->image_name, ref);
}

/* Bytes that the node has left for a clone; -1 where it takes none. */
static int64_t node_left(const struct proxmox *p, const struct pve_vm *template, const char *wish, const json_t *o)
{
	const char *name = json_string_value(json_object_get(o, "node")), *status = pst_json_str(o, "status", 32);
	int64_t all = pst_json_int(o, "maxmem", 0, INT64_MAX, 0);

	if (!status || strcmp(status, "online") != 0 || !pve_node_allowed(&p->set, name) || (wish[0] && strcmp(name, wish) != 0))
		return -1;
	return !p->set.is_shared && strcmp(name, template->node) != 0 ? -1 : all - pst_json_int(o, "mem", 0, all, all);
}

static int no_node(const struct proxmox *p, const struct pve_vm *template, const char *wish, bool is_known, struct pst_err *err)
{
	if (wish[0])
		return is_known ? pst_err_set(err, PST_EBUSY, "node %s cannot take a clone of template %u: it is off", wish, template->id)
			: pst_err_set(err, PST_ENOTFOUND, "there is no node %s that takes desktops", wish);
	return pst_err_set(err, PST_EBUSY, "no node can take a clone of template %u, which is on %s: are its node and those of [%s] nodes on?%s",
		template->id, template->node, p->rest.section, p->set.is_shared ? "" : " (shared_storage = yes lets other nodes take it)");
}

int pve_node_choose(struct rest_op *op, const struct pve_vm *template, const char *wish, char out[VMCONFIG_NAME_SIZE], struct pst_err *err)
{
	const struct proxmox *p = proxmox_of_op(op);
	bool is_known = false;
	int64_t most = -1;
	json_t *nodes, *o;
	size_t i;

	if (wish[0] && !p->set.is_shared)
		return pst_err_set(err, PST_EINVAL, "node %s cannot be chosen: a template lies on one node (shared_storage = yes lets others take it)", wish);
	nodes = pve_nodes(op, err);
	if (!nodes)
		return err->code;
	json_array_foreach(nodes, i, o)
	{
		const char *name = json_string_value(json_object_get(o, "node"));
		int64_t left = node_left(p, template, wish, o);

		is_known |= strcmp(name, wish) == 0 && pve_node_allowed(&p->set, name);
		if (left <= most)
			continue;
		most = left;
		pst_strlcpy(out, VMCONFIG_NAME_SIZE, name);
	}
	json_decref(nodes);
	return most >= 0 ? 0 : no_node(p, template, wish, is_known, err);
}

/* Marks it as being tried, unless somebody else tries it. */
static bool id_mark(struct proxmox *p, uint32_t id)
{
	bool is_taken = false, is_marked = false;

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < PVE_CLONING_MAX; i++)
		is_taken |= p->cloning[i] == id;
	for (size_t i = 0; i < PVE_CLONING_MAX && !is_taken && !is_marked; i++) {
		if (p->cloning[i] == 0) {
			p->cloning[i] = id;
			is_marked = true;
		}
	}
	pthread_mutex_unlock(&p->lock);
	return is_marked;
}

void pve_id_give(struct proxmox *p, uint32_t id)
{
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < PVE_CLONING_MAX; i++) {
		if (p->cloning[i] == id)
			p->cloning[i] = 0;
	}
	pthread_mutex_unlock(&p->lock);
}

/* The data is a number, or in older versions its text. */
static int id_ask(struct rest_op *op, uint32_t id, uint32_t *ret, struct pst_err *err)
{
	char path[REST_PATH_SIZE];
	json_t *answer, *data;
	int rc = id ? rest_path(path, err, PVE_API "/cluster/nextid?vmid=%u", id) : rest_path(path, err, PVE_API "/cluster/nextid");

	answer = rc == 0 ? rest_get(op, path, JSON_OBJECT, err) : NULL;
	if (!answer)
		return err->code;
	data = json_object_get(answer, "data");
	*ret = (uint32_t)pst_json_int(answer, "data", PVE_ID_MIN, PVE_ID_MAX, 0);
	if (json_is_string(data))
		(void)pst_parse_u32(json_string_value(data), PVE_ID_MIN, PVE_ID_MAX, ret);
	json_decref(answer);
	return *ret ? 0 : pst_err_set(err, PST_EPROTO, "%s gives no id for a new machine", op->rest->what);
}

/* 1: free and marked; 0: somebody's; else an error. */
static int id_try(struct rest_op *op, uint32_t id, struct pst_err *err)
{
	struct proxmox *p = proxmox_of_op(op);
	struct pst_err why = PST_ERR_INIT;
	uint32_t same;
	int rc;

	if (!id_mark(p, id))
		return 0;
	rc = id_ask(op, id, &same, &why);
	if (rc == 0)
		return 1;
	pve_id_give(p, id);
	return op->status == 400 || rc == PST_ECONFLICT ? 0 : pst_err_pass(err, rc, &why);
}

/* Where to begin: after the last, else by Proxmox VE's word, or in our own range at a place of the desktop's. */
static int id_first(struct rest_op *op, uint32_t after, uint32_t *ret, struct pst_err *err)
{
	const struct pve_settings *s = &proxmox_of_op(op)->set;
	struct pst_uuid u;

	if (after) {
		*ret = after + 1;
		return 0;
	}
	if (!s->id_first)
		return id_ask(op, 0, ret, err);
	*ret = s->id_first;
	if (pst_uuid_parse(op->desktop, &u) == 0)
		*ret += ((uint32_t)u.b[0] << 8 | u.b[1]) % (s->id_last - s->id_first + 1);
	return 0;
}

int pve_id_take(struct rest_op *op, uint32_t after, uint32_t *ret, struct pst_err *err)
{
	const struct pve_settings *s = &proxmox_of_op(op)->set;
	uint32_t id;

	if (id_first(op, after, &id, err) < 0)
		return err->code;
	for (int i = 0; i < ID_TRIES; i++, id++) {
		int rc;

		if (s->id_first && id > s->id_last)
			id = s->id_first;
		rc = id_try(op, id, err);
		if (rc < 0)
			return rc;
		if (rc > 0) {
			*ret = id;
			return 0;
		}
	}
	return pst_err_set(err, PST_ELIMIT, "%d ids for new machines in a row are taken%s", ID_TRIES, s->id_first ? ": make the range in ids larger" : "");
}
