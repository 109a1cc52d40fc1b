/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starts a desktop's QEMU, finds it again, ends it. */
#include "broker/hypervisor/qemu/command.h"
#include "broker/hypervisor/qemu/spawn.h"
#include "broker/hypervisor/qemu/net.h"
#include "broker/hypervisor/qemu/parent.h"
#include "broker/hypervisor/qemu/tpm.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/libvirt/mac.h"
#include "broker/hypervisor/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define POLITE_MS 5000
#define KILL_MS 15000
#define GONE_MS 1000
#define OVERHEAD_MB 768 /* of a QEMU beside its guest's memory */
#define THREADS 512
#define WORDS_SIZE 240

struct starting {
	struct qm_op *op;
	const struct qm_record *r;
	struct command command;
	struct command_params params;
	struct qm_plan plan;
	char disk[PATH_MAX], variables[PATH_MAX], seed[PATH_MAX], log[PATH_MAX], pid[PATH_MAX], memory[64], forward[64], mac[LV_MAC_SIZE];
	int fds[4]; /* monitor, port, memory or cable and TPM */
	size_t fds_n;
	int groups[CGROUP_HIERARCHIES_MAX];
	size_t groups_n;
	int log_fd;
};

int qm_machine_open(const struct qemu *q, const char *desktop, struct pst_err *err)
{
	struct process_id id;
	char path[PATH_MAX];

	if (qm_path(q, desktop, "pid", path, err) < 0 || process_load(path, &id, err) < 0)
		return err->code;
	return process_open(&id, err);
}

bool qm_machine_runs(const struct qm_op *op)
{
	struct pst_err ignored = PST_ERR_INIT;
	int pidfd = qm_machine_open(op->q, op->desktop, &ignored);

	if (pidfd >= 0)
		close(pidfd);
	return pidfd >= 0;
}

/* The end of what QEMU has said, as one printable line; "" when that is nothing. */
static void log_tail(const struct qemu *q, const char *desktop, char out[WORDS_SIZE])
{
	char path[PATH_MAX];
	ssize_t n = -1;
	int fd = -1;

	if (qm_path(q, desktop, "log", path, NULL) == 0)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0) {
		off_t size = lseek(fd, 0, SEEK_END);

		n = pread(fd, out, WORDS_SIZE - 1, PST_MAX(size - (off_t)WORDS_SIZE + 1, (off_t)0));
	}
	pst_fd_close(&fd);
	n = PST_MAX(n, (ssize_t)0);
	for (ssize_t i = 0; i < n; i++) {
		if ((unsigned char)out[i] < ' ' || (unsigned char)out[i] >= 0x7f)
			out[i] = ' ';
	}
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
}

void qm_machine_reason(const struct qemu *q, const char *desktop, char out[MACHINE_REASON_SIZE])
{
	char words[WORDS_SIZE];

	log_tail(q, desktop, words);
	if (words[0])
		snprintf(out, MACHINE_REASON_SIZE, "its QEMU ended; the end of its log: %s", words);
	else
		pst_strlcpy(out, MACHINE_REASON_SIZE, "its QEMU ended without a word: it was killed, or the guest has switched it off");
}

static int quit(struct qm_op *op)
{
	struct pst_err ignored = PST_ERR_INIT;

	if (!op->qmp && qm_op_monitor(op, &ignored) < 0)
		return -1;
	return qmp_quit(op->qmp, PST_MIN(op->end_ms, pst_mono_ms() + POLITE_MS), &ignored);
}

int qm_machine_end(struct qm_op *op, bool politely, struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;
	int pidfd = qm_machine_open(op->q, op->desktop, &ignored), rc = 0;

	if (pidfd >= 0) {
		/* What QEMU has in its own memory of the disk's tables is written out. */
		if (!politely || quit(op) < 0 || qm_op_await(op, pidfd, pst_mono_ms() + POLITE_MS, &ignored) < 0) {
			syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
			rc = qm_op_await(op, pidfd, pst_mono_ms() + KILL_MS, err);
		}
		close(pidfd);
	}
	qm_op_monitor_close(op);
	return rc < 0 || qm_tpm_end(op, err) < 0 ? err->code : cgroup_remove(&op->q->cgroup, op->desktop, err);
}

static int paths_make(struct starting *s, struct pst_err *err)
{
	const struct qemu *q = s->op->q;
	char address[QM_ADDRESS_SIZE];

	if (qm_path(q, s->op->desktop, "disk.qcow2", s->disk, err) < 0 || qm_path(q, s->op->desktop, "variables", s->variables, err) < 0 ||
		qm_path(q, s->op->desktop, "seed.json", s->seed, err) < 0 ||
		qm_path(q, s->op->desktop, "log", s->log, err) < 0 || qm_path(q, s->op->desktop, "pid", s->pid, err) < 0)
		return err->code;
	qm_address(s->r->uid, address);
	snprintf(s->forward, sizeof(s->forward), "%s:%u-:%u", address, q->set.seed.agent_port, qm_net_port(q, &s->r->request));
	lv_mac(s->op->desktop, s->mac);
	return 0;
}

