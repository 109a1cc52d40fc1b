/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starts and ends machines' TPMs, and copies what they keep. */
#include "broker/hypervisor/qemu/tpm.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/unixsock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STATE_MAX (1u << 20) /* bytes; some kilobytes are usual */
#define END_MS 5000
#define KILL_MS 15000
#define STATE "tpm"
#define NAME_SIZE (MACHINE_NAME_SIZE + 8)

bool qm_tpm_is_there(const struct qm_settings *set)
{
	return set->windows.tpm != TPM_NO && set->knows_tpm && access(set->tpm_program, X_OK) == 0;
}

bool qm_tpm_fault(const struct qm_settings *set, char *out, size_t size)
{
	if (set->windows.tpm != TPM_YES || qm_tpm_is_there(set))
		return false;
	if (set->knows_tpm)
		snprintf(out, size, "tpm = yes, and %.200s is missing: " WINDOWS_TPM_MISSING ", then restart puesto-provisioner", set->tpm_program);
	else
		snprintf(out, size, "tpm = yes, and %.200s knows no tpm-crb: take another QEMU, or leave \"tpm\" out", set->program);
	return true;
}

int qm_tpm_wanted(const struct qm_settings *set, const struct machine_request *r, bool *ret, struct pst_err *err)
{
	char words[MACHINE_REASON_SIZE];

	*ret = r->is_windows && qm_tpm_is_there(set);
	return r->is_windows && qm_tpm_fault(set, words, sizeof(words)) ? pst_err_set(err, PST_EUNSUPPORTED, "%s", words) : 0;
}

static int path_of(struct qm_op *op, const char *name, char out[PATH_MAX], struct pst_err *err)
{
	return qm_path(op->q, op->desktop, name, out, err);
}

/* It makes a TPM of an empty file. */
static int state_open(const char *path, uid_t uid, struct pst_err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600), rc = 0;

	if (fd < 0 || fchown(fd, uid, uid) < 0)
		rc = pst_err_sys(err, errno == ENOSPC ? PST_ENOSPC : PST_EIO, errno, "%s", path);
	pst_fd_close(&fd);
	return rc;
}

/* l has uid and groups. */
static int run(struct qm_op *op, struct spawn_params *l, int fd, struct pst_err *err)
{
	char state[PATH_MAX], pid[PATH_MAX], log[PATH_MAX], control[40], where[PATH_MAX + 40];
	const char *const argv[] = { op->q->set.tpm_program, "socket", "--tpm2", "--ctrl", control, "--tpmstate", where, "--terminate", NULL };
	int pidfd;

	if (path_of(op, STATE, state, err) < 0 || path_of(op, STATE ".pid", pid, err) < 0 || path_of(op, STATE ".log", log, err) < 0 ||
		state_open(state, l->uid, err) < 0)
		return err->code;
	snprintf(control, sizeof(control), "type=unixio,clientfd=%d", SPAWN_FD);
	snprintf(where, sizeof(where), "backend-uri=file://%s,mode=0600", state);
	l->argv = argv;
	l->fds = &fd;
	l->fds_n = 1;
	l->pid_file = pid;
	l->log_fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (l->log_fd < 0)
		return pst_err_sys(err, errno == ENOSPC ? PST_ENOSPC : PST_EIO, errno, "%s", log);
	pidfd = qm_spawn(l, err);
	pst_fd_close(&l->log_fd);
	if (pidfd < 0)
		return pst_err_wrap(err, "its TPM");
	return qm_keeper_add(op->q, op->desktop, pidfd, err);
}

int qm_tpm_start(struct qm_op *op, const struct spawn_params *l, struct pst_err *err)
{
	struct spawn_params own = { .groups = l->groups, .groups_n = l->groups_n, .uid = l->uid };
	int ends[2], rc;

	/* What a start that was cut off has left would write to the same file. */
	if (qm_tpm_end(op, err) < 0)
		return err->code;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return pst_err_sys(err, PST_ELIMIT, errno, "a socket for its TPM");
	rc = run(op, &own, ends[1], err);
	pst_fd_close(&ends[1]);
	if (rc < 0)
		pst_fd_close(&ends[0]);
	return rc < 0 ? rc : ends[0];
}

