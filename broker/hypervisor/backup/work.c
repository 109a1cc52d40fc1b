/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Orders of the broker, and what making and restoring have in common. */
#include "broker/hypervisor/backup/work.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/backup/daemon.h"
#include "broker/hypervisor/backup/forget.h"
#include "broker/hypervisor/backup/target.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define WORK_MS (UINT64_C(24) * 3600 * 1000)
#define LOOK_MS 500 /* between two looks at QEMU's job */
#define HOUR_MS (INT64_C(3600) * 1000)
#define DAY_MS (24 * HOUR_MS)

static const char *const kinds[] = {
	[WORK_BACKUP] = "backup",
	[WORK_RESTORE] = "restore",
	[WORK_REBUILD] = "rebuild",
	[WORK_REMOVE] = "remove",
};

/* --- orders ------------------------------------------------------------------------------ */

static int uuid_read(const json_t *msg, const char *key, char out[PST_UUID_SIZE], struct pst_err *err)
{
	struct pst_uuid u;
	const char *text;

	if (pst_json_need_str(msg, key, PST_UUID_SIZE - 1, &text, err) < 0)
		return err->code;
	if (pst_uuid_parse(text, &u) < 0)
		return pst_err_set(err, PST_EINVAL, "%s: \"%s\" is no UUID", key, text);
	pst_uuid_text(&u, out);
	return 0;
}

static int text_read(const json_t *msg, const char *key, char *out, size_t size, struct pst_err *err)
{
	const char *text;

	if (pst_json_opt_str(msg, key, size - 1, "", &text, err) < 0)
		return err->code;
	return pst_strlcpy(out, size, text);
}

static int policy_read(const json_t *msg, struct backup_policy *p, struct pst_err *err)
{
	int64_t hours, full_days, keep_days, chain;

	if (pst_json_opt_int(msg, "every_h", 0, 24 * 366, 0, &hours, err) < 0 ||
		pst_json_opt_int(msg, "full_every_d", 1, 366, 7, &full_days, err) < 0 ||
		pst_json_opt_int(msg, "keep_d", 1, 3660, 30, &keep_days, err) < 0 || pst_json_opt_int(msg, "chain", 1, 100, 7, &chain, err) < 0)
		return err->code;
	*p = (struct backup_policy){ .every_ms = hours * HOUR_MS, .full_every_ms = full_days * DAY_MS, .chain_max = (uint32_t)chain,
		.keep_ms = keep_days * DAY_MS, .keep_chains = 1 };
	return 0;
}

static int names_read(const json_t *msg, struct backup_order *o, struct pst_err *err)
{
	if (text_read(msg, "name", o->name, sizeof(o->name), err) < 0 || text_read(msg, "pool", o->pool, sizeof(o->pool), err) < 0 ||
		text_read(msg, "user", o->user, sizeof(o->user), err) < 0 || text_read(msg, "image", o->image, sizeof(o->image), err) < 0)
		return err->code;
	return text_read(msg, "version", o->version, sizeof(o->version), err);
}

static int kind_read(const json_t *msg, struct backup_order *o, struct pst_err *err)
{
	const char *kind, *id;

	if (pst_json_need_str(msg, "kind", 16, &kind, err) < 0 || pst_json_opt_str(msg, "backup", NOTE_ID_SIZE - 1, "", &id, err) < 0)
		return err->code;
	for (size_t i = 0; i < PST_ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i], kind) != 0)
			continue;
		o->kind = (enum backup_work_kind)i;
		o->id = note_id_parse(id);
		return o->id || o->kind == WORK_BACKUP ? 0 : pst_err_set(err, PST_EINVAL, "backup: \"%s\" is none", id);
	}
	return pst_err_set(err, PST_EINVAL, "kind: \"%s\" is not known", kind);
}

int backup_order_parse(const json_t *msg, struct backup_order *ret, struct pst_err *err)
{
	struct backup_order o;

	memset(&o, 0, sizeof(o));
	if (kind_read(msg, &o, err) < 0 || uuid_read(msg, "task", o.task, err) < 0 || uuid_read(msg, "desktop", o.desktop, err) < 0 ||
		text_read(msg, "provider", o.provider, sizeof(o.provider), err) < 0 ||
		text_read(msg, "datastore", o.datastore, sizeof(o.datastore), err) < 0 || text_read(msg, "base", o.base, sizeof(o.base), err) < 0 ||
		policy_read(msg, &o.policy, err) < 0 || names_read(msg, &o, err) < 0)
		return err->code;
	if (o.kind == WORK_REBUILD && o.base[0] != '/')
		return pst_err_set(err, PST_EINVAL, "base: the path of the version's golden disk is missing");
	*ret = o;
	return 0;
}

uint64_t backup_work_id(const char *task)
{
	struct pst_uuid u;
	uint64_t id = 0;

	PRE(pst_uuid_parse(task, &u) == 0);
	for (size_t i = 0; i < 8; i++)
		id = id << 8 | (u.b[i] ^ u.b[i + 8]);
	return id ? id : 1;
}

/* --- in common ------------------------------------------------------------------------------ */

