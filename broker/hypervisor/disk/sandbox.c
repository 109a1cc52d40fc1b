/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Confines a program that reads strangers' files. */
#include "broker/hypervisor/disk/sandbox.h"

#include "base/mem.h"
#include "base/unixsock.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILES_MAX 64 /* descriptors */
#define NICE 10

/* One uid for each run that may be alive: they cannot touch each other. */
#define UID_FIRST 2130000000u
#define UID_COUNT 100000u

#define RIGHTS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_EXECUTE)
#define RIGHTS_1 ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1) /* of the first version */

/* What a dynamic program needs to start. */
static const char *const system_paths[] = { "/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/dev/null",
	"/dev/urandom" };

/* Calls that no converter of files needs, and that reach other processes or the kernel's odd corners. */
static const int denied_calls[] = { SYS_socket, SYS_socketpair, SYS_connect, SYS_ptrace, SYS_process_vm_readv,
	SYS_process_vm_writev, SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup, SYS_keyctl,
	SYS_add_key, SYS_request_key, SYS_unshare, SYS_setns, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot,
	SYS_open_by_handle_at, SYS_name_to_handle_at, SYS_pidfd_getfd, SYS_kcmp, SYS_personality };

#define N_DENIED PST_ARRAY_LEN(denied_calls)

static int landlock_allow(int ruleset, int fd, uint64_t rights, struct pst_err *err)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = rights, .parent_fd = fd };
	struct stat st;

	if (fstat(fd, &st) < 0)
		return pst_err_sys(err, PST_EIO, errno, "sandbox");
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= ~(uint64_t)LANDLOCK_ACCESS_FS_READ_DIR;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return pst_err_sys(err, PST_EIO, errno, "Landlock");
	return 0;
}

/* What is not there is not allowed, and the start tells. */
static int path_allow(int ruleset, const char *path, struct pst_err *err)
{
	int fd = open(path, O_PATH | O_CLOEXEC), rc;

	if (fd < 0)
		return 0;
	rc = landlock_allow(ruleset, fd, RIGHTS_READ, err);
	pst_fd_close(&fd);
	return rc;
}

static int system_allow(int ruleset, struct pst_err *err)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(system_paths); i++) {
		if (path_allow(ruleset, system_paths[i], err) < 0)
			return err->code;
	}
	return 0;
}

static int file_give(const struct sandbox *s, int fd, struct pst_err *err)
{
	if (fchown(fd, s->uid, s->uid) < 0)
		return pst_err_sys(err, PST_EIO, errno, "sandbox: give a file to uid %u", s->uid);
	return landlock_allow(s->ruleset, fd, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE, err);
}

static int files_allow(const struct sandbox *s, struct pst_err *err)
{
	const struct sandbox_params *p = &s->params;

	if (system_allow(s->ruleset, err) < 0 || (p->program && path_allow(s->ruleset, p->program, err) < 0))
		return err->code;
	for (size_t i = 0; i < p->n_read; i++)
		if (landlock_allow(s->ruleset, p->read_fds[i], LANDLOCK_ACCESS_FS_READ_FILE, err) < 0)
			return err->code;
	for (size_t i = 0; i < p->n_write; i++)
		if (file_give(s, p->write_fds[i], err) < 0)
			return err->code;
	return p->write_fd < 0 ? 0 : file_give(s, p->write_fd, err);
}

int sandbox_init(struct sandbox *s, const struct sandbox_params *params, struct pst_err *err)
{
	static atomic_uint next;
	struct landlock_ruleset_attr attr = { .handled_access_fs = RIGHTS_1 };

	*s = (struct sandbox){ .params = *params, .ruleset = -1 };
	if (geteuid() != 0)
		return pst_err_set(err, PST_EDENIED, "the sandbox needs root");
	s->uid = UID_FIRST + ((unsigned)getpid() + atomic_fetch_add(&next, 1)) % UID_COUNT;
	s->ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (s->ruleset < 0)
		return pst_err_sys(err, PST_EUNSUPPORTED, errno, "the sandbox needs Landlock");
	fcntl(s->ruleset, F_SETFD, FD_CLOEXEC);
	if (files_allow(s, err) < 0) {
		sandbox_finish(s);
		return err->code;
	}
	return 0;
}

void sandbox_finish(struct sandbox *s)
{
	pst_fd_close(&s->ruleset);
}

static int limit_set(int what, uint64_t value)
{
	struct rlimit lim;

	if (getrlimit((__rlimit_resource_t)what, &lim) < 0)
		return -1;
	lim.rlim_max = PST_MIN(lim.rlim_max, (rlim_t)value);
	lim.rlim_cur = lim.rlim_max;
	return setrlimit((__rlimit_resource_t)what, &lim);
}

static int limits_enter(const struct sandbox_params *p)
{
	setpriority(PRIO_PROCESS, 0, NICE);
	if (limit_set(RLIMIT_AS, p->memory_max) < 0 || limit_set(RLIMIT_FSIZE, p->file_max) < 0 ||
		limit_set(RLIMIT_CPU, p->cpu_s_max) < 0 || limit_set(RLIMIT_NOFILE, FILES_MAX) < 0)
		return -1;
	return limit_set(RLIMIT_CORE, 0);
}

static int caps_set(uint32_t bits)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { .effective = bits, .permitted = bits, .inheritable = bits } };

	return (int)syscall(SYS_capset, &head, data);
}

/*
 * The file that is read may be anybody's: one capability stays, which reads every file, and
 * Landlock leaves one file to read. Raw calls, because glibc's setresuid asks all threads.
 */
static int uid_enter(uid_t uid)
{
	const uint32_t reads = UINT32_C(1) << CAP_DAC_READ_SEARCH;

	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || syscall(SYS_setgroups, 0, NULL) < 0 ||
		syscall(SYS_setresgid, uid, uid, uid) < 0 || syscall(SYS_setresuid, uid, uid, uid) < 0)
		return -1;
	if (caps_set(reads) < 0)
		return -1;
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_READ_SEARCH, 0, 0);
}

#if defined(__x86_64__)
#define ARCH UINT32_C(0xc000003e) /* AUDIT_ARCH_X86_64 */
#elif defined(__aarch64__)
#define ARCH UINT32_C(0xc00000b7) /* AUDIT_ARCH_AARCH64 */
#else
#error "name this processor's AUDIT_ARCH"
#endif

/* Another architecture's numbers, and x32's, end the program; a denied call fails with EPERM. */
static int calls_enter(void)
{
	struct sock_filter code[6 + N_DENIED + 2];
	struct sock_fprog program = { .filter = code };
	unsigned short n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	for (size_t i = 0; i < N_DENIED; i++)
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)denied_calls[i],
			(uint8_t)(N_DENIED - i), 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	program.len = n;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

const char *sandbox_enter(const struct sandbox *s)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWIPC) < 0)
		return "leave the network";
	if (limits_enter(&s->params) < 0)
		return "set limits";
	if (uid_enter(s->uid) < 0)
		return "give up root";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return "set no_new_privs";
	if (syscall(SYS_landlock_restrict_self, s->ruleset, 0) < 0)
		return "enter Landlock";
	return calls_enter() < 0 ? "load the system-call filter" : NULL;
}
