/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes one back-up. QEMU begins to note anew at the very moment at which its copy is taken; the older bitmap stays until the
 * back-up has its name, so whatever dies when, one of the two has all that is missing.
 */
#include "broker/hypervisor/backup/work.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/backup/blank.h"
#include "broker/hypervisor/backup/daemon.h"
#include "broker/hypervisor/backup/forget.h"
#include "broker/hypervisor/backup/target.h"
#include "broker/hypervisor/disk/info.h"
#include "broker/hypervisor/disk/seal.h"
#include "broker/hypervisor/disk/temp.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORK_MS (UINT64_C(24) * 3600 * 1000)

struct making {
	const struct backup_work *w;
	struct store_view store;
	struct driver_disk disk;
	struct note *notes; /* of this desktop, owned */
	size_t notes_n;
	struct { char path[PATH_MAX]; enum disk_format format; uint64_t size, allocated; } chain[DISK_CHAIN_MAX];
	size_t chain_n; /* the last one is golden; what that may stand on in turn is its own matter */
	struct backup_plan plan;
	struct note note;
	char staging[PATH_MAX], backing[QCOW2_BACKING_MAX + 1];
	struct blank_params blank;
	uint64_t noted; /* bytes, by the bitmap */
	int fd; /* of staging */
};

/* --- what there is ------------------------------------------------------------------------- */

static int on_file(unsigned depth, const char *path, const struct disk_info *info, void *arg)
{
	struct making *m = arg;

	pst_strlcpy(m->chain[depth].path, sizeof(m->chain[depth].path), path);
	m->chain[depth].format = info->format;
	m->chain[depth].size = info->size;
	m->chain[depth].allocated = info->allocated;
	m->chain_n = depth + 1;
	return 0;
}

/* The header is the guest's to spoil: a disk that stands on anything but its golden disk is not touched. */
static int disk_find(struct making *m, struct pst_err *err)
{
	const struct backup_order *o = m->w->o;

	if (driver_disk(m->w->driver, o->desktop, &m->disk, err) < 0 ||
		disk_chain_walk(m->disk.path, DISK_QCOW2, NULL, on_file, m, NULL, err) < 0)
		return err->code;
	while (m->chain_n > 1 && strcmp(m->chain[m->chain_n - 1].path, m->disk.base) != 0)
		m->chain_n--;
	if (m->chain_n < 2)
		return pst_err_set(err, PST_EDENIED, "the desktop's disk does not stand on its image %.200s", m->disk.base);
	/* A booted parent is sealed; another desktop's disk, or a back-up, is not. */
	for (size_t i = 1; i + 1 < m->chain_n; i++) {
		if (seal_verify(m->chain[i].path, err) < 0)
			return pst_err_wrap(err, "what the desktop's disk stands on");
	}
	return 0;
}

static const struct note *youngest(const struct making *m)
{
	return m->notes_n ? &m->notes[m->notes_n - 1] : NULL;
}

/* What notes the changes since the youngest one, if anything does. */
static struct backup_disk disk_state(const struct making *m, const struct blocks_disk *d, uint64_t *ret_bytes)
{
	struct backup_disk state = { .size = d->size };
	const struct note *last = youngest(m);

	for (size_t i = 0; last && i < d->bitmaps_n; i++) {
		if (d->bitmaps[i].id != last->id)
			continue;
		state.bitmap_of = last->id;
		state.bitmap_is_whole = !d->bitmaps[i].is_broken;
		*ret_bytes = d->bitmaps[i].bytes;
	}
	return state;
}

