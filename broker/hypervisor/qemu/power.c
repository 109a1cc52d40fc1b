/* SPDX-License-Identifier: GPL-3.0-or-later */
/* On, off, asleep. What is wished is written down before it is done, so that a machine we stop has not failed. */
#include "broker/hypervisor/qemu/instant.h"
#include "broker/hypervisor/qemu/qemu_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/unixsock.h"
#include "broker/hypervisor/disk/edit.h"
#include "broker/hypervisor/disk/info.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define RESERVE_MS 10000 /* of the command's time, to end a guest that does not go */

static int phase_save(struct qm_op *op, struct qm_record *r, enum qm_phase phase, struct pst_err *err)
{
	r->phase = phase;
	return qm_record_save(op->q, r, err);
}

/* ACPI's power button, waited for; whoever does not go is ended. */
int qm_power_stop(struct qm_op *op, struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;
	uint64_t end_ms = op->end_ms - PST_MIN(op->end_ms, (uint64_t)RESERVE_MS);
	int pidfd = qm_machine_open(op->q, op->desktop, &ignored), rc = 0;

	if (pidfd < 0)
		return qm_machine_end(op, true, err);
	if (qm_op_step(op, err, "asking the guest to stop") < 0) {
		close(pidfd);
		return err->code;
	}
	if (qm_op_monitor(op, &ignored) == 0 && qmp_call(op->qmp, "system_powerdown", NULL, NULL, op->end_ms, &ignored) == 0)
		rc = qm_op_await(op, pidfd, PST_MIN(end_ms, pst_mono_ms() + op->q->set.stop_ms), &ignored);
	close(pidfd);
	return rc == PST_ECLOSED ? pst_err_set(err, rc, "desktop %s: given up", op->desktop) : qm_machine_end(op, true, err);
}

static int memory_path(struct qm_op *op, const char *name, char out[PATH_MAX], struct pst_err *err)
{
	return qm_path(op->q, op->desktop, name, out, err);
}

static int memory_write(struct qm_op *op, const char *path, struct pst_err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600), rc;

	if (fd < 0)
		return pst_err_sys(err, errno == ENOSPC ? PST_ENOSPC : PST_EIO, errno, "%s", path);
	rc = instant_suspend(op->qmp, fd, op->end_ms, err);
	if (rc == 0 && fsync(fd) < 0)
		rc = pst_err_sys(err, errno == ENOSPC ? PST_ENOSPC : PST_EIO, errno, "%s", path);
	pst_fd_close(&fd);
	return rc;
}

/* The memory has its name when it is whole; a crash before that leaves a machine that is paused, and is started as one. */
static int suspend(struct qm_op *op, struct qm_record *r, struct pst_err *err)
{
	char temporary[PATH_MAX], path[PATH_MAX];
	struct pst_err ignored = PST_ERR_INIT;
	int rc;

	if (memory_path(op, "memory.tmp", temporary, err) < 0 || memory_path(op, "memory", path, err) < 0 ||
		qm_op_step(op, err, "saving its memory") < 0 || qm_op_monitor(op, err) < 0)
		return err->code;
	rc = memory_write(op, temporary, err);
	if (rc == 0 && rename(temporary, path) < 0)
		rc = pst_err_sys(err, PST_EIO, errno, "%s", path);
	if (rc == 0)
		rc = phase_save(op, r, QM_SUSPENDED, err);
	if (rc == 0)
		return qm_machine_end(op, true, err);
	(void)unlink(temporary);
	(void)unlink(path);
	if (op->qmp)
		(void)instant_settle(op->qmp, op->end_ms, &ignored);
	return rc;
}

static int off(struct qm_op *op, struct qm_record *r, enum machine_power wish, struct pst_err *err)
{
	char path[PATH_MAX];
	int rc;

	if (memory_path(op, "memory", path, err) < 0)
		return err->code;
	/* A suspended machine is stopped already; switched off, it loses its memory. */
	if (r->phase == QM_SUSPENDED && wish != POWER_OFF)
		return qm_machine_end(op, true, err);
	if (phase_save(op, r, QM_STOPPED, err) < 0 || tree_remove(path, err) < 0)
		return err->code;
	rc = wish == POWER_STOP ? qm_power_stop(op, err) : qm_machine_end(op, true, err);
	if (rc < 0 && qm_machine_runs(op)) {
		struct pst_err ignored = PST_ERR_INIT;

		(void)phase_save(op, r, QM_RUNNING, &ignored);
	}
	return rc;
}

/* A disk that was to grow while it was not in use. */
static int disk_grow(struct qm_op *op, const struct qm_record *r, struct pst_err *err)
{
	uint64_t size = (uint64_t)r->request.disk_mb << 20;
	char path[PATH_MAX];
	struct edit_params p = { .program = op->q->set.image_program, .path = path, .timeout_ms = 60000, .cancel_fd = op->cancel_fd };
	struct disk_info info;

	if (memory_path(op, "disk.qcow2", path, err) < 0 || disk_chain_walk(path, DISK_QCOW2, NULL, NULL, NULL, &info, err) < 0)
		return err->code;
	if (size <= info.size)
		return 0;
	return qm_disk_forget(op, err) < 0 ? err->code : edit_grow(&p, size, err);
}

