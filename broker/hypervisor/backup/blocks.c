/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words for QEMU about its disks, and its answers, which are data. */
#include "broker/hypervisor/backup/blocks.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define JOB "puesto-backup"
#define TARGET "puesto-backup-target"
#define FDSET 7411 /* a number that nobody else takes */
#define PREFIX "puesto-"
#define NAME_SIZE 32
#define CANCEL_TRIES 300 /* of 100 ms: a cancelled job ends with the request that it is at */

static const char *bitmap_name(uint64_t id, char out[NAME_SIZE])
{
	snprintf(out, NAME_SIZE, PREFIX "%016" PRIx64, id);
	return out;
}

/* 0 for one that is not ours. */
static uint64_t bitmap_id(const char *name)
{
	char again[NAME_SIZE];
	uint64_t id = 0;

	if (sscanf(name, PREFIX "%16" SCNx64, &id) != 1 || strcmp(bitmap_name(id, again), name) != 0)
		return 0;
	return id;
}

static void add(json_t *commands, const char *execute, json_t *arguments)
{
	json_array_append_new(commands, json_pack("{s:s, s:o}", "execute", execute, "arguments", arguments));
}

/* Takes commands. */
static int ask(const struct blocks *b, json_t *commands, int fd, json_t **ret, struct pst_err *err)
{
	int rc = b->ask(b->arg, commands, fd, ret, err);

	json_decref(commands);
	return rc;
}

static int ask_one(const struct blocks *b, const char *execute, json_t *arguments, json_t **ret, struct pst_err *err)
{
	json_t *commands = json_array(), *all = NULL;
	int rc;

	add(commands, execute, arguments);
	rc = ask(b, commands, -1, &all, err);
	if (rc == 0 && ret)
		*ret = json_incref(json_array_get(all, 0));
	json_decref(all);
	return rc;
}

/* For what may be so already. */
static void try_one(const struct blocks *b, const char *execute, json_t *arguments)
{
	struct pst_err ignored = PST_ERR_INIT;

	(void)ask_one(b, execute, arguments, NULL, &ignored);
}

/* --- what there is ------------------------------------------------------------------ */

static void bitmaps_read(const json_t *node, struct blocks_disk *d)
{
	json_t *o;
	size_t i;

	json_array_foreach(json_object_get(node, "dirty-bitmaps"), i, o) {
		const char *name = pst_json_str(o, "name", NAME_SIZE - 1);
		uint64_t id = name ? bitmap_id(name) : 0;

		if (id && d->bitmaps_n < BLOCKS_BITMAPS_MAX)
			d->bitmaps[d->bitmaps_n++] = (struct blocks_bitmap){ .id = id, .bytes = (uint64_t)pst_json_int(o, "count", 0, INT64_MAX, 0),
				.is_broken = pst_json_bool(o, "inconsistent", false) || !pst_json_bool(o, "recording", false) };
	}
}

static bool is_disk(const json_t *node, const char *path)
{
	const char *driver = pst_json_str(node, "drv", 64), *file = pst_json_str(node, "file", 4096);

	return driver && file && strcmp(driver, "qcow2") == 0 && strcmp(file, path) == 0 && !pst_json_bool(node, "ro", true);
}

int blocks_look(const struct blocks *b, const char *path, struct blocks_disk *ret, struct pst_err *err)
{
	json_t *nodes = NULL, *node;
	struct blocks_disk d = { .size = 0 };
	size_t i;

	if (ask_one(b, "query-named-block-nodes", json_pack("{s:b}", "flat", 1), &nodes, err) < 0)
		return err->code;
	json_array_foreach(nodes, i, node) {
		const char *name = pst_json_str(node, "node-name", BLOCKS_NODE_SIZE - 1);

		if (!name || d.node[0] || !is_disk(node, path))
			continue;
		pst_strlcpy(d.node, sizeof(d.node), name);
		d.size = (uint64_t)pst_json_int(json_object_get(node, "image"), "virtual-size", 0, INT64_MAX, 0);
		bitmaps_read(node, &d);
	}
	json_decref(nodes);
	if (!d.node[0] || d.size == 0)
		return pst_err_set(err, PST_ENOTFOUND, "QEMU does not have %.200s open as a qcow2 disk", path);
	*ret = d;
	return 0;
}

/* --- the job -------------------------------------------------------------------------- */

/* Its state; false: there is none. words: its error, or "". */
static int job_find(const struct blocks *b, json_t **ret, struct pst_err *err)
{
	json_t *jobs = NULL, *job;
	size_t i;

	*ret = NULL;
	if (ask_one(b, "query-jobs", json_object(), &jobs, err) < 0)
		return err->code;
	json_array_foreach(jobs, i, job) {
		const char *id = pst_json_str(job, "id", 64);

		if (id && strcmp(id, JOB) == 0)
			*ret = json_incref(job);
	}
	json_decref(jobs);
	return 0;
}

static bool is_concluded(const json_t *job)
{
	const char *status = pst_json_str(job, "status", 32);

	return status && strcmp(status, "concluded") == 0;
}