static int plan_make(struct making *m, const struct backup_disk *state, struct pst_err *err)
{
	struct backup *backups = pst_zalloc(BACKUPS_MAX, sizeof(*backups));
	bool *expired = pst_zalloc(BACKUPS_MAX, sizeof(*expired));
	int rc = backups && expired ? 0 : pst_err_set(err, PST_ENOMEM, "no memory");

	if (rc == 0) {
		work_backups(m->notes, m->notes_n, backups);
		rc = backup_plan_make(&m->w->o->policy, backups, m->notes_n, state, m->note.made_ms, &m->plan, expired);
		if (rc < 0)
			pst_err_set(err, rc, "the list of its back-ups is impossible: %s", pst_strerror(rc));
	}
	free(backups);
	free(expired);
	return rc;
}

/* --- copying ---------------------------------------------------------------------------------- */

static uint64_t bytes_needed(const struct making *m)
{
	uint64_t bytes = 0;

	if (m->plan.kind == BACKUP_INCREMENTAL)
		return m->noted;
	for (size_t i = 0; i + 1 < m->chain_n; i++)
		bytes += m->chain[i].allocated;
	return bytes;
}

static int room_check(const struct making *m, uint64_t bytes, struct pst_err *err)
{
	struct datastore_space space;
	uint64_t room;

	if (datastore_measure(m->store.s.path, &space, err) < 0)
		return err->code;
	room = space.free - PST_MIN(space.free, m->store.s.keeps_free);
	if (bytes <= room)
		return 0;
	return pst_err_set(err, PST_ENOSPC, "datastore %s has room for %" PRIu64 " MB, and the back-up may need %" PRIu64 " MB: make room, or keep fewer",
		m->store.s.name, room >> 20, bytes >> 20);
}

static void backing_choose(struct making *m)
{
	const struct note *last = youngest(m);
	char parent[NOTE_ID_SIZE];

	if (m->plan.kind == BACKUP_FULL) {
		pst_strlcpy(m->backing, sizeof(m->backing), m->chain[m->chain_n - 1].path);
		m->blank.format = m->chain[m->chain_n - 1].format;
		return;
	}
	note_id_text(last->id, parent);
	snprintf(m->backing, sizeof(m->backing), "../%s/disk.qcow2", parent);
	m->blank.format = DISK_QCOW2;
}

/* Beside the disk, where an interrupted try may have left one. */
static int staging_make(struct making *m, uint64_t bytes, struct pst_err *err)
{
	char folder[PATH_MAX], name[TEMP_SIZE];

	pst_strlcpy(folder, sizeof(folder), m->disk.path);
	*strrchr(folder, '/') = '\0';
	if (temp_sweep(folder, NULL, err) < 0 || temp_name("backup", name, err) < 0 || path_make(m->staging, err, "%s/%s", folder, name) < 0)
		return err->code;
	backing_choose(m);
	m->blank.path = m->staging;
	m->blank.size = m->note.disk_size;
	m->blank.backing = m->backing;
	m->blank.bytes = bytes;
	m->fd = blank_make(&m->blank, err);
	return m->fd < 0 ? m->fd : 0;
}

/* What lies between the golden disk and the desktop's own file (a booted parent's) does not change any more. */
static int between_copy(struct making *m, struct pst_err *err)
{
	for (size_t i = m->chain_n - 1; i-- > 1;) {
		if (work_layer(m->w, m->chain[i].path, m->fd, m->staging, err) < 0)
			return err->code;
	}
	return 0;
}

static int copy(struct making *m, const struct blocks *b, struct blocks_disk *d, struct pst_err *err)
{
	bool is_full = m->plan.kind == BACKUP_FULL;
	struct blocks_job job = { .fd = m->disk.is_open ? m->fd : -1, .path = m->staging, .since = is_full ? 0 : m->plan.parent,
		.notes = m->note.id };

	if (blocks_clear(b, d, job.since, err) < 0)
		return err->code;
	m->note.made_ms = PST_MAX(pst_wall_ms(), m->note.made_ms);
	return work_job(m->w, b, d, &job, "copying", err);
}

/* --- in two talks: what is there, and, when the file is made that it may write to, the job -------------- */