/* A pidfd, owned, or negative. */
static int open_by(const struct qemu *q, const char *desktop)
{
	struct pst_err ignored = PST_ERR_INIT;
	struct process_id id;
	char path[PATH_MAX];

	if (qm_path(q, desktop, STATE ".pid", path, &ignored) < 0 || process_load(path, &id, &ignored) < 0)
		return -1;
	return process_open(&id, &ignored);
}

bool qm_tpm_runs(const struct qemu *q, const char *desktop)
{
	int pidfd = open_by(q, desktop);

	if (pidfd >= 0)
		close(pidfd);
	return pidfd >= 0;
}

/* What it is at it writes to the end. */
static void ask_to_end(int pidfd)
{
	syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0);
}

int qm_tpm_end(struct qm_op *op, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	int pidfd = open_by(op->q, op->desktop), rc;

	if (pidfd < 0)
		return 0;
	ask_to_end(pidfd);
	rc = qm_op_await(op, pidfd, pst_mono_ms() + END_MS, &why);
	/* Whoever gives up does not end it in the middle of a write. */
	if (rc == PST_ETIMEOUT) {
		syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
		rc = qm_op_await(op, pidfd, pst_mono_ms() + KILL_MS, &why);
	}
	close(pidfd);
	return pst_err_pass(err, rc, &why);
}

void qm_tpm_sweep(const struct qemu *q, const char *desktop)
{
	int pidfd = open_by(q, desktop);

	if (pidfd < 0)
		return;
	ask_to_end(pidfd);
	close(pidfd);
}

static const char *kept_name(const char *snapshot, char out[NAME_SIZE])
{
	snprintf(out, NAME_SIZE, STATE ".s-%s", snapshot);
	return out;
}

/* From one file of the folder to another, at once. A missing one is none. */
static int copy(struct qm_op *op, const char *from, const char *to, uid_t uid, struct pst_err *err)
{
	char source[PATH_MAX], path[PATH_MAX], *data;
	size_t len;
	int rc;

	if (path_of(op, from, source, err) < 0 || path_of(op, to, path, err) < 0)
		return err->code;
	if (access(source, F_OK) < 0)
		return errno == ENOENT ? 0 : pst_err_sys(err, PST_EIO, errno, "%s", source);
	if (pst_file_read(source, STATE_MAX, &data, &len, err) < 0)
		return err->code;
	rc = pst_file_write(path, data, len, 0600, err);
	free(data);
	return rc == 0 && lchown(path, uid, uid) < 0 ? pst_err_sys(err, PST_EIO, errno, "%s", path) : rc;
}

static int drop(struct qm_op *op, const char *name, struct pst_err *err)
{
	char path[PATH_MAX];

	if (path_of(op, name, path, err) < 0)
		return err->code;
	return unlink(path) < 0 && errno != ENOENT ? pst_err_sys(err, PST_EIO, errno, "remove %s", path) : 0;
}

int qm_tpm_keep(struct qm_op *op, const char *snapshot, struct pst_err *err)
{
	char name[NAME_SIZE];

	return copy(op, STATE, kept_name(snapshot, name), 0, err);
}

int qm_tpm_return(struct qm_op *op, uid_t uid, const char *snapshot, struct pst_err *err)
{
	char name[NAME_SIZE];

	return copy(op, kept_name(snapshot, name), STATE, uid, err);
}

int qm_tpm_drop(struct qm_op *op, const char *snapshot, struct pst_err *err)
{
	char name[NAME_SIZE];

	return drop(op, kept_name(snapshot, name), err);
}

int qm_tpm_drop_all(struct qm_op *op, const struct qm_record *r, struct pst_err *err)
{
	for (size_t i = 0; i < r->snapshots_n; i++) {
		if (qm_tpm_drop(op, r->snapshots[i].name, err) < 0)
			return err->code;
	}
	return 0;
}

int qm_tpm_forget(struct qm_op *op, struct pst_err *err)
{
	return drop(op, STATE, err);
}
