/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Recycle bins for people: an entry's path becomes what it was. */
#include "broker/hypervisor/storage/bin_job.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/disk/recycle.h"
#include "broker/hypervisor/disk/walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX 5000

static const char *const ops[] = {
	[BIN_LIST] = "bin_list",
	[BIN_RESTORE] = "bin_restore",
	[BIN_REMOVE] = "bin_remove",
};

int bin_job_parse(const json_t *msg, struct bin_job *ret, struct pst_err *err)
{
	const char *op = pst_json_str(msg, "op", 32), *datastore, *token;
	size_t kind = 0;

	while (kind < PST_ARRAY_LEN(ops) && (!op || strcmp(ops[kind], op) != 0))
		kind++;
	if (kind == PST_ARRAY_LEN(ops))
		return pst_err_set(err, PST_EUNSUPPORTED, "the provisioner does not know the command \"%s\"", op ? op : "");
	memset(ret, 0, sizeof(*ret));
	ret->kind = (enum bin_job_kind)kind;
	if (ret->kind == BIN_LIST)
		return 0;
	if (pst_json_need_str(msg, "datastore", sizeof(ret->datastore) - 1, &datastore, err) < 0 ||
		pst_json_need_str(msg, "token", sizeof(ret->token) - 1, &token, err) < 0)
		return err->code;
	pst_strlcpy(ret->datastore, sizeof(ret->datastore), datastore);
	return pst_strlcpy(ret->token, sizeof(ret->token), token);
}

struct bin {
	const char *datastore, *folder;
	json_t *items;
};

static int disk_add(int fd, const char *path, const struct stat *st, enum disk_format format, void *arg, struct pst_err *err)
{
	uint64_t *bytes = arg;

	*bytes += (uint64_t)st->st_blocks * 512;
	return 0;
}

/* "images/IMAGE/VERSION" or "desktops/MARK/UUID", as what it is for people. */
static const char *kind_of(const char *rest, char *name, size_t size)
{
	char a[256], b[256], more;
	const char *slash = strrchr(rest, '/');
	struct pst_uuid u;

	if (sscanf(rest, "images/%255[^/]/%255[^/]%c", a, b, &more) == 2 && b[0] != '.') {
		snprintf(name, size, "%s %s", a, b);
		return "version";
	}
	pst_strlcpy(name, size, slash ? slash + 1 : rest);
	return pst_str_starts(rest, "desktops/") && pst_uuid_parse(name, &u) == 0 ? "desktop" : "other";
}

static int entry_add(const struct recycle_entry *e, void *arg, struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;
	struct bin *bin = arg;
	const char *rest = e->path + strlen(bin->folder), *kind;
	char name[600];
	uint64_t bytes = 0;

	if (!e->is_whole || json_array_size(bin->items) >= LIST_MAX)
		return 0;
	kind = kind_of(rest + (*rest == '/'), name, sizeof(name));
	walk_disks(e->item, disk_add, &bytes, &ignored);
	json_array_append_new(bin->items, json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "datastore", bin->datastore, "token", e->token,
		"kind", kind, "name", name, "reason", e->reason, "removed_ms", (json_int_t)e->removed_ms, "until_ms", (json_int_t)e->until_ms,
		"bytes", (json_int_t)bytes));
	return 0;
}

static json_t *list_run(struct stores *set)
{
	json_t *items = json_array(), *unlisted = json_array();
	struct store_view v;

	for (size_t i = 0; stores_view(set, i, &v); i++) {
		struct bin bin = { .datastore = v.s.name, .folder = v.s.path, .items = items };
		struct pst_err err = PST_ERR_INIT;
		char folder[900];
		bool is_listed;

		if (v.s.is_plain)
			continue;
		is_listed = stores_lock(set, v.s.name, folder);
		if (is_listed) {
			is_listed = recycle_list(folder, entry_add, &bin, &err) == 0;
			stores_unlock(set, v.s.name);
		}
		if (!is_listed)
			json_array_append_new(unlisted, json_string(v.s.name));
	}
	return json_pack("{s:o, s:o}", "items", items, "unlisted", unlisted);
}

static int remove_run(struct stores *set, const struct bin_job *job, struct pst_err *err)
{
	const char *const *others = stores_others(set, job->datastore);
	struct store_view v;
	int rc = pst_err_set(err, PST_ENOMEM, "no memory");

	if (others && stores_view_named(set, job->datastore, &v)) {
		*err = (struct pst_err)PST_ERR_INIT;
		rc = store_type_of(&v.s)->end(&v.s, others, job->token, err);
	}

	free((void *)(uintptr_t)others);
	return rc;
}

json_t *bin_job_run(struct stores *set, const struct bin_job *job, struct pst_err *err)
{
	char folder[900];
	int rc;

	if (job->kind == BIN_LIST)
		return list_run(set);
	if (!stores_lock(set, job->datastore, folder)) {
		pst_err_set(err, PST_EBUSY, "datastore %s is offline, or is not configured", job->datastore);
		return NULL;
	}
	rc = job->kind == BIN_RESTORE ? recycle_restore(folder, job->token, err) : remove_run(set, job, err);
	stores_unlock(set, job->datastore);
	stores_look(set, job->datastore);
	return rc < 0 ? NULL : json_object();
}
