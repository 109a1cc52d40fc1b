/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seccomp for the broker. */
#include "broker/sandbox.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/seccomp.h"

/* SQLite's files, sockets, threads that hash passwords. */
static const int allowed[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(lseek),
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(close), SCMP_SYS(fcntl), SCMP_SYS(flock), SCMP_SYS(dup), SCMP_SYS(fsync), SCMP_SYS(fdatasync),
	SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(statx),
	SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
	SCMP_SYS(getcwd), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename), SCMP_SYS(renameat),
	SCMP_SYS(renameat2), SCMP_SYS(link), SCMP_SYS(rmdir), SCMP_SYS(umask), SCMP_SYS(chmod), SCMP_SYS(fchmod), SCMP_SYS(fchmodat),
	SCMP_SYS(chown), SCMP_SYS(fchown), SCMP_SYS(fchownat), SCMP_SYS(utimensat), SCMP_SYS(getdents64),
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(accept4),
	SCMP_SYS(connect), SCMP_SYS(shutdown), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_create1),
	SCMP_SYS(eventfd2), SCMP_SYS(pipe2), SCMP_SYS(futex), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq), SCMP_SYS(gettid), SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
	SCMP_SYS(getegid), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(msync), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday),
	SCMP_SYS(time), SCMP_SYS(getrandom), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrusage),
};

static const struct pst_seccomp_refusal refused[] = {
	{ SCMP_SYS(io_uring_setup), ENOSYS },
	{ SCMP_SYS(clone3), ENOSYS }, /* glibc then uses clone, whose flags can be read */
};

#define THREAD (CLONE_VM | CLONE_THREAD | CLONE_SIGHAND)

static const struct pst_seccomp_rule rules[] = {
	{ SCMP_SYS(socket), 0, PST_SECCOMP_EQUAL, AF_UNIX, 0, 0 },
	{ SCMP_SYS(socket), 0, PST_SECCOMP_EQUAL, AF_INET, 0, 0 },
	{ SCMP_SYS(socket), 0, PST_SECCOMP_EQUAL, AF_INET6, 0, 0 },
	{ SCMP_SYS(socketpair), 0, PST_SECCOMP_EQUAL, AF_UNIX, 0, 0 },
	{ SCMP_SYS(ioctl), 1, PST_SECCOMP_EQUAL, FIONBIO, 0, 0 },
	{ SCMP_SYS(ioctl), 1, PST_SECCOMP_EQUAL, TCGETS, 0, ENOTTY },
	{ SCMP_SYS(clone), 0, PST_SECCOMP_MASKED, THREAD, THREAD, 0 },
	{ SCMP_SYS(mmap), 2, PST_SECCOMP_MASKED, PROT_EXEC, 0, 0 },
	{ SCMP_SYS(mprotect), 2, PST_SECCOMP_MASKED, PROT_EXEC, 0, 0 },
	{ SCMP_SYS(prctl), 0, PST_SECCOMP_EQUAL, PR_SET_NAME, 0, 0 },
	/* Reading a limit, not setting one. */
	{ SCMP_SYS(prlimit64), 2, PST_SECCOMP_EQUAL, 0, 0, 0 },
	{ SCMP_SYS(tgkill), 0, PST_SECCOMP_OWN_PID, 0, 0, 0 },
};

static const int deadly[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(pidfd_getfd), SCMP_SYS(kill), SCMP_SYS(setuid), SCMP_SYS(setresuid), SCMP_SYS(setreuid),
	SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(mount), SCMP_SYS(bpf), SCMP_SYS(io_uring_enter), SCMP_SYS(keyctl), SCMP_SYS(userfaultfd),
	SCMP_SYS(perf_event_open), SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(kexec_load),
};

int sandbox_broker_enter(struct pst_err *err)
{
	static const struct pst_seccomp list = {
		.allowed = allowed,
		.n_allowed = PST_ARRAY_LEN(allowed),
		.refused = refused,
		.n_refused = PST_ARRAY_LEN(refused),
		.rules = rules,
		.n_rules = PST_ARRAY_LEN(rules),
		.deadly = deadly,
		.n_deadly = PST_ARRAY_LEN(deadly),
	};

	return pst_seccomp_enter(&list, PST_SECCOMP_REFUSE, err);
}
