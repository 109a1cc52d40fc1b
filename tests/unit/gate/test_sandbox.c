/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The worker's sandbox: what goes on, what is refused, what ends the process. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/sandbox.h"

static void *in_thread(void *arg)
{
	return malloc((size_t)(uintptr_t)arg);
}

static int can_work(void)
{
	pthread_t thread;
	char *memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *big = malloc(8 << 20);
	int pair[2], rc = 1;

	if (memory != MAP_FAILED && big && pthread_create(&thread, NULL, in_thread, (void *)16) == 0) {
		void *ret;

		pthread_join(thread, &ret);
		free(ret);
		rc = socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || write(pair[0], "x", 1) != 1;
	}
	free(big);
	return rc;
}

static int no_file(void)
{
	return open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES || open("/tmp/x", O_CREAT | O_WRONLY, 0600) >= 0 || access("/", R_OK) == 0;
}

static int no_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EACCES || socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static int no_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static int do_exec(void)
{
	char *const none[] = { NULL };

	return execve("/bin/true", none, none);
}

static int do_fork(void)
{
	return fork() >= 0 ? 0 : 1;
}

static int do_kill(void)
{
	return kill(1, 0) == 0 ? 0 : 0;
}

static int do_trace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 ? 0 : 0;
}

static int do_limit(void)
{
	struct rlimit r = { 1, 1 };

	return setrlimit(RLIMIT_NOFILE, &r) == 0 ? 0 : 0;
}

static int do_bind(void)
{
	return bind(0, NULL, 0) == 0 ? 0 : 0;
}

/* Runs it behind the door in a process of its own; the wait status. */
static int behind_the_door(int (*what)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct pst_err err;

		signal(SIGSYS, SIG_DFL);
		if (sandbox_enter(&err) < 0)
			_exit(99);
		_exit(what());
	}
	waitpid(pid, &status, 0);
	return status;
}

Test(sandbox, test_work_goes_on)
{
	cr_assert_eq(behind_the_door(can_work), 0);
}

Test(sandbox, test_what_libraries_ask_for_is_refused_quietly)
{
	cr_assert_eq(behind_the_door(no_file), 0);
	cr_assert_eq(behind_the_door(no_socket), 0);
	cr_assert_eq(behind_the_door(no_code), 0);
}

Test(sandbox, test_what_an_attacker_wants_ends_the_process)
{
	int (*const wishes[])(void) = { do_exec, do_fork, do_kill, do_trace, do_limit, do_bind };

	for (size_t i = 0; i < sizeof(wishes) / sizeof(*wishes); i++) {
		int status = behind_the_door(wishes[i]);

		cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "wish %zu gave %x", i, status);
	}
}