static int socket_make(struct starting *s, const char *name, struct pst_err *err)
{
	char path[PATH_MAX];
	int fd;

	if (qm_path(s->op->q, s->op->desktop, name, path, err) < 0)
		return err->code;
	/* Whose QEMU has ended; a live one's is not taken over, because it was ended before. */
	if (unlink(path) < 0 && errno != ENOENT)
		return pst_err_sys(err, PST_EIO, errno, "%s", path);
	fd = pst_unix_listen(path, 0600, 4, err);
	if (fd >= 0)
		s->fds[s->fds_n++] = fd;
	return fd;
}

static int groups_open(struct starting *s, struct pst_err *err)
{
	struct machine_request r = s->r->request;
	json_t *dirs = json_array(), *dir;
	char path[PATH_MAX];
	size_t i;
	int rc;

	r.memory_mb += OVERHEAD_MB;
	r.pids = THREADS;
	r.cpu_percent = PST_MAX(r.cpu_percent, 100u);
	rc = dirs ? cgroup_make(&s->op->q->cgroup, &r, dirs, err) : pst_err_set(err, PST_ENOMEM, "no memory");
	json_array_foreach(dirs, i, dir)
	{
		if (rc < 0 || i >= CGROUP_HIERARCHIES_MAX)
			break;
		snprintf(path, sizeof(path), "%.4000s/cgroup.procs", json_string_value(dir));
		int fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			rc = pst_err_sys(err, PST_EIO, errno, "%s", path);
		else
			s->groups[s->groups_n++] = fd;
	}
	json_decref(dirs);
	return rc;
}

/* A CD is a device like the others: there whenever the machine runs, and with a token only where it boots. */
static int disc_write(struct starting *s, enum qm_start how, struct pst_err *err)
{
	struct machine_request r = s->r->request;
	int rc;

	if (how != QM_BOOT)
		pst_wipe(r.enrol_token, sizeof(r.enrol_token));
	rc = seed_disk_write(s->seed, &s->op->q->set.seed, &r, 0400, err);
	pst_wipe(r.enrol_token, sizeof(r.enrol_token));
	return rc;
}

static int file_write(struct starting *s, struct pst_err *err)
{
	json_t *seed = qm_seed(&s->op->q->set, &s->r->request, false, err);
	char *text;
	int rc;

	if (!seed)
		return err->code;
	text = json_dumps(seed, JSON_COMPACT);
	json_decref(seed);
	if (!text)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	rc = pst_file_write(s->seed, text, strlen(text), 0400, err);
	pst_wipe(text, strlen(text));
	free(text);
	return rc;
}

/* For its uid alone, and only until QEMU has read or opened it. */
static int seed_write(struct starting *s, enum qm_start how, struct pst_err *err)
{
	int rc;

	if (s->op->q->set.seed.agents[0] == '\0' || (how != QM_BOOT && !s->params.is_windows))
		return 0;
	rc = s->params.is_windows ? disc_write(s, how, err) : file_write(s, err);
	if (rc == 0 && lchown(s->seed, s->r->uid, s->r->uid) < 0)
		rc = pst_err_sys(err, PST_EIO, errno, "%s", s->seed);
	s->params.seed = s->seed;
	return rc;
}

static int starting_init(struct starting *s, struct qm_op *op, const struct qm_record *r, struct pst_err *err)
{
	memset(s, 0, sizeof(*s));
	s->op = op;
	s->r = r;
	s->log_fd = -1;
	if (qm_plan(op->q, &r->request, r->is_secure, &s->plan, &s->params, err) < 0 || paths_make(s, err) < 0 || socket_make(s, "qmp", err) < 0 ||
		socket_make(s, "seed", err) < 0 || groups_open(s, err) < 0)
		return err->code;
	s->log_fd = open(s->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->log_fd < 0)
		return pst_err_sys(err, errno == ENOSPC ? PST_ENOSPC : PST_EIO, errno, "%s", s->log);
	s->params.disk = s->disk;
	s->params.variables = s->variables;
	if (s->params.firmware && qm_variables_make(op->q, r->is_secure, s->variables, r->uid, err) < 0)
		return err->code;
	s->params.plugs = r->plugs;
	s->params.monitor_fd = SPAWN_FD;
	s->params.port_fd = SPAWN_FD + 1;
	return 0;
}

static void starting_finish(struct starting *s)
{
	for (size_t i = 0; i < s->fds_n; i++)
		pst_fd_close(&s->fds[i]);
	for (size_t i = 0; i < s->groups_n; i++)
		pst_fd_close(&s->groups[i]);
	pst_fd_close(&s->log_fd);
	free(s);
}

