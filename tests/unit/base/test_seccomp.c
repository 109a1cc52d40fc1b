/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of system calls: allowed, refused, decided by an argument, deadly. */
#include "base/seccomp.h"

#include "base/mem.h"
#include "tests/unit/base/util.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static const int allowed[] = { SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn), SCMP_SYS(gettid) };
static const struct pst_seccomp_refusal refused[] = { { SCMP_SYS(getppid), EACCES } };
static const struct pst_seccomp_rule rules[] = {
	{ SCMP_SYS(socket), 0, PST_SECCOMP_EQUAL, AF_UNIX, 0, 0 },
	{ SCMP_SYS(socket), 0, PST_SECCOMP_EQUAL, AF_INET, 0, EAFNOSUPPORT },
	{ SCMP_SYS(fcntl), 2, PST_SECCOMP_MASKED, 4, 0, 0 },
	{ SCMP_SYS(tgkill), 0, PST_SECCOMP_OWN_PID, 0, 0, 0 },
};
static const int deadly[] = { SCMP_SYS(getuid) };
static const struct pst_seccomp list = {
	allowed, PST_ARRAY_LEN(allowed), refused, PST_ARRAY_LEN(refused), rules, PST_ARRAY_LEN(rules), deadly, PST_ARRAY_LEN(deadly),
};

static long call(long number, long a, long b, long c)
{
	return syscall(number, a, b, c) < 0 ? errno : 0;
}

static const struct {
	long number, a, b, c;
	int otherwise;
	int expected; /* errno, or -SIGSYS */
} cases[] = {
	{ SYS_gettid, 0, 0, 0, PST_SECCOMP_KILL, 0 },
	{ SYS_getppid, 0, 0, 0, PST_SECCOMP_KILL, EACCES },
	{ SYS_socket, AF_UNIX, SOCK_STREAM, 0, PST_SECCOMP_KILL, 0 },
	{ SYS_socket, AF_INET, SOCK_STREAM, 0, PST_SECCOMP_KILL, EAFNOSUPPORT },
	{ SYS_socket, AF_INET6, SOCK_STREAM, 0, PST_SECCOMP_KILL, -SIGSYS },
	{ SYS_fcntl, 99, 1, 2, PST_SECCOMP_KILL, EBADF },
	{ SYS_fcntl, 99, 1, 4, PST_SECCOMP_KILL, -SIGSYS },
	{ SYS_tgkill, 1, 1, 0, PST_SECCOMP_KILL, -SIGSYS },
	{ SYS_getpid, 0, 0, 0, PST_SECCOMP_KILL, -SIGSYS },
	{ SYS_getpid, 0, 0, 0, PST_SECCOMP_REFUSE, EPERM },
	{ SYS_getpid, 0, 0, 0, PST_SECCOMP_LOG, 0 },
	{ SYS_getuid, 0, 0, 0, PST_SECCOMP_REFUSE, -SIGSYS },
	{ SYS_getuid, 0, 0, 0, PST_SECCOMP_LOG, 0 },
};

Test(seccomp, each_call_meets_its_table)
{
#ifdef __SANITIZE_ADDRESS__
	cr_skip_test("the sanitizer's own system calls stand in no table");
#endif
	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			struct pst_err err;

			signal(SIGSYS, SIG_DFL);
			prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
			if (pst_seccomp_enter(&list, (enum pst_seccomp_default)cases[i].otherwise, &err) < 0)
				_exit(255);
			_exit((int)call(cases[i].number, cases[i].a, cases[i].b, cases[i].c));
		}
		waitpid(pid, &status, 0);
		cr_assert_eq(WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), cases[i].expected, "case %zu: %x", i, status);
	}
}
