/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tree goes from the outside's mount namespace into the desktop's by a descriptor, so no path of either is ever
 * looked up in the other. Nothing is mounted lazily away: a home that somebody still uses is told as such.
 */
#include "broker/hypervisor/desktop/attach.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/desktop/home.h"
#include "broker/hypervisor/desktop/loop.h"
#include "broker/hypervisor/desktop/mounts.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/mapped.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LET_GO_MS 4000 /* what was killed may take so long to be gone */
#define FILES "files"
#define NEW "files.new"
#define TOLD "told" /* in DIR: the session has begun anew on the home that is mounted */

struct attach {
	const char *dir, *folder;
	uid_t uid;     /* of the desktop */
	uint64_t size; /* of a disk, in bytes; 0: what is new is a folder */
	struct process_id id;
	int pidfd;
};

static int open_within(int at, const char *path, uint64_t flags, uint64_t resolve)
{
	const struct open_how how = { .flags = flags | O_DIRECTORY | O_CLOEXEC, .resolve = resolve };

	return (int)syscall(SYS_openat2, at, path, &how, sizeof(how));
}

/* The image's, as the desktop sees it. */
static int skeleton_open(const struct attach *a)
{
	char path[64];
	int root, fd;

	snprintf(path, sizeof(path), "/proc/%d/root", (int)a->id.pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = root < 0 ? -1 : open_within(root, "etc/skel", O_RDONLY, RESOLVE_IN_ROOT);
	pst_fd_close(&root);
	return fd;
}

/* Whole or not at all: what a crash leaves has the other name. */
static int files_make(const struct attach *a, struct pst_err *err)
{
	const char *folder = a->folder;
	int own = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), skel = -1, to = -1, rc;
	char path[PATH_MAX];

	if (own < 0)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", folder);
	rc = path_make(path, err, "%s/" NEW, folder);
	if (rc == 0)
		rc = tree_remove(path, err);
	if (rc == 0 && (mkdirat(own, NEW, 0700) < 0 || (to = openat(own, NEW, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0))
		rc = pst_err_sys(err, errno == ENOSPC ? PST_ENOSPC : PST_EIO, errno, "make %.200s/" NEW, folder);
	if (rc == 0 && (skel = skeleton_open(a)) >= 0)
		rc = home_fill(skel, to, a->uid, err);
	if (rc == 0 && (fchown(to, a->uid, a->uid) < 0 || fsync(to) < 0 || renameat(own, NEW, own, FILES) < 0 || fsync(own) < 0))
		rc = pst_err_sys(err, PST_EIO, errno, "make %.200s/" FILES, folder);
	pst_fd_close(&skel);
	pst_fd_close(&to);
	pst_fd_close(&own);
	return rc;
}

static int home_open(struct pst_err *err)
{
	int fd = open_within(AT_FDCWD, DESKTOP_HOME, O_PATH, RESOLVE_NO_SYMLINKS);

	return fd < 0 ? pst_err_sys(err, PST_EIO, errno, "the desktop's %s", DESKTOP_HOME) : fd;
}

static bool is_mount(int fd)
{
	struct statx st;

	return statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &st) == 0 && (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* Is the disk on the desktop's home already? PST_EBUSY when something else is. As seen from outside. */
static int home_look(const struct attach *a, bool *ret, struct pst_err *err)
{
	char path[64], files[PATH_MAX];
	struct pst_err ignored = PST_ERR_INIT;
	struct stat home, st;
	int root, fd, rc = 0;

	snprintf(path, sizeof(path), "/proc/%d/root", (int)a->id.pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = root < 0 ? -1 : open_within(root, DESKTOP_HOME + 1, O_PATH, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
	pst_fd_close(&root);
	if (fd < 0)
		return pst_err_sys(err, PST_EIO, errno, "the desktop's %s", DESKTOP_HOME);
	*ret = false;
	if (is_mount(fd)) {
		*ret = path_make(files, &ignored, "%s/" FILES, a->folder) == 0 && fstat(fd, &home) == 0 && stat(files, &st) == 0 &&
			home.st_dev == st.st_dev && home.st_ino == st.st_ino;
		*ret = *ret || loop_is(fd, a->folder);
		if (!*ret)
			rc = pst_err_set(err, PST_EBUSY, "something else is mounted on the desktop's home");
	}
	close(fd);
	return rc;
}

/* In the desktop's mount namespace from here on. dir: the desktop's own, outside. */
static int home_cover(int tree, int dir, struct pst_err *err)
{
	int home = home_open(err), rc = 0;

	if (home < 0)
		return home;
	if (unlinkat(dir, TOLD, 0) < 0 && errno != ENOENT)
		rc = pst_err_sys(err, PST_EIO, errno, "forget the session before");
	else if (move_mount(tree, "", home, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		rc = pst_err_sys(err, PST_EIO, errno, "mount on the desktop's home");
	close(home);
	return rc;
}

static int home_uncover(struct pst_err *err)
{
	static const struct timespec pause = { 0, 20 * 1000 * 1000 };
	uint64_t end = pst_mono_ms() + LET_GO_MS;

	for (;;) {
		int home = home_open(err);
		bool is_covered = home >= 0 && is_mount(home);

		if (home < 0)
			return home;
		close(home);
		if (!is_covered || umount2(DESKTOP_HOME, UMOUNT_NOFOLLOW) == 0)
			return 0;
		if (errno != EBUSY)
			return pst_err_sys(err, PST_EIO, errno, "unmount the desktop's home");
		if (pst_mono_ms() >= end)
			return pst_err_set(err, PST_EBUSY, "the desktop does not let go of its user's files");
		nanosleep(&pause, NULL); /* the kernel tells nobody when a file is closed */
	}
}

static int desktop_open(struct attach *a, struct pst_err *err)
{
	char path[PATH_MAX];

	a->pidfd = -1;
	if (path_make(path, err, "%s/pid", a->dir) < 0 || process_load(path, &a->id, err) < 0)
		return err->code;
	a->pidfd = process_open(&a->id, err);
	return a->pidfd < 0 ? a->pidfd : 0;
}

static int desktop_enter(const struct attach *a, struct pst_err *err)
{
	return setns(a->pidfd, CLONE_NEWNS) < 0 ? pst_err_sys(err, PST_EIO, errno, "enter the desktop") : 0;
}

static int session_signal(const struct attach *a, int signal, struct pst_err *err)
{
	return syscall(SYS_pidfd_send_signal, a->pidfd, signal, NULL, 0) < 0 ? pst_err_sys(err, PST_EIO, errno, "tell the session") : 0;
}

/* Once: asked again late, its user works already. */
static int session_renew(const struct attach *a, int dir, struct pst_err *err)
{
	int fd;

	if (faccessat(dir, TOLD, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (session_signal(a, SIGHUP, err) < 0)
		return err->code;
	fd = openat(dir, TOLD, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600); /* without it the next one tells again */
	pst_fd_close(&fd);
	return 0;
}

static int is_there(const char *folder, const char *name, bool *ret, struct pst_err *err)
{
	char path[PATH_MAX];

	if (path_make(path, err, "%s/%s", folder, name) < 0)
		return err->code;
	*ret = faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	return *ret || errno == ENOENT ? 0 : pst_err_sys(err, PST_EIO, errno, "%.200s", path);
}

/* What there is from before, whatever is wished now: a folder, or a disk. Else a disk where there is to be a size, and a folder where not. */
static int tree_open(const struct attach *a, struct pst_err *err)
{
	bool has_files = false, has_disk = false;
	char files[PATH_MAX];
	int skeleton, tree;

	if (path_make(files, err, "%s/" FILES, a->folder) < 0 || is_there(a->folder, FILES, &has_files, err) < 0 ||
		is_there(a->folder, LOOP_FILE, &has_disk, err) < 0)
		return err->code;
	if (has_files || (a->size == 0 && !has_disk))
		return !has_files && files_make(a, err) < 0 ? err->code : mapped_open(files, a->uid, err);
	skeleton = skeleton_open(a);
	tree = loop_open(a->folder, a->size, skeleton, a->uid, err);
	pst_fd_close(&skeleton);
	if (tree >= 0 && mapped_mount(tree, a->folder, a->uid, err) < 0)
		pst_fd_close(&tree);
	return tree < 0 ? err->code : tree;
}

/* Only what may be done outside is done before. */
static int cover(struct attach *a, int dir, struct pst_err *err)
{
	int tree = tree_open(a, err), rc;

	if (tree < 0)
		return tree;
	rc = desktop_enter(a, err);
	if (rc == 0)
		rc = home_cover(tree, dir, err);
	close(tree);
	return rc;
}

static int attach_run(struct attach *a, struct pst_err *err)
{
	bool is_covered = false;
	int at, rc;

	if (desktop_open(a, err) < 0 || home_look(a, &is_covered, err) < 0)
		return err->code;
	at = open(a->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = at < 0 ? pst_err_sys(err, PST_EIO, errno, "%.200s", a->dir) : 0;
	if (rc == 0 && !is_covered)
		rc = cover(a, at, err);
	if (rc == 0)
		rc = session_renew(a, at, err);
	pst_fd_close(&at);
	return rc;
}

static int home_leave(struct attach *a, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	int rc = desktop_open(a, &why);

	if (rc == 0)
		rc = session_signal(a, SIGUSR1, &why);
	if (rc == 0)
		rc = desktop_enter(a, &why);
	if (rc == 0)
		return home_uncover(err);
	return rc == PST_ENOTFOUND ? 0 : pst_err_pass(err, rc, &why); /* with its process 1 its mounts are gone */
}

static int detach_run(struct attach *a, struct pst_err *err)
{
	int own = open(a->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int disk = loop_file(a->folder), rc = home_leave(a, err);

	if (rc == 0 && disk >= 0)
		rc = loop_settle(disk, LET_GO_MS, err);
	if (rc == 0 && own >= 0 && syncfs(own) < 0)
		rc = pst_err_sys(err, PST_EIO, errno, "write out %.200s", a->folder);
	pst_fd_close(&disk);
	pst_fd_close(&own);
	return rc;
}

static int check_run(struct attach *a, struct pst_err *err)
{
	return loop_check(a->folder, err);
}

static int run(int (*work)(struct attach *a, struct pst_err *err), struct attach *a)
{
	struct pst_err err = PST_ERR_INIT;

	a->pidfd = -1;
	/* The provisioner that asked may be followed by one that asks for the opposite. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	int rc = work(a, &err);

	pst_fd_close(&a->pidfd);
	if (rc < 0)
		fprintf(stderr, "%s\n", err.text);
	return rc < 0 ? 1 : 0;
}

int attach_main(char **words)
{
	struct attach a = { .dir = words[0], .folder = words[1] };
	uint32_t mb;

	if (pst_parse_u32(words[2], 1, UINT32_MAX, &a.uid) < 0 || pst_parse_u32(words[3], 0, UINT32_MAX, &mb) < 0)
		return 2;
	a.size = (uint64_t)mb << 20;
	return run(attach_run, &a);
}

int detach_main(char **words)
{
	struct attach a = { .dir = words[0], .folder = words[1] };

	return run(detach_run, &a);
}

int attach_check_main(char **words)
{
	struct attach a = { .folder = words[0] };

	return run(check_run, &a);
}
