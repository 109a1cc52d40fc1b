/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seccomp and Landlock for the gate. */
#include "protocol/sandbox_gate.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/landlock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/seccomp.h"

/* What loops, TLS, streams and web files need. openat2 says its flags in memory, which seccomp cannot read: Landlock has its files. */
static const int allowed[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg),
	SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(sendfile), SCMP_SYS(close), SCMP_SYS(shutdown), SCMP_SYS(fcntl), SCMP_SYS(dup),
	SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(openat2), SCMP_SYS(accept4), SCMP_SYS(connect), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
	SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_create1), SCMP_SYS(eventfd2), SCMP_SYS(pipe2), SCMP_SYS(futex), SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(gettid), SCMP_SYS(getpid), SCMP_SYS(getppid),
	SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(brk),
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrusage),
};

/* What libraries try and can do without: glibc looks for a time zone, libuv for io_uring, threads start by clone where clone3 is missing. */
static const struct pst_seccomp_refusal refused[] = {
	{ SCMP_SYS(open), EACCES },	 { SCMP_SYS(openat), EACCES },	   { SCMP_SYS(access), EACCES },     { SCMP_SYS(faccessat), EACCES },
	{ SCMP_SYS(faccessat2), EACCES }, { SCMP_SYS(stat), EACCES },	   { SCMP_SYS(lstat), EACCES },
	{ SCMP_SYS(statx), EACCES },	 { SCMP_SYS(readlink), EACCES },   { SCMP_SYS(readlinkat), EACCES },
	{ SCMP_SYS(io_uring_setup), ENOSYS }, { SCMP_SYS(clone3), ENOSYS },
};

#define THREAD (CLONE_VM | CLONE_THREAD | CLONE_SIGHAND)

/* The only sockets are those towards the broker and the service manager; the only memory is data. */
static const struct pst_seccomp_rule rules[] = {
	{ SCMP_SYS(socket), 0, PST_SECCOMP_EQUAL, AF_UNIX, 0, 0 },
	{ SCMP_SYS(socketpair), 0, PST_SECCOMP_EQUAL, AF_UNIX, 0, 0 },
	{ SCMP_SYS(ioctl), 1, PST_SECCOMP_EQUAL, FIONBIO, 0, 0 },
	{ SCMP_SYS(ioctl), 1, PST_SECCOMP_EQUAL, TCGETS, 0, ENOTTY },
	/* fstat() is this call since glibc 2.33. */
	{ SCMP_SYS(newfstatat), 3, PST_SECCOMP_MASKED, AT_EMPTY_PATH, AT_EMPTY_PATH, 0 },
	{ SCMP_SYS(newfstatat), 3, PST_SECCOMP_MASKED, AT_EMPTY_PATH, 0, EACCES },
	{ SCMP_SYS(clone), 0, PST_SECCOMP_MASKED, THREAD, THREAD, 0 },
	{ SCMP_SYS(mmap), 2, PST_SECCOMP_MASKED, PROT_EXEC, 0, 0 },
	{ SCMP_SYS(mmap), 2, PST_SECCOMP_MASKED, PROT_EXEC, PROT_EXEC, EACCES },
	{ SCMP_SYS(mprotect), 2, PST_SECCOMP_MASKED, PROT_EXEC, 0, 0 },
	{ SCMP_SYS(prctl), 0, PST_SECCOMP_EQUAL, PR_SET_NAME, 0, 0 },
	/* Reading a limit, not setting one. */
	{ SCMP_SYS(prlimit64), 2, PST_SECCOMP_EQUAL, 0, 0, 0 },
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

static int enter(int web_dir_fd, enum pst_seccomp_default otherwise, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	int rc = pst_landlock_read_below(web_dir_fd, &why);

	if (rc == PST_EUNSUPPORTED)
		pst_warn("%s: only file permissions keep the gate from other files", why.text);
	else if (rc < 0)
		return pst_err_pass(err, rc, &why);
	return pst_seccomp_enter(&list, otherwise, err);
}

int sandbox_gate_enter(int web_dir_fd, struct pst_err *err)
{
	return enter(web_dir_fd, PST_SECCOMP_KILL, err);
}

int sandbox_gate_enter_logging(int web_dir_fd, struct pst_err *err)
{
	return enter(web_dir_fd, PST_SECCOMP_LOG, err);
}
