/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fork, lose everything, exec. */
#include "protocol/spawn_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define WORKER_FILES_MAX 128
#define WORKER_THREADS_MAX 64

/* 0-2: nothing, nothing, the log; from 3 on what it is given; then the pipe that reports a failed exec. */
static int place_fds(const struct spawn_exec *e, int report)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), pipe = fcntl(report, F_DUPFD, 16), copies[SPAWN_EXEC_FDS_MAX];

	if (null < 0 || pipe < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0)
		return -1;
	/* All are out of the way before the first is put in its place. */
	for (size_t i = 0; i < e->n_fds; i++)
		if ((copies[i] = fcntl(e->fds[i], F_DUPFD, 16)) < 0)
			return -1;
	for (size_t i = 0; i < e->n_fds; i++)
		if (dup2(copies[i], 3 + (int)i) < 0)
			return -1;
	if (dup3(pipe, 3 + (int)e->n_fds, O_CLOEXEC) < 0)
		return -1;
	return close_range(4 + (unsigned)e->n_fds, ~0u, 0);
}

static int set_limit(int what, rlim_t max)
{
	struct rlimit r = { max, max };

	return setrlimit(what, &r);
}

static int set_limits(const struct spawn_exec *e)
{
	if (set_limit(RLIMIT_CORE, 0) < 0 || set_limit(RLIMIT_NOFILE, WORKER_FILES_MAX) < 0)
		return -1;
	if (e->memory_max && set_limit(RLIMIT_AS, e->memory_max) < 0)
		return -1;
	return e->uid ? set_limit(RLIMIT_NPROC, WORKER_THREADS_MAX) : 0;
}

/* A network, IPC and host name of its own where the platform lets us: the two streams it was given go on working. */
static void leave_namespaces(bool needs_network)
{
	if (unshare((needs_network ? 0 : CLONE_NEWNET) | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
		(void)unshare(CLONE_NEWIPC);
}

static int drop_user(const struct spawn_exec *e)
{
	if (!e->uid)
		return 0;
	leave_namespaces(e->needs_network);
	if (setgroups(0, NULL) < 0 || setresgid(e->uid, e->uid, e->uid) < 0)
		return -1;
	return setresuid(e->uid, e->uid, e->uid);
}

static void become_it(const struct spawn_exec *e, int report)
{
	char *env[] = { NULL };
	sigset_t none;

	sigemptyset(&none);
	setsid();
	if (place_fds(e, report) == 0 && set_limits(e) == 0 && drop_user(e) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && sigprocmask(SIG_SETMASK, &none, NULL) == 0)
		execve(e->path, (char *const *)(uintptr_t)e->argv, env);
	int error = errno;
	ssize_t n = write(3 + (int)e->n_fds, &error, sizeof(error));
	_exit(n == sizeof(error) ? 127 : 126);
}

int spawn_exec(const struct spawn_exec *e)
{
	int pipe_fds[2], error = 0;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		become_it(e, pipe_fds[1]);
	close(pipe_fds[1]);
	if (pid < 0)
		error = errno;
	else if (read(pipe_fds[0], &error, sizeof(error)) != sizeof(error))
		error = 0;
	close(pipe_fds[0]);
	return error ? -error : pid;
}