/* From here on the keeper has it; back when its monitor answers. */
static int go(struct starting *s, struct pst_err *err)
{
	struct spawn_params l = { .argv = s->command.argv,
		.fds = s->fds,
		.fds_n = s->fds_n,
		.groups = s->groups,
		.groups_n = s->groups_n,
		.uid = s->r->uid,
		.also = s->op->q->set.kvm_gid,
		.log_fd = s->log_fd,
		.pid_file = s->pid };
	char words[WORDS_SIZE];
	int pidfd = command_build(&s->command, &s->params, err) < 0 ? err->code : qm_spawn(&l, err), rc;

	if (pidfd < 0)
		return pidfd;
	rc = qm_keeper_add(s->op->q, s->op->desktop, pidfd, err);
	/* Ours would keep the monitor's queue open when QEMU dies before it takes us. */
	for (size_t i = 0; i < 2; i++)
		pst_fd_close(&s->fds[i]);
	if (rc == 0)
		rc = qm_op_monitor(s->op, err);
	if (rc == PST_ECLOSED && !atomic_load(&s->op->is_cancelled)) {
		log_tail(s->op->q, s->op->desktop, words);
		rc = pst_err_set(err, PST_EIO, "QEMU does not start: %s", words[0] ? words : "it says nothing");
	}
	if (s->params.seed && unlink(s->seed) < 0 && errno != ENOENT && rc == 0)
		rc = pst_err_sys(err, PST_EIO, errno, "%s", s->seed);
	return rc;
}

static int card_plug(struct starting *s, struct pst_err *err)
{
	const struct qemu *q = s->op->q;
	int fd;

	if (q->set.network == QM_NET_NONE)
		return 0;
	s->params.mac = s->mac;
	if (q->set.network == QM_NET_USER) {
		s->params.forward = s->forward;
		return 0;
	}
	fd = qm_net_cable(q, s->r, err);
	if (fd < 0)
		return fd;
	s->params.cable_fd = SPAWN_FD + (int)s->fds_n;
	s->fds[s->fds_n++] = fd;
	return 0;
}

static int tpm_plug(struct starting *s, struct pst_err *err)
{
	const struct spawn_params l = { .groups = s->groups, .groups_n = s->groups_n, .uid = s->r->uid };
	int fd;

	if (!s->r->has_tpm)
		return 0;
	PRE(s->fds_n < PST_ARRAY_LEN(s->fds));
	fd = qm_tpm_start(s->op, &l, err);
	if (fd < 0)
		return fd;
	s->params.tpm_fd = SPAWN_FD + (int)s->fds_n;
	s->fds[s->fds_n++] = fd;
	return 0;
}

/* A QEMU that never came, or gives up and is gone in a moment, need not have told it anything. */
static void tpm_unplug(struct qm_op *op)
{
	struct pst_err ignored = PST_ERR_INIT;
	int pidfd = qm_machine_open(op->q, op->desktop, &ignored);

	if (pidfd < 0 || qm_op_await(op, pidfd, pst_mono_ms() + GONE_MS, &ignored) == 0)
		(void)qm_tpm_end(op, &ignored);
	pst_fd_close(&pidfd);
}

int qm_machine_start(struct qm_op *op, const struct qm_record *r, enum qm_start how, struct pst_err *err)
{
	struct starting *s = malloc(sizeof(*s));
	int rc;

	if (!s)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	rc = starting_init(s, op, r, err);
	if (rc == 0)
		rc = card_plug(s, err);
	s->params.is_paused = how == QM_PAUSED;
	s->params.is_incoming = how == QM_WAKE;
	if (rc == 0)
		rc = seed_write(s, how, err);
	if (rc == 0)
		rc = tpm_plug(s, err);
	if (rc == 0)
		rc = go(s, err);
	starting_finish(s);
	if (rc < 0 && r->has_tpm)
		tpm_unplug(op);
	return rc;
}

int qm_machine_start_child(struct qm_op *op, const struct qm_record *r, int ram_fd, struct pst_err *err)
{
	struct starting *s = malloc(sizeof(*s));
	int rc, fd = -1;

	if (!s)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	rc = starting_init(s, op, r, err);
	if (rc == 0 && (fd = fcntl(ram_fd, F_DUPFD_CLOEXEC, 0)) < 0)
		rc = pst_err_sys(err, PST_ELIMIT, errno, "a parent's memory");
	if (rc == 0) {
		s->fds[s->fds_n++] = fd;
		snprintf(s->memory, sizeof(s->memory), "/proc/self/fd/%d", SPAWN_FD + 2);
		s->params.memory = COMMAND_COPIED;
		s->params.memory_path = s->memory;
		s->params.is_incoming = true;
		rc = go(s, err);
	}
	starting_finish(s);
	return rc;
}
