/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Takes every privilege away from the desktop before its first program starts. */
#include "broker/hypervisor/desktop/confine.h"

#include "base/mem.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#define NAMESPACES \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | \
		CLONE_NEWCGROUP | CLONE_NEWTIME)

/* Names and not numbers: a call that this machine's libseccomp does not know is left out. */
static const char *const denied_calls[] = {
	/* mounts and other worlds */
	"mount", "umount", "umount2", "pivot_root", "chroot", "fsopen", "fsconfig", "fsmount", "fspick",
	"move_mount", "open_tree", "mount_setattr", "unshare", "setns", "open_by_handle_at",
	"name_to_handle_at", "sethostname", "setdomainname",
	/* other processes' memory and descriptors */
	"ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp",
	/* the kernel itself */
	"kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "create_module",
	"bpf", "perf_event_open", "userfaultfd", "lookup_dcookie", "syslog", "reboot", "swapon", "swapoff",
	"acct", "quotactl", "quotactl_fd", "iopl", "ioperm", "nfsservctl", "vhangup", "uselib",
	"settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "stime",
	/* keys, and the asynchronous ring whose calls a filter cannot see */
	"keyctl", "add_key", "request_key", "io_uring_setup", "io_uring_enter", "io_uring_register",
};

static int limit_set(int what, const char *name, rlim_t value, struct pst_err *err)
{
	struct rlimit lim;

	if (getrlimit(what, &lim) < 0)
		return pst_err_sys(err, PST_EIO, errno, "getrlimit %s", name);
	/* Only lowers: a hard limit below ours was somebody's decision. */
	lim.rlim_max = PST_MIN(lim.rlim_max, value);
	lim.rlim_cur = PST_MIN(lim.rlim_max, value);
	if (setrlimit(what, &lim) < 0)
		return pst_err_sys(err, PST_EIO, errno, "setrlimit %s", name);
	return 0;
}

int confine_limits(const struct launch *l, struct pst_err *err)
{
	if (limit_set(RLIMIT_NPROC, "nproc", l->pids, err) < 0 ||
		limit_set(RLIMIT_NOFILE, "nofile", 8192, err) < 0 ||
		limit_set(RLIMIT_CORE, "core", 0, err) < 0 ||
		limit_set(RLIMIT_MEMLOCK, "memlock", 1 << 20, err) < 0 ||
		limit_set(RLIMIT_MSGQUEUE, "msgqueue", 1 << 16, err) < 0 ||
		limit_set(RLIMIT_SIGPENDING, "sigpending", 4096, err) < 0)
		return err->code;
	return limit_set(RLIMIT_RTPRIO, "rtprio", 0, err);
}

static int caps_drop(struct pst_err *err)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2];

	memset(none, 0, sizeof(none));
	if (syscall(SYS_capset, &head, none) < 0)
		return pst_err_sys(err, PST_EIO, errno, "drop capabilities");
	return 0;
}

static int bounding_drop(struct pst_err *err)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap) < 0)
			return pst_err_sys(err, PST_EIO, errno, "drop capability %d", cap);
	}
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return 0;
}

static int uid_drop(uid_t uid, struct pst_err *err)
{
	if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
		return pst_err_sys(err, PST_EIO, errno, "become uid %u", (unsigned)uid);
	if (setuid(0) == 0)
		return pst_err_set(err, PST_EINTERNAL, "uid 0 could be taken back");
	return 0;
}

/* Families that a desktop has no business with: packet, vsock, alg, bluetooth, can... */
static int families_filter(scmp_filter_ctx ctx)
{
	static const int allowed[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };
	int rc = 0;

	for (int family = 0; family < AF_MAX && rc == 0; family++) {
		bool ok = false;

		for (size_t i = 0; i < PST_ARRAY_LEN(allowed); i++)
			ok |= family == allowed[i];
		if (!ok)
			rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
				SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)family));
	}
	return rc;
}

static int rules_add(scmp_filter_ctx ctx)
{
	int rc = 0;

	for (size_t i = 0; i < PST_ARRAY_LEN(denied_calls) && rc == 0; i++) {
		int call = seccomp_syscall_resolve_name(denied_calls[i]);

		if (call >= 0)
			rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), call, 0);
	}
	/* clone3 hides its flags behind a pointer; without it the C library falls back to clone. */
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	for (unsigned bit = 0; bit < 32 && rc == 0; bit++) {
		scmp_datum_t flag = (scmp_datum_t)1 << bit;

		/* CLONE_NEWTIME shares its bit with the signal number. */
		if ((flag & NAMESPACES) && flag != CLONE_NEWTIME)
			rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
				SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag));
	}
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
			SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, TIOCSTI));
	return rc == 0 ? families_filter(ctx) : rc;
}

static int calls_filter(struct pst_err *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int rc;

	if (!ctx)
		return pst_err_set(err, PST_ENOMEM, "seccomp: no memory");
	/* Another architecture's calls would pass by other numbers. */
	seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
	rc = rules_add(ctx);
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	if (rc < 0)
		return pst_err_sys(err, PST_EIO, -rc, "load the system-call filter");
	return 0;
}

/*
 * A shared network namespace shares abstract sockets too. Landlock ABI 6 (Linux 6.12)
 * closes that; older kernels rely on the peer's uid check. Newer than Debian 12's header.
 */
static void scope_close(void)
{
	struct {
		uint64_t fs, net, scoped;
	} attr = { 0, 0, 1 | 2 }; /* LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | LANDLOCK_SCOPE_SIGNAL */
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	int fd;

	if (abi < 6)
		return;
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (fd < 0)
		return;
	syscall(SYS_landlock_restrict_self, fd, 0);
	close(fd);
}

/* For good, whatever is executed. */
static int calls_close(struct pst_err *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return pst_err_sys(err, PST_EIO, errno, "set no_new_privs");
	scope_close();
	return calls_filter(err);
}

int confine_drop(const struct launch *l, struct pst_err *err)
{
	if (bounding_drop(err) < 0 || uid_drop(l->uid, err) < 0 || caps_drop(err) < 0)
		return err->code;
	return calls_close(err);
}

static int caps_check(struct pst_err *err)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct have[2];

	if (syscall(SYS_capget, &head, have) < 0)
		return pst_err_sys(err, PST_EIO, errno, "read capabilities");
	for (size_t i = 0; i < PST_ARRAY_LEN(have); i++) {
		if (have[i].effective | have[i].permitted | have[i].inheritable)
			return pst_err_set(err, PST_EDENIED, "the engine gave this container capabilities: CapDrop must be ALL");
	}
	return 0;
}

int confine_contained(const struct launch *l, struct pst_err *err)
{
	if (getuid() != l->uid || geteuid() != l->uid || getgid() != l->uid)
		return pst_err_set(err, PST_EDENIED, "the engine started this container as uid %u and not as %u", (unsigned)getuid(), (unsigned)l->uid);
	if (caps_check(err) < 0)
		return err->code;
	return calls_close(err);
}
