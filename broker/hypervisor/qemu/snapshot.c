/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Snapshots inside the overlay: of disk and memory by QEMU's jobs where the machine runs, of the disk by qemu-img
 * where it does not. The record names them, before they are taken and until after they are gone. A revert starts a
 * QEMU of the size that the machine had then.
 */
#include "broker/hypervisor/qemu/instant.h"
#include "broker/hypervisor/qemu/qemu_priv.h"
#include "broker/hypervisor/qemu/tpm.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/disk/edit.h"
#include "broker/hypervisor/local/tree.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define JOB "puesto"
#define TAG_SIZE (MACHINE_NAME_SIZE + 2)

static struct qm_snapshot *find(struct qm_record *r, const char *name)
{
	for (size_t i = 0; i < r->snapshots_n; i++) {
		if (strcmp(r->snapshots[i].name, name) == 0)
			return &r->snapshots[i];
	}
	return NULL;
}

/* QEMU takes a number for the place in its list. */
static const char *tag(const char *name, char out[TAG_SIZE])
{
	snprintf(out, TAG_SIZE, "s-%s", name);
	return out;
}

/* The job's end: 1 when it has one, with its error in err if that is what it was. */
static int job_look(struct qm_op *op, struct pst_err *err)
{
	json_t *jobs = NULL, *job;
	int rc = qmp_call(op->qmp, "query-jobs", NULL, &jobs, op->end_ms, err);
	size_t i;

	json_array_foreach(jobs, i, job)
	{
		const char *id = pst_json_str(job, "id", 64), *status = pst_json_str(job, "status", 32),
			   *why = pst_json_str(job, "error", 300);

		if (rc != 0 || !id || strcmp(id, JOB) != 0 || !status || strcmp(status, "concluded") != 0)
			continue;
		rc = why ? pst_err_set(err, strstr(why, "No space") ? PST_ENOSPC : PST_EIO, "QEMU: %s", why) : 1;
	}
	json_decref(jobs);
	return rc;
}

/* arguments is taken. */
static int job_run(struct qm_op *op, const char *command, json_t *arguments, struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;
	int rc = qmp_call(op->qmp, command, arguments, NULL, op->end_ms, err);

	if (rc < 0)
		return rc;
	while ((rc = job_look(op, err)) == 0) {
		rc = qmp_wait(op->qmp, "JOB_STATUS_CHANGE", op->end_ms, err);
		if (rc < 0)
			return rc;
	}
	(void)qmp_call(op->qmp, "job-dismiss", json_pack("{s:s}", "id", JOB), NULL, op->end_ms, &ignored);
	return rc < 0 ? rc : 0;
}

static int live(struct qm_op *op, const char *command, const char *name, bool with_memory, struct pst_err *err)
{
	char text[TAG_SIZE];
	json_t *arguments = json_pack("{s:s,s:s,s:[s]}", "job-id", JOB, "tag", tag(name, text), "devices", "disk");

	if (with_memory && arguments)
		json_object_set_new(arguments, "vmstate", json_string("disk"));
	return job_run(op, command, arguments, err);
}

static int at_rest(struct qm_op *op, enum edit_snapshot how, const char *name, struct pst_err *err)
{
	char path[PATH_MAX], text[TAG_SIZE];
	uint64_t now = pst_mono_ms();
	struct edit_params p = { .program = op->q->set.image_program,
		.path = path,
		.cancel_fd = op->cancel_fd,
		.timeout_ms = (uint32_t)(op->end_ms > now ? op->end_ms - now : 1) };

	return qm_path(op->q, op->desktop, "disk.qcow2", path, err) < 0 ? err->code : edit_snapshot(&p, how, tag(name, text), err);
}

static int remove_one(struct qm_op *op, const char *name, struct pst_err *err)
{
	if (qm_tpm_drop(op, name, err) < 0)
		return err->code;
	if (!qm_machine_runs(op))
		return at_rest(op, EDIT_SNAPSHOT_DELETE, name, err);
	return qm_op_monitor(op, err) < 0 ? err->code : live(op, "snapshot-delete", name, false, err);
}

static int take_one(struct qm_op *op, struct qm_snapshot *s, struct pst_err *err)
{
	if (!s->has_memory)
		return qm_tpm_keep(op, s->name, err) < 0 ? err->code : at_rest(op, EDIT_SNAPSHOT_TAKE, s->name, err);
	if (qm_op_monitor(op, err) < 0 || instant_whole(op->qmp, op->end_ms, err) < 0)
		return err->code;
	return live(op, "snapshot-save", s->name, true, err);
}