static int on_ask(void *arg, const json_t *commands, int fd, json_t **ret, struct pst_err *err)
{
	const struct making *m = arg;

	return driver_disk_ask(m->w->driver, m->w->o->desktop, commands, fd, ret, err);
}

static int talk(struct making *m, int (*on_talk)(void *arg, const struct blocks *b, struct pst_err *err), struct pst_err *err)
{
	struct blocks running = { .ask = on_ask, .arg = m };
	struct daemon_params p = { .program = backup_daemon(), .disk = m->disk.path, .target_fd = m->fd, .file_max = UINT64_MAX,
		.deadline_ms = pst_mono_ms() + WORK_MS, .talk = on_talk, .arg = m };

	return m->disk.is_open ? on_talk(m, &running, err) : daemon_run(&p, err);
}

static int on_look(void *arg, const struct blocks *b, struct pst_err *err)
{
	struct making *m = arg;
	struct backup_disk state;
	struct blocks_disk d;

	if (blocks_look(b, m->disk.path, &d, err) < 0)
		return err->code;
	state = disk_state(m, &d, &m->noted);
	m->note.disk_size = d.size;
	return plan_make(m, &state, err);
}

static int on_copy(void *arg, const struct blocks *b, struct pst_err *err)
{
	struct making *m = arg;
	struct blocks_disk d;

	return blocks_look(b, m->disk.path, &d, err) < 0 ? err->code : copy(m, b, &d, err);
}

/* --- the whole ------------------------------------------------------------------------------------- */

static bool on_put(void *arg, uint32_t basis_points)
{
	const struct backup_work *w = arg;

	w->tell(w->arg, "storing", basis_points / 100);
	return !work_is_cancelled(w);
}

static void note_fill(struct making *m)
{
	const struct backup_order *o = m->w->o;
	struct note *n = &m->note;

	n->id = backup_work_id(o->task);
	n->made_ms = pst_wall_ms();
	/* A clock that was set back: a chain's times rise all the same. */
	if (youngest(m) && n->made_ms <= youngest(m)->made_ms)
		n->made_ms = youngest(m)->made_ms + 1;
	n->base_format = m->chain[m->chain_n - 1].format;
	n->base_size = m->chain[m->chain_n - 1].size;
	pst_strlcpy(n->base, sizeof(n->base), m->chain[m->chain_n - 1].path);
	pst_strlcpy(n->desktop, sizeof(n->desktop), o->desktop);
	pst_strlcpy(n->name, sizeof(n->name), o->name);
	pst_strlcpy(n->pool, sizeof(n->pool), o->pool);
	pst_strlcpy(n->user, sizeof(n->user), o->user);
	pst_strlcpy(n->image, sizeof(n->image), o->image);
	pst_strlcpy(n->version, sizeof(n->version), o->version);
}

static int plan_find(struct making *m, struct pst_err *err)
{
	if (disk_find(m, err) < 0)
		return err->code;
	note_fill(m);
	if (talk(m, on_look, err) < 0)
		return err->code;
	m->note.parent = m->plan.parent;
	return pst_strlcpy(m->note.reason, sizeof(m->note.reason), backup_reason_name(m->plan.reason));
}

/* UEFI's lie beside the disk, where the machine has any. */
static int variables_read(const struct making *m, struct target_variables *v, char **ret_data, struct pst_err *err)
{
	char path[PATH_MAX];

	if (path_make(path, err, "%.*s/variables", (int)(strrchr(m->disk.path, '/') - m->disk.path), m->disk.path) < 0)
		return err->code;
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	if (pst_file_read(path, TARGET_VARIABLES_MAX, ret_data, &v->len, err) < 0)
		return pst_err_wrap(err, "the firmware's variables");
	v->data = *ret_data;
	return 0;
}

