/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fork, confine, exec: between them system calls only, since this process has threads. */
#include "broker/hypervisor/qemu/spawn.h"

#include "base/clock.h"
#include "base/unixsock.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define HIGH_FD 64 /* above what the program is given */
#define FILES_MAX 1024

static char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/nonexistent", NULL };

struct spawn {
	const struct spawn_params *p;
	int go[2];     /* a byte when the pid is on disk; its end when we died before */
	int failed[2]; /* what went wrong, before exec */
};

struct failure {
	int error;
	char step[40];
};

static _Noreturn void child_fail(int fd, const char *step)
{
	struct failure f = { .error = errno };

	strncpy(f.step, step, sizeof(f.step) - 1);
	ssize_t n = write(fd, &f, sizeof(f));
	_exit(n < 0 ? 126 : 127);
}

/* Everything is first moved out of the way of the numbers that it shall have. */
static int descriptors_place(const struct spawn_params *p, int *failed)
{
	int high[SPAWN_FDS_MAX], log = fcntl(p->log_fd, F_DUPFD_CLOEXEC, HIGH_FD), null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	*failed = fcntl(*failed, F_DUPFD_CLOEXEC, HIGH_FD);
	for (size_t i = 0; i < p->fds_n; i++)
		high[i] = fcntl(p->fds[i], F_DUPFD_CLOEXEC, HIGH_FD);
	for (size_t i = 0; i < p->fds_n; i++) {
		if (high[i] < 0 || dup2(high[i], SPAWN_FD + (int)i) < 0)
			return -1;
	}
	if (null < 0 || log < 0 || *failed < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
		return -1;
	/* All else is closed by exec, also what others have opened without CLOEXEC. */
	return (int)syscall(SYS_close_range, SPAWN_FD + (unsigned)p->fds_n, ~0u, 1u << 2);
}

static int groups_join(const struct spawn_params *p)
{
	for (size_t i = 0; i < p->groups_n; i++) {
		if (write(p->groups[i], "0", 1) != 1)
			return -1;
	}
	return 0;
}

static int limits_set(void)
{
	const struct rlimit none = { 0, 0 }, files = { FILES_MAX, FILES_MAX };

	return setrlimit(RLIMIT_CORE, &none) < 0 || setrlimit(RLIMIT_NOFILE, &files) < 0 ? -1 : 0;
}

static int rights_drop(const struct spawn_params *p)
{
	if (setgroups(p->also ? 1 : 0, &p->also) < 0 || setresgid(p->uid, p->uid, p->uid) < 0 || setresuid(p->uid, p->uid, p->uid) < 0)
		return -1;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static _Noreturn void child_start(struct spawn *l, pid_t parent)
{
	const struct spawn_params *p = l->p;
	int failed = l->failed[1];
	sigset_t none;
	char go;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	close(l->go[1]);
	/* Whoever nobody could find again must not begin. */
	if (read(l->go[0], &go, 1) != 1)
		_exit(125);
	umask(077);
	if (setsid() < 0 || groups_join(p) < 0)
		child_fail(failed, "join its control groups");
	if (limits_set() < 0)
		child_fail(failed, "limit its resources");
	if (descriptors_place(p, &failed) < 0)
		child_fail(failed, "take its descriptors");
	if (rights_drop(p) < 0)
		child_fail(failed, "become its own uid");
	/* After the change of uid, which clears it. */
	if (p->follows && (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent))
		child_fail(failed, "follow its parent");
	execve(p->argv[0], (char *const *)p->argv, environment);
	child_fail(failed, "start it");
}

static void pipes_close(struct spawn *l)
{
	for (int i = 0; i < 2; i++) {
		pst_fd_close(&l->go[i]);
		pst_fd_close(&l->failed[i]);
	}
}

static pid_t fork_blocked(struct spawn *l, struct pst_err *err)
{
	pid_t parent = getpid(), pid;
	sigset_t all, before;
	int error;

	/* No handler of ours runs in the child. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		child_start(l, parent);
	error = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (pid < 0)
		pst_err_sys(err, PST_EIO, error, "fork");
	return pid;
}

/* Its pid is noted, then it may go on; back when it has become the program, or could not. */
static int child_begin(struct spawn *l, pid_t pid, struct pst_err *err)
{
	struct process_id id;
	struct failure f;
	ssize_t n;

	if (process_identify(pid, &id, err) < 0 || (l->p->pid_file && process_save(&id, l->p->pid_file, err) < 0))
		return err->code;
	pst_fd_close(&l->failed[1]);
	pst_fd_close(&l->go[0]);
	if (write(l->go[1], "g", 1) != 1)
		return pst_err_sys(err, PST_EIO, errno, "%s", l->p->argv[0]);
	do
		n = read(l->failed[0], &f, sizeof(f));
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(f))
		return 0;
	f.step[sizeof(f.step) - 1] = '\0';
	return pst_err_sys(err, f.error == ENOENT ? PST_ENOTFOUND : PST_EIO, f.error, "%s: %s", l->p->argv[0], f.step);
}

int qm_spawn(const struct spawn_params *p, struct pst_err *err)
{
	struct spawn l = { .p = p, .go = { -1, -1 }, .failed = { -1, -1 } };
	int pidfd = -1, rc = 0;
	pid_t pid = -1;

	PRE(p->fds_n <= SPAWN_FDS_MAX);
	if (pipe2(l.go, O_CLOEXEC) < 0 || pipe2(l.failed, O_CLOEXEC) < 0)
		rc = pst_err_sys(err, PST_EIO, errno, "pipe");
	if (rc == 0)
		pid = fork_blocked(&l, err);
	if (pid > 0) {
		pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
		rc = pidfd < 0 ? pst_err_sys(err, PST_EIO, errno, "pidfd_open") : child_begin(&l, pid, err);
	}
	pipes_close(&l); /* without the byte it ends */
	if (pid > 0 && rc < 0) {
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		pst_fd_close(&pidfd);
	}
	return pid < 0 || rc < 0 ? err->code : pidfd;
}
