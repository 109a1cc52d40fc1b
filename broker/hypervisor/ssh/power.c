/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is done with a machine that is there: power, snapshots, sizes. The record says first what is meant. */
#include "broker/hypervisor/ssh/ssh_priv.h"

#include "base/hash.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

static void run(struct script *sc, const struct ssh *s, enum ssh_command c)
{
	script_run(sc, ssh_command_key(c), s->commands[c]);
}

/* With the record before (and after) the steps that the caller has put between begin and end. */
static int begin(struct script *sc, struct ssh_op *op, const struct ssh_record *r, struct pst_err *err)
{
	ssh_script_begin(sc, op, r);
	script_lock(sc, true);
	return ssh_script_put(sc, r, err);
}

static int end(struct script *sc, struct ssh_op *op, const struct ssh_record *r, int rc, struct pst_err *err)
{
	if (rc == 0 && r)
		rc = ssh_script_put(sc, r, err);
	if (rc < 0) {
		script_finish(sc);
		return rc;
	}
	return ssh_script_do(sc, op, err);
}

static int power_change(struct ssh_op *op, struct ssh_found *f, enum machine_power wish, struct pst_err *err)
{
	const struct ssh *s = op->s;
	enum answer_state now = f->machine.state;
	struct script sc;
	int rc;

	f->record.phase = wish == POWER_START ? SSH_RUNNING : SSH_STOPPED;
	rc = begin(&sc, op, &f->record, err);
	if (wish == POWER_START && now == ANSWER_SUSPENDED && s->commands[SSH_RESUME])
		run(&sc, s, SSH_RESUME);
	else if (wish == POWER_START && now != ANSWER_RUNNING)
		run(&sc, s, SSH_START);
	else if (wish == POWER_SUSPEND && now == ANSWER_RUNNING)
		run(&sc, s, SSH_SUSPEND);
	else if ((wish == POWER_STOP || wish == POWER_OFF) && now != ANSWER_STOPPED)
		run(&sc, s, wish == POWER_OFF && s->commands[SSH_OFF] ? SSH_OFF : SSH_STOP);
	return end(&sc, op, NULL, rc, err);
}

static int whole_need(struct ssh_op *op, struct ssh_found *f, struct pst_err *err)
{
	int rc = ssh_need(op, f, err);

	if (rc < 0)
		return rc;
	if (f->record.phase != SSH_RUNNING && f->record.phase != SSH_STOPPED)
		return pst_err_set(err, PST_EBUSY, "desktop %s was never finished: it has to be refreshed or destroyed", op->call.desktop);
	if (!f->has_machine)
		return pst_err_set(err, PST_EIO, "%s has no machine %s any more: refresh the desktop", remote_name(op->s->remote), op->name);
	return 0;
}

/* Looks, and does it. */
static int change(struct driver *d, const char *desktop, unsigned needs, const char *word,
	int (*work)(struct ssh_op *op, struct ssh_found *f, const void *arg, struct pst_err *err), const void *arg, struct pst_err *err)
{
	struct ssh *s = ssh_of(d);
	struct ssh_found f;
	struct ssh_op op;
	int rc;

	if ((s->can & needs) != needs)
		return pst_err_set(err, PST_EUNSUPPORTED, "the commands for \"%s\" are not set", word);
	if (ssh_op_begin(&op, s, desktop, s->deadline_ms, err) < 0)
		return err->code;
	rc = whole_need(&op, &f, err);
	if (rc == 0)
		rc = work(&op, &f, arg, err);
	ssh_op_end(&op);
	return rc;
}

static int power_work(struct ssh_op *op, struct ssh_found *f, const void *arg, struct pst_err *err)
{
	enum machine_power wish = *(const enum machine_power *)arg;

	if (power_change(op, f, wish, err) < 0)
		return err->code;
	if (wish == POWER_START)
		watches_know(op->s->watches, op->call.desktop);
	else
		watches_forget(op->s->watches, op->call.desktop);
	return 0;
}

int ssh_power(struct driver *d, const char *desktop, enum machine_power wish, struct pst_err *err)
{
	return change(d, desktop, wish == POWER_SUSPEND ? DRIVER_SUSPEND : DRIVER_POWER, wish == POWER_SUSPEND ? "suspend" : "power", power_work, &wish, err);
}

/* Some hosts name snapshots by uuids: one that follows from desktop and name. */
static void snapshot_values(struct script *sc, const char *desktop, const char *name)
{
	char text[PST_UUID_SIZE + MACHINE_NAME_SIZE], uuid[PST_UUID_SIZE];
	uint8_t sum[PST_SHA256_LEN];
	struct pst_uuid u;

	snprintf(text, sizeof(text), "%s/%s", desktop, name);
	pst_sha256(text, strlen(text), sum);
	memcpy(u.b, sum, sizeof(u.b));
	u.b[6] = (uint8_t)((u.b[6] & 0x0f) | 0x40);
	u.b[8] = (uint8_t)((u.b[8] & 0x3f) | 0x80);
	pst_uuid_text(&u, uuid);
	script_value(sc, TEMPLATE_SNAPSHOT, name);
	script_value(sc, TEMPLATE_SNAPSHOT_UUID, uuid);
}

