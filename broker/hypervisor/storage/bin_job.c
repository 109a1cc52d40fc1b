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
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/storage/bins.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
	const char *token; /* of the one that is looked for */
	json_t *items;
	bool is_provider; /* its own folder: a desktop in it has no way back */
};

static int disk_add(int fd, const char *path, const struct stat *st, enum disk_format format, void *arg, struct pst_err *err)
{
	uint64_t *bytes = arg;

	*bytes += (uint64_t)st->st_blocks * 512;
	return 0;
}

/* "images/IMAGE/VERSION", "personal/OWNER/DISK" or "desktops/MARK/UUID", as what it is for people. */
static const char *kind_of(const char *rest, bool is_provider, char *name, size_t size)
{
	char a[256], b[256], more;
	const char *slash = strrchr(rest, '/');
	struct pst_uuid u;

	if (sscanf(rest, "personal/%255[^/]/%255[^/]%c", a, b, &more) == 2) {
		snprintf(name, size, "%s/%s", a, b);
		return "personal";
	}
	if (sscanf(rest, "images/%255[^/]/%255[^/]%c", a, b, &more) == 2 && b[0] != '.') {
		snprintf(name, size, "%s %s", a, b);
		return "version";
	}
	pst_strlcpy(name, size, slash ? slash + 1 : rest);
	return !is_provider && pst_str_starts(rest, "desktops/") && pst_uuid_parse(name, &u) == 0 ? "desktop" : "other";
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
	kind = kind_of(rest + (*rest == '/'), bin->is_provider, name, sizeof(name));
	walk_disks(e->item, disk_add, &bytes, &ignored);
	json_array_append_new(bin->items, json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "datastore", bin->datastore, "token", e->token,
		"kind", kind, "name", name, "reason", e->reason, "removed_ms", (json_int_t)e->removed_ms, "until_ms", (json_int_t)e->until_ms,
		"bytes", (json_int_t)bytes));
	return 0;
}

/* The bin's lock is held. An own folder of which nothing was ever removed has no bin. */
static bool folder_list(struct bin *bin)
{
	struct pst_err err = PST_ERR_INIT;

	return recycle_list(bin->folder, entry_add, bin, &err) == 0 || (bin->is_provider && err.code == PST_ENOTFOUND);
}

static void bin_list(struct stores *set, const char *name, bool is_provider, json_t *items, json_t *unlisted)
{
	char folder[900];
	struct bin bin = { .datastore = name, .folder = folder, .items = items, .is_provider = is_provider };
	bool is_listed = bins_lock(set, name, folder);

	if (is_listed) {
		is_listed = folder_list(&bin);
		bins_unlock(set, name);
	}
	if (!is_listed)
		json_array_append_new(unlisted, json_string(name));
}

static json_t *list_run(struct stores *set)
{
	json_t *items = json_array(), *unlisted = json_array();
	struct bin_folder f;
	struct store_view v;

	for (size_t i = 0; stores_view(set, i, &v); i++) {
		if (!v.s.is_plain)
			bin_list(set, v.s.name, false, items, unlisted);
	}
	for (size_t i = 0; bins_view(i, &f); i++)
		bin_list(set, f.name, true, items, unlisted);
	return json_pack("{s:o, s:o}", "items", items, "unlisted", unlisted);
}

/* folder: of a bin that is locked. */
static int remove_run(struct stores *set, const struct bin_job *job, const char *folder, struct pst_err *err)
{
	const char *const *others;
	struct store_view v;
	int rc;

	if (!stores_view_named(set, job->datastore, &v) || v.s.is_plain)
		return recycle_end(folder, NULL, job->token, err);
	others = stores_others(set, job->datastore);
	rc = others ? store_type_of(&v.s)->end(&v.s, others, job->token, err) : pst_err_set(err, PST_ENOMEM, "no memory");
	free((void *)(uintptr_t)others);
	return rc;
}

/* A removal that was cut off has left its mark in the bin: with it, nobody could have the disk again. */
static int mark_forget(const struct recycle_entry *e, void *arg, struct pst_err *err)
{
	const struct bin *bin = arg;
	char path[PATH_MAX];

	if (strcmp(e->token, bin->token) != 0 || !pst_str_starts(e->path + strlen(bin->folder), "/personal/"))
		return 0;
	return path_make(path, err, "%s/holder", e->item) < 0 || (unlink(path) < 0 && errno != ENOENT) ? pst_err_sys(err, PST_EIO, errno, "%.200s", path) : 0;
}

static int restore_run(const struct bin_job *job, const char *folder, struct pst_err *err)
{
	struct bin bin = { .folder = folder, .token = job->token };
	int rc = recycle_list(folder, mark_forget, &bin, err);

	return rc < 0 ? rc : recycle_restore(folder, job->token, err);
}

json_t *bin_job_run(struct stores *set, const struct bin_job *job, struct pst_err *err)
{
	char folder[900];
	int rc;

	if (job->kind == BIN_LIST)
		return list_run(set);
	if (!bins_lock(set, job->datastore, folder)) {
		pst_err_set(err, PST_EBUSY, "datastore %s is offline, or is not configured", job->datastore);
		return NULL;
	}
	rc = job->kind == BIN_RESTORE ? restore_run(job, folder, err) : remove_run(set, job, folder, err);
	bins_unlock(set, job->datastore);
	stores_look(set, job->datastore);
	return rc < 0 ? NULL : json_object();
}