bool work_is_cancelled(const struct backup_work *w)
{
	struct pollfd p = { .fd = w->cancel_fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

int work_store(const struct backup_work *w, struct store_view *ret, struct pst_err *err)
{
	const char *name = w->o->datastore;
	bool is_found = false;

	for (size_t i = 0; !is_found && stores_view(w->set, i, ret); i++)
		is_found = ret->s.is_backups && (!name[0] || strcmp(ret->s.name, name) == 0);
	if (!is_found && name[0])
		return pst_err_set(err, PST_ENOTFOUND, "there is no datastore %s for back-ups: provisioner.conf wants [datastore-%s] with role = backups", name, name);
	if (!is_found)
		return pst_err_set(err, PST_EUNSUPPORTED, "there is no datastore for back-ups: provisioner.conf wants one with role = backups");
	if (!ret->is_online)
		return pst_err_set(err, PST_EBUSY, "datastore %s is offline: %s", ret->s.name, ret->reason);
	return 0;
}

void work_backups(const struct note *notes, size_t n, struct backup *ret)
{
	for (size_t i = 0; i < n; i++)
		ret[i] = (struct backup){ .id = notes[i].id, .parent = notes[i].parent, .made_ms = notes[i].made_ms,
			.disk_size = notes[i].disk_size, .is_whole = true };
}

static int job_wait(const struct backup_work *w, const struct blocks *b, const char *step, struct pst_err *err)
{
	struct pollfd p = { .fd = w->cancel_fd, .events = POLLIN };
	uint64_t done = 0, total = 0, end_ms = pst_mono_ms() + WORK_MS;
	int rc;

	while ((rc = blocks_step(b, &done, &total, err)) == 0) {
		w->tell(w->arg, step, (unsigned)(total ? PST_MIN(done, total) * 100 / total : 0));
		if (poll(&p, 1, LOOK_MS) > 0)
			return pst_err_set(err, PST_ECLOSED, "it was cancelled");
		if (pst_mono_ms() > end_ms)
			return pst_err_set(err, PST_ETIMEOUT, "QEMU has not ended it in a day");
	}
	return rc < 0 ? rc : 0;
}

int work_job(const struct backup_work *w, const struct blocks *b, const struct blocks_disk *disk, const struct blocks_job *job,
	const char *step, struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;
	int rc;

	if (work_is_cancelled(w))
		return pst_err_set(err, PST_ECLOSED, "it was cancelled");
	rc = blocks_begin(b, disk, job, err);
	if (rc == 0)
		rc = job_wait(w, b, step, err);
	if (rc == 0)
		return blocks_release(b, err);
	(void)blocks_release(b, &ignored);
	return rc;
}

struct layer {
	const struct backup_work *w;
	const char *target;
};

static int on_layer(void *arg, const struct blocks *b, struct pst_err *err)
{
	static const struct blocks_disk disk = { .node = "disk" };
	const struct layer *l = arg;
	struct blocks_job job = { .fd = -1, .path = l->target };

	return work_job(l->w, b, &disk, &job, "copying", err);
}

int work_layer(const struct backup_work *w, const char *layer, int target_fd, const char *target, struct pst_err *err)
{
	struct layer l = { .w = w, .target = target };
	struct daemon_params p = { .program = backup_daemon(), .disk = layer, .is_alone = true, .target_fd = target_fd, .file_max = UINT64_MAX,
		.deadline_ms = pst_mono_ms() + WORK_MS, .talk = on_layer, .arg = &l };

	return daemon_run(&p, err);
}

/* --- removal ----------------------------------------------------------------------------------- */

static size_t index_of(const struct note *notes, size_t n, uint64_t id)
{
	size_t i = 0;

	while (i < n && notes[i].id != id)
		i++;
	return i;
}

/* The first one that is there of those that a back-up hangs on; n when it is not there itself. */
static size_t top_of(const struct note *notes, size_t n, uint64_t id)
{
	size_t top = n;

	for (size_t steps = 0, at = index_of(notes, n, id); at < n && steps <= n; steps++) {
		top = at;
		at = index_of(notes, n, notes[at].parent);
	}
	return top;
}

static int one_remove(const struct backup_work *w, const char *folder, uint64_t id, struct backup_result *ret, struct pst_err *err)
{
	int rc = target_remove(folder, w->o->desktop, id, err);

	if (rc == 0)
		ret->removed[ret->removed_n++] = id;
	return rc;
}

static int chain_remove(const struct backup_work *w, struct backup_result *ret, struct pst_err *err)
{
	struct store_view store;
	struct note *notes = NULL;
	size_t n = 0, top, asked;
	int rc = 0;

	if (work_store(w, &store, err) < 0 || target_list(store.s.path, w->o->desktop, &notes, &n, err) < 0)
		return err->code;
	top = top_of(notes, n, w->o->id);
	asked = index_of(notes, n, w->o->id);
	/* Those after it, the latest first; then from the full one on. By it, which is the last, a try after a crash finds the rest. */
	for (size_t i = n; i-- > asked + 1 && rc == 0;) {
		if (top_of(notes, n, notes[i].id) == top)
			rc = one_remove(w, store.s.path, notes[i].id, ret, err);
	}
	for (size_t i = 0; i < asked && asked < n && rc == 0; i++) {
		if (top_of(notes, n, notes[i].id) == top)
			rc = one_remove(w, store.s.path, notes[i].id, ret, err);
	}
	free(notes);
	/* One whose files are not there, or cannot be read, is gone all the same. */
	if (rc == 0)
		rc = one_remove(w, store.s.path, w->o->id, ret, err);
	pst_strlcpy(ret->datastore, sizeof(ret->datastore), store.s.name);
	return rc;
}

int backup_work_run(const struct backup_work *w, struct backup_result *ret, struct pst_err *err)
{
	if (w->o->kind == WORK_BACKUP)
		return work_make(w, ret, err);
	return w->o->kind == WORK_REMOVE ? chain_remove(w, ret, err) : work_restore(w, err);
}