/* Written down before it goes on: loaded a second time, beside what it writes from here on, that memory would damage its disk. */
static int woken(struct qm_op *op, struct qm_record *r, struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;

	if (phase_save(op, r, QM_RUNNING, err) == 0)
		return qmp_call(op->qmp, "cont", NULL, NULL, op->end_ms, err);
	(void)qm_machine_end(op, false, &ignored);
	return err->code;
}

/* What does not even start would not boot either: its memory is kept for another time. */
static int start_asleep(struct qm_op *op, const struct qm_record *r, struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;
	int rc = qm_machine_start(op, r, QM_WAKE, err);

	if (rc < 0 && !atomic_load(&op->is_cancelled))
		(void)qm_machine_end(op, false, &ignored);
	return rc;
}

/* Its memory is loaded once; one that cannot be is kept aside, and the machine boots. */
static int wake(struct qm_op *op, struct qm_record *r, const char *path, struct pst_err *err)
{
	char aside[PATH_MAX];
	struct pst_err why = PST_ERR_INIT;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc;

	if (fd < 0)
		return pst_err_sys(err, PST_EIO, errno, "%s", path);
	if (start_asleep(op, r, err) < 0) {
		pst_fd_close(&fd);
		return err->code;
	}
	rc = instant_load(op->qmp, fd, op->end_ms, &why);
	pst_fd_close(&fd);
	if (rc == 0)
		return woken(op, r, err);
	if (atomic_load(&op->is_cancelled))
		return pst_err_pass(err, rc, &why);
	pst_warn("desktop=%s boots, because the memory that it was suspended with cannot be loaded: %s", op->desktop, why.text);
	if (qm_machine_end(op, false, err) < 0 || memory_path(op, "memory.bad", aside, err) < 0)
		return err->code;
	if (rename(path, aside) < 0)
		return pst_err_sys(err, PST_EIO, errno, "%s", path);
	return qm_machine_start(op, r, QM_BOOT, err);
}

int qm_power_start(struct qm_op *op, struct qm_record *r, struct pst_err *err)
{
	char path[PATH_MAX];
	bool has_memory;
	int rc;

	if (memory_path(op, "memory", path, err) < 0 || qm_op_step(op, err, "starting its machine") < 0)
		return err->code;
	has_memory = r->phase == QM_SUSPENDED && access(path, F_OK) == 0;
	rc = has_memory ? wake(op, r, path, err) : disk_grow(op, r, err) < 0 ? err->code : qm_machine_start(op, r, QM_BOOT, err);
	if (rc == 0 && r->phase != QM_RUNNING)
		rc = phase_save(op, r, QM_RUNNING, err);
	if (rc == 0 && unlink(path) < 0 && errno != ENOENT)
		rc = pst_err_sys(err, PST_EIO, errno, "%s", path);
	return rc;
}

/* Running already; or paused, by a suspend that was interrupted or a full disk that has room again. */
static int go_on(struct qm_op *op, struct qm_record *r, struct pst_err *err)
{
	if (qm_op_monitor(op, err) < 0 || instant_settle(op->qmp, op->end_ms, err) < 0)
		return err->code;
	return r->phase == QM_RUNNING ? 0 : phase_save(op, r, QM_RUNNING, err);
}

static int on(struct qm_op *op, struct qm_record *r, struct pst_err *err)
{
	/* Its memory is on disk: what may still run of it is not to go on beside that. */
	if (r->phase == QM_SUSPENDED)
		return qm_machine_end(op, false, err) < 0 ? err->code : qm_power_start(op, r, err);
	if (qm_machine_runs(op))
		return go_on(op, r, err);
	return qm_machine_end(op, false, err) < 0 ? err->code : qm_power_start(op, r, err);
}

int qm_power(struct qm_op *op, enum machine_power wish, struct pst_err *err)
{
	struct qm_record r;
	int rc = qm_need(op, &r, err);

	if (rc < 0)
		return rc;
	if (wish == POWER_START)
		rc = on(op, &r, err);
	else if (wish != POWER_SUSPEND)
		rc = off(op, &r, wish, err);
	else if (r.phase == QM_RUNNING && qm_machine_runs(op))
		rc = suspend(op, &r, err);
	else if (r.phase == QM_SUSPENDED)
		rc = qm_machine_end(op, true, err); /* asked again, while the QEMU of the first time is still there */
	if (rc == 0 && wish == POWER_START)
		watches_know(op->q->watches, op->desktop);
	else if (rc == 0)
		watches_forget(op->q->watches, op->desktop);
	return rc;
}