static int take_work(struct ssh_op *op, struct ssh_found *f, const void *arg, struct pst_err *err)
{
	struct ssh_snapshot *there = ssh_record_snapshot(&f->record, arg);
	bool is_half = there && !there->whole;
	struct script sc;
	int rc;

	if (there && there->whole)
		return 0;
	if (!there) {
		if (f->record.snapshots_n == SSH_SNAPSHOTS_MAX)
			return pst_err_set(err, PST_ELIMIT, "desktop %s has %d snapshots: remove one", op->call.desktop, SSH_SNAPSHOTS_MAX);
		there = &f->record.snapshots[f->record.snapshots_n++];
		pst_strlcpy(there->name, sizeof(there->name), arg);
	}
	there->ran = f->machine.state == ANSWER_RUNNING;
	there->whole = false;
	rc = begin(&sc, op, &f->record, err);
	snapshot_values(&sc, op->call.desktop, arg);
	if (is_half)
		script_try(&sc, op->s->commands[SSH_DROP]);
	run(&sc, op->s, SSH_SNAPSHOT);
	there->whole = true;
	return end(&sc, op, &f->record, rc, err);
}

/* Stopped, reverted, and as it was then. Until that is done it counts as one that ended. */
static int revert_work(struct ssh_op *op, struct ssh_found *f, const void *arg, struct pst_err *err)
{
	struct ssh_snapshot *there = ssh_record_snapshot(&f->record, arg);
	const struct ssh *s = op->s;
	struct script sc;
	int rc;

	if (!there || !there->whole)
		return pst_err_set(err, PST_ENOTFOUND, "desktop %s has no snapshot \"%s\"", op->call.desktop, (const char *)arg);
	f->record.phase = there->ran ? SSH_RUNNING : SSH_STOPPED;
	if (s->forgets)
		f->record.snapshots_n = (size_t)(there - f->record.snapshots) + 1;
	rc = begin(&sc, op, &f->record, err);
	snapshot_values(&sc, op->call.desktop, arg);
	if (f->machine.state != ANSWER_STOPPED)
		run(&sc, s, s->commands[SSH_OFF] ? SSH_OFF : SSH_STOP);
	run(&sc, s, SSH_REVERT);
	if (there->ran)
		run(&sc, s, SSH_START);
	if (end(&sc, op, NULL, rc, err) < 0)
		return err->code;
	if (there->ran)
		watches_know(s->watches, op->call.desktop);
	else
		watches_forget(s->watches, op->call.desktop);
	return 0;
}

static int drop_work(struct ssh_op *op, struct ssh_found *f, const void *arg, struct pst_err *err)
{
	struct ssh_snapshot *there = ssh_record_snapshot(&f->record, arg);
	struct script sc;
	int rc;

	if (!there)
		return 0;
	there->whole = false;
	rc = begin(&sc, op, &f->record, err);
	snapshot_values(&sc, op->call.desktop, arg);
	run(&sc, op->s, SSH_DROP);
	ssh_record_snapshot_remove(&f->record, there);
	return end(&sc, op, &f->record, rc, err);
}

int ssh_snapshot_take(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	return change(d, desktop, DRIVER_SNAPSHOT, "snapshot", take_work, name, err);
}

int ssh_snapshot_revert(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	return change(d, desktop, DRIVER_SNAPSHOT, "snapshot", revert_work, name, err);
}

int ssh_snapshot_drop(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	return change(d, desktop, DRIVER_SNAPSHOT, "snapshot", drop_work, name, err);
}

static int resize_work(struct ssh_op *op, struct ssh_found *f, const void *arg, struct pst_err *err)
{
	const struct machine_size *size = arg;
	struct machine_request *r = &f->record.request;
	bool grows = size->disk_mb && size->disk_mb != r->disk_mb;
	struct script sc;

	if (size->disk_mb && size->disk_mb < r->disk_mb)
		return pst_err_set(err, PST_EINVAL, "the disk has %u MB: it can only grow", r->disk_mb);
	if (size->memory_mb)
		r->memory_mb = size->memory_mb;
	if (size->cpu_percent)
		r->cpu_percent = size->cpu_percent;
	if (size->disk_mb)
		r->disk_mb = size->disk_mb;
	/* The record last: a repetition does it again, which does no harm. */
	ssh_script_begin(&sc, op, &f->record);
	script_lock(&sc, true);
	if (size->memory_mb || size->cpu_percent)
		run(&sc, op->s, SSH_RESIZE);
	if (grows)
		run(&sc, op->s, SSH_GROW);
	return end(&sc, op, &f->record, 0, err);
}

int ssh_resize(struct driver *d, const char *desktop, const struct machine_size *size, struct pst_err *err)
{
	unsigned needs = (size->disk_mb ? DRIVER_GROW : 0) | (size->memory_mb || size->cpu_percent ? DRIVER_RESIZE : 0);

	return change(d, desktop, needs, "resize", resize_work, size, err);
}