static int announce(struct qm_op *op, struct qm_record *r, const char *name, struct qm_snapshot **ret, struct pst_err *err)
{
	struct qm_snapshot *s;

	if (r->snapshots_n == QM_SNAPSHOTS_MAX)
		return pst_err_set(err, PST_ELIMIT, "desktop %s has %d snapshots already: remove one first", op->desktop, QM_SNAPSHOTS_MAX);
	s = &r->snapshots[r->snapshots_n++];
	*s = (struct qm_snapshot){
		.has_memory = qm_machine_runs(op), .memory_mb = r->request.memory_mb, .cpu_percent = r->request.cpu_percent
	};
	pst_strlcpy(s->name, sizeof(s->name), name);
	*ret = s;
	return qm_record_save(op->q, r, err);
}

static int strike(struct qm_op *op, struct qm_record *r, struct qm_snapshot *s, struct pst_err *err)
{
	size_t i = (size_t)(s - r->snapshots);

	memmove(s, s + 1, (r->snapshots_n - i - 1) * sizeof(*s));
	r->snapshots_n--;
	return qm_record_save(op->q, r, err);
}

int qm_snapshot_take(struct qm_op *op, const char *name, struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;
	struct qm_snapshot *s;
	struct qm_record r;

	if (qm_need(op, &r, err) < 0)
		return err->code;
	s = find(&r, name);
	if (s && s->is_whole)
		return 0;
	if (r.phase == QM_SUSPENDED)
		return pst_err_set(err, PST_EBUSY, "desktop %s is suspended: start it or switch it off for a snapshot", op->desktop);
	if (s) {
		(void)remove_one(op, name, &ignored); /* what an interrupted try may have left */
		if (strike(op, &r, s, err) < 0)
			return err->code;
	}
	if (announce(op, &r, name, &s, err) < 0 || qm_op_step(op, err, "taking snapshot %s", name) < 0 || take_one(op, s, err) < 0) {
		if (!atomic_load(&op->is_cancelled) && (s = find(&r, name)) && qm_tpm_drop(op, name, &ignored) == 0)
			(void)strike(op, &r, s, &ignored);
		return err->code;
	}
	s->is_whole = true;
	return qm_record_save(op->q, &r, err);
}

/* Into a QEMU of the size that it was taken with, which then runs. */
static int revert_running(struct qm_op *op, struct qm_record *r, const struct qm_snapshot *s, struct pst_err *err)
{
	if (qm_machine_start(op, r, QM_PAUSED, err) < 0 || qm_disk_forget(op, err) < 0 || qm_op_step(op, err, "going back to %s", s->name) < 0 ||
		live(op, "snapshot-load", s->name, true, err) < 0 || qmp_call(op->qmp, "cont", NULL, NULL, op->end_ms, err) < 0)
		return err->code;
	r->phase = QM_RUNNING;
	if (qm_record_save(op->q, r, err) < 0)
		return err->code;
	watches_know(op->q->watches, op->desktop);
	return 0;
}

int qm_snapshot_revert(struct qm_op *op, const char *name, struct pst_err *err)
{
	char path[PATH_MAX];
	struct qm_snapshot *s;
	struct qm_record r;

	if (qm_need(op, &r, err) < 0 || qm_path(op->q, op->desktop, "memory", path, err) < 0)
		return err->code;
	s = find(&r, name);
	if (!s || !s->is_whole)
		return pst_err_set(err, PST_ENOTFOUND, "desktop %s has no snapshot %s", op->desktop, name);
	r.phase = QM_STOPPED;
	r.request.memory_mb = s->memory_mb;
	r.request.cpu_percent = s->cpu_percent;
	if (qm_op_step(op, err, "ending what runs") < 0 || qm_record_save(op->q, &r, err) < 0 || qm_machine_end(op, true, err) < 0 ||
		tree_remove(path, err) < 0)
		return err->code;
	if (s->has_memory)
		return revert_running(op, &r, s, err);
	watches_forget(op->q->watches, op->desktop);
	if (qm_disk_forget(op, err) < 0 || at_rest(op, EDIT_SNAPSHOT_APPLY, name, err) < 0)
		return err->code;
	return qm_tpm_return(op, r.uid, name, err);
}

int qm_snapshot_drop(struct qm_op *op, const char *name, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	struct qm_snapshot *s;
	struct qm_record r;
	bool was_whole;
	int rc;

	if (qm_need(op, &r, err) < 0)
		return err->code;
	s = find(&r, name);
	if (!s)
		return 0;
	was_whole = s->is_whole;
	s->is_whole = false;
	if (qm_record_save(op->q, &r, err) < 0 || qm_op_step(op, err, "removing snapshot %s", name) < 0)
		return err->code;
	rc = remove_one(op, name, &why);
	/* One that was never finished may not be there; the same after a removal that was interrupted. */
	if (rc < 0 && was_whole) {
		*err = why;
		return rc;
	}
	return strike(op, &r, s, err);
}