static int make(struct making *m, struct pst_err *err)
{
	struct target_variables v = { .data = NULL };
	uint64_t bytes = bytes_needed(m);
	char *data = NULL;
	int rc;

	/* One after the other: of two daemons each would take the new file for its own. */
	if (room_check(m, bytes, err) < 0 || staging_make(m, bytes, err) < 0 || (m->plan.kind == BACKUP_FULL && between_copy(m, err) < 0) ||
		talk(m, on_copy, err) < 0 ||
		blank_finish(&m->blank, m->fd, err) < 0 || variables_read(m, &v, &data, err) < 0)
		return err->code;
	rc = target_put(m->store.s.path, &m->note, m->fd, &v, on_put, (void *)(uintptr_t)m->w, err);
	free(data);
	return rc;
}

static void expire(struct making *m, struct backup_result *ret)
{
	struct backup *backups = pst_zalloc(BACKUPS_MAX, sizeof(*backups));
	bool *expired = pst_zalloc(BACKUPS_MAX, sizeof(*expired));
	const struct backup_disk none = { .size = m->note.disk_size };
	struct pst_err err = PST_ERR_INIT;
	struct note *notes = NULL;
	struct backup_plan plan;
	size_t n = 0;

	if (backups && expired && target_list(m->store.s.path, m->w->o->desktop, &notes, &n, &err) == 0) {
		work_backups(notes, n, backups);
		if (backup_plan_make(&m->w->o->policy, backups, n, &none, pst_wall_ms(), &plan, expired) < 0)
			n = 0;
	}
	for (size_t i = n; i-- > 0 && err.code == 0;) {
		if (expired[i] && target_remove(m->store.s.path, m->w->o->desktop, notes[i].id, &err) == 0)
			ret->removed[ret->removed_n++] = notes[i].id;
	}
	if (err.code < 0)
		pst_warn("what is over of the back-ups stays desktop=%s: %s", m->w->o->desktop, err.text);
	free(notes);
	free(backups);
	free(expired);
}

/* A first try has made it, and was not heard. */
static bool is_made(struct making *m)
{
	uint64_t id = backup_work_id(m->w->o->task);

	for (size_t i = 0; i < m->notes_n; i++) {
		if (m->notes[i].id != id)
			continue;
		m->note = m->notes[i];
		return true;
	}
	return false;
}

/* A list has a ceiling, and one with more of them would be a list with gaps: only what is over goes now. */
static int number_check(struct making *m, struct backup_result *ret, struct pst_err *err)
{
	expire(m, ret);
	if (ret->removed_n > 0)
		return 0; /* the next one has a place */
	return pst_err_set(err, PST_ELIMIT, "the desktop has %d back-ups, which is as many as there may be: keep them for fewer days, or make fewer", BACKUPS_MAX);
}

static int run(struct making *m, struct backup_result *ret, struct pst_err *err)
{
	bool was_made;

	if (work_store(m->w, &m->store, err) < 0 || target_list(m->store.s.path, m->w->o->desktop, &m->notes, &m->notes_n, err) < 0)
		return err->code;
	pst_strlcpy(ret->datastore, sizeof(ret->datastore), m->store.s.name);
	was_made = is_made(m);
	if (!was_made && m->notes_n == BACKUPS_MAX)
		return number_check(m, ret, err);
	if (!was_made && plan_find(m, err) < 0)
		return err->code;
	if (!was_made && m->plan.kind == BACKUP_NONE)
		m->note.id = 0;
	else if (!was_made && make(m, err) < 0)
		return err->code;
	ret->note = m->note;
	expire(m, ret);
	stores_look(m->w->set, m->store.s.name);
	return 0;
}

int work_make(const struct backup_work *w, struct backup_result *ret, struct pst_err *err)
{
	struct making *m = pst_zalloc(1, sizeof(*m));
	int rc;

	if (!m)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	m->w = w;
	m->fd = -1;
	rc = run(m, ret, err);
	if (m->staging[0])
		(void)unlink(m->staging);
	pst_fd_close(&m->fd);
	free(m->notes);
	free(m);
	return rc;
}
