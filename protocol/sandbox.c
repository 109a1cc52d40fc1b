/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seccomp for the worker. */
#include "protocol/sandbox.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/seccomp.h"

/* What loops, threads, memory and the streams that are already open need. */
static const int allowed[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg),
	SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(close), SCMP_SYS(shutdown), SCMP_SYS(fcntl), SCMP_SYS(dup), SCMP_SYS(lseek),
	SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_create1), SCMP_SYS(eventfd2), SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime), SCMP_SYS(timerfd_gettime), SCMP_SYS(pipe2),
	SCMP_SYS(futex), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_setaffinity), SCMP_SYS(sched_getparam),
	SCMP_SYS(sched_getscheduler), SCMP_SYS(getpriority), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(set_tid_address), SCMP_SYS(gettid),
	SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(exit),
	SCMP_SYS(exit_group), SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(mincore), SCMP_SYS(membarrier),
	SCMP_SYS(alarm), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time),
	SCMP_SYS(getrandom), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrusage), SCMP_SYS(getcpu),
};

/* What libraries try and can do without. */
static const struct pst_seccomp_refusal refused[] = {
	{ SCMP_SYS(open), EACCES },	{ SCMP_SYS(openat), EACCES },	   { SCMP_SYS(openat2), EACCES },  { SCMP_SYS(creat), EACCES },
	{ SCMP_SYS(access), EACCES },	{ SCMP_SYS(faccessat), EACCES },  { SCMP_SYS(faccessat2), EACCES }, { SCMP_SYS(stat), EACCES },
	{ SCMP_SYS(lstat), EACCES },	{ SCMP_SYS(statx), EACCES },	   { SCMP_SYS(statfs), EACCES },   { SCMP_SYS(readlink), EACCES },
	{ SCMP_SYS(readlinkat), EACCES }, { SCMP_SYS(getcwd), EACCES },   { SCMP_SYS(mkdir), EACCES },    { SCMP_SYS(mkdirat), EACCES },
	{ SCMP_SYS(unlink), EACCES },	{ SCMP_SYS(unlinkat), EACCES },   { SCMP_SYS(socket), EACCES },   { SCMP_SYS(connect), EACCES },
	{ SCMP_SYS(ioctl), ENOTTY },	{ SCMP_SYS(memfd_create), EACCES }, { SCMP_SYS(sched_setscheduler), EPERM }, { SCMP_SYS(setpriority), EPERM },
	{ SCMP_SYS(clone3), ENOSYS }, /* glibc then uses clone, whose flags can be read */
};

#define THREAD (CLONE_VM | CLONE_THREAD | CLONE_SIGHAND)

/* Calls whose arguments decide: threads but no processes, memory but no new code, a thread's name but no other prctl. */
static const struct pst_seccomp_rule rules[] = {
	{ SCMP_SYS(clone), 0, PST_SECCOMP_MASKED, THREAD, THREAD, 0 },
	{ SCMP_SYS(mmap), 2, PST_SECCOMP_MASKED, PROT_EXEC, 0, 0 },
	{ SCMP_SYS(mmap), 2, PST_SECCOMP_MASKED, PROT_EXEC, PROT_EXEC, EACCES },
	{ SCMP_SYS(mprotect), 2, PST_SECCOMP_MASKED, PROT_EXEC, 0, 0 },
	{ SCMP_SYS(prctl), 0, PST_SECCOMP_EQUAL, PR_SET_NAME, 0, 0 },
	{ SCMP_SYS(socketpair), 0, PST_SECCOMP_EQUAL, AF_UNIX, 0, 0 },
	/* Reading a limit, not setting one. */
	{ SCMP_SYS(prlimit64), 2, PST_SECCOMP_EQUAL, 0, 0, 0 },
	/* abort() signals our own threads; other processes are out of reach. */
	{ SCMP_SYS(tgkill), 0, PST_SECCOMP_OWN_PID, 0, 0, 0 },
};

static const struct pst_seccomp list = {
	.allowed = allowed,
	.n_allowed = PST_ARRAY_LEN(allowed),
	.refused = refused,
	.n_refused = PST_ARRAY_LEN(refused),
	.rules = rules,
	.n_rules = PST_ARRAY_LEN(rules),
};

static const int memory[] = { SCMP_SYS(memfd_create), SCMP_SYS(ftruncate) };

int sandbox_enter_seat(struct pst_err *err)
{
	int calls[PST_ARRAY_LEN(allowed) + PST_ARRAY_LEN(memory)];
	struct pst_seccomp_refusal others[PST_ARRAY_LEN(refused)];
	struct pst_seccomp seat = list;

	memcpy(calls, allowed, sizeof(allowed));
	memcpy(calls + PST_ARRAY_LEN(allowed), memory, sizeof(memory));
	seat.allowed = calls;
	seat.n_allowed = PST_ARRAY_LEN(calls);
	seat.refused = others;
	seat.n_refused = 0;
	for (size_t i = 0; i < PST_ARRAY_LEN(refused); i++)
		if (refused[i].call != memory[0])
			others[seat.n_refused++] = refused[i];
	return pst_seccomp_enter(&seat, PST_SECCOMP_KILL, err);
}

int sandbox_enter(struct pst_err *err)
{
	return pst_seccomp_enter(&list, PST_SECCOMP_KILL, err);
}

int sandbox_enter_logging(struct pst_err *err)
{
	return pst_seccomp_enter(&list, PST_SECCOMP_LOG, err);
}