static int job_end(const struct blocks *b, struct pst_err *err)
{
	const struct timespec pause = { .tv_nsec = 100000000 };

	for (int i = 0; i < CANCEL_TRIES; i++) {
		json_t *job;
		bool is_over;

		if (job_find(b, &job, err) < 0)
			return err->code;
		if (!job)
			return 0;
		is_over = is_concluded(job);
		json_decref(job);
		if (i == 0 && !is_over)
			try_one(b, "job-cancel", json_pack("{s:s}", "id", JOB));
		if (is_over)
			return ask_one(b, "job-dismiss", json_pack("{s:s}", "id", JOB), NULL, err);
		nanosleep(&pause, NULL);
	}
	return pst_err_set(err, PST_ETIMEOUT, "QEMU does not end an earlier back-up");
}

static int bitmap_remove(const struct blocks *b, const struct blocks_disk *d, uint64_t id, struct pst_err *err)
{
	char name[NAME_SIZE];

	return ask_one(b, "block-dirty-bitmap-remove", json_pack("{s:s, s:s}", "node", d->node, "name", bitmap_name(id, name)), NULL, err);
}

int blocks_release(const struct blocks *b, struct pst_err *err)
{
	if (job_end(b, err) < 0)
		return err->code;
	try_one(b, "blockdev-del", json_pack("{s:s}", "node-name", TARGET));
	try_one(b, "remove-fd", json_pack("{s:i}", "fdset-id", FDSET));
	return 0;
}

int blocks_clear(const struct blocks *b, struct blocks_disk *d, uint64_t keep, struct pst_err *err)
{
	size_t n = 0;

	if (blocks_release(b, err) < 0)
		return err->code;
	for (size_t i = 0; i < d->bitmaps_n; i++) {
		if (d->bitmaps[i].id == keep && !d->bitmaps[i].is_broken)
			d->bitmaps[n++] = d->bitmaps[i];
		else if (bitmap_remove(b, d, d->bitmaps[i].id, err) < 0)
			return err->code;
	}
	d->bitmaps_n = n;
	return 0;
}

static json_t *action(const char *type, json_t *data)
{
	return json_pack("{s:s, s:o}", "type", type, "data", data);
}

/* Both at the same moment: nothing that is written falls between two back-ups. */
static json_t *actions_make(const struct blocks_disk *d, const struct blocks_job *j)
{
	json_t *actions = json_array(), *backup = json_pack("{s:s, s:s, s:s, s:s, s:b}", "job-id", JOB, "device", d->node, "target", TARGET,
		"sync", j->since ? "bitmap" : "top", "auto-dismiss", 0);
	char name[NAME_SIZE];

	if (j->notes)
		json_array_append_new(actions, action("block-dirty-bitmap-add", json_pack("{s:s, s:s, s:b}", "node", d->node, "name",
			bitmap_name(j->notes, name), "persistent", 1)));
	if (j->since) {
		json_object_set_new(backup, "bitmap", json_string(bitmap_name(j->since, name)));
		json_object_set_new(backup, "bitmap-mode", json_string("never"));
	}
	json_array_append_new(actions, action("blockdev-backup", backup));
	return actions;
}

int blocks_begin(const struct blocks *b, const struct blocks_disk *d, const struct blocks_job *j, struct pst_err *err)
{
	json_t *commands = json_array();
	char file[64];

	snprintf(file, sizeof(file), "/dev/fdset/%d", FDSET);
	if (j->fd >= 0)
		add(commands, "add-fd", json_pack("{s:i}", "fdset-id", FDSET));
	/* Its own backing file stays closed: only what is copied comes into it. */
	add(commands, "blockdev-add", json_pack("{s:s, s:s, s:n, s:{s:s, s:s}}", "driver", "qcow2", "node-name", TARGET, "backing", "file",
		"driver", "file", "filename", j->fd >= 0 ? file : j->path));
	add(commands, "transaction", json_pack("{s:o}", "actions", actions_make(d, j)));
	return ask(b, commands, j->fd, NULL, err);
}

int blocks_step(const struct blocks *b, uint64_t *ret_done, uint64_t *ret_total, struct pst_err *err)
{
	const char *why;
	json_t *job;
	int rc;

	if (job_find(b, &job, err) < 0)
		return err->code;
	if (!job)
		return pst_err_set(err, PST_ENOTFOUND, "QEMU's job of the back-up is not there any more");
	*ret_done = (uint64_t)pst_json_int(job, "current-progress", 0, INT64_MAX, 0);
	*ret_total = (uint64_t)pst_json_int(job, "total-progress", 0, INT64_MAX, 0);
	/* Whatever stands there: without the key alone it ended well. */
	why = pst_json_str(job, "error", 64u << 10);
	rc = is_concluded(job);
	if (rc && json_object_get(job, "error"))
		rc = pst_err_set(err, why && strstr(why, "No space") ? PST_ENOSPC : PST_EIO, "QEMU: %.300s", why ? why : "an error that is no text");
	json_decref(job);
	return rc;
}
