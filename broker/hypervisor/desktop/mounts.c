/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mounts the desktop's tree inside its own mount namespace and makes it the root. */
#include "broker/hypervisor/desktop/mounts.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define OVERLAY_OPTIONS_MAX 4000 /* one page is the kernel's ceiling */

static int mount_at(const char *root, const char *inside, const char *type, const char *source,
	unsigned long flags, const char *options, struct pst_err *err)
{
	char path[PATH_MAX];

	if (path_make(path, err, "%s%s", root, inside) < 0)
		return err->code;
	if (mount(source, path, type, flags, options) < 0)
		return pst_err_sys(err, PST_EIO, errno, "mount %s on %s", type ? type : source, path);
	return 0;
}

static int dir_at(const char *root, const char *inside, mode_t mode, uid_t owner,
	struct pst_err *err)
{
	char path[PATH_MAX];

	if (path_make(path, err, "%s%s", root, inside) < 0 || pst_mkdirs(path, mode, err) < 0)
		return err->code;
	if (chown(path, owner, owner) < 0 || chmod(path, mode) < 0)
		return pst_err_sys(err, PST_EIO, errno, "own %s", path);
	return 0;
}

static int bind_at(const char *root, const char *inside, const char *source, unsigned long flags,
	struct pst_err *err)
{
	if (mount_at(root, inside, NULL, source, MS_BIND, NULL, err) < 0)
		return err->code;
	return mount_at(root, inside, NULL, source, MS_REMOUNT | MS_BIND | flags, NULL, err);
}

/*
 * overlayfs refuses a lower layer that lies inside another one, and every image does lie
 * inside "/". Seen through an overlay of its own it is another file system, and may. The
 * price: such a layer adds and replaces, but its whiteouts do not reach the layers below.
 */
static int layer_lift(const struct launch *l, size_t i, char out[PATH_MAX], struct pst_err *err)
{
	char options[OVERLAY_OPTIONS_MAX];

	if (i == l->lowers_n - 1 || strcmp(l->lowers[l->lowers_n - 1], "/") != 0)
		return path_make(out, err, "%s", l->lowers[i]);
	if (path_make(out, err, "%s/layer%zu", l->dir, i) < 0 || pst_mkdirs(out, 0700, err) < 0)
		return err->code;
	/* root/ is still empty: without an upper layer two lower ones are wanted. */
	snprintf(options, sizeof(options), "lowerdir=%s:%s/root", l->lowers[i], l->dir);
	if (mount("puesto", out, "overlay", MS_NODEV | MS_RDONLY, options) < 0)
		return pst_err_sys(err, PST_EIO, errno, "mount the image layer %s", l->lowers[i]);
	return 0;
}

static int overlay_options(const struct launch *l, struct pst_buf *b, struct pst_err *err)
{
	char lower[PATH_MAX];

	for (size_t i = 0; i < l->lowers_n; i++) {
		if (layer_lift(l, i, lower, err) < 0)
			return err->code;
		pst_buf_printf(b, "%s%s", i == 0 ? "lowerdir=" : ":", lower);
	}
	pst_buf_printf(b, ",upperdir=%s/upper,workdir=%s/work", l->dir, l->dir);
	if (!pst_buf_cstr(b))
		return pst_err_set(err, PST_ELIMIT, "the paths of the layers are too long for overlayfs");
	return 0;
}

static int overlay_mount(const struct launch *l, const char *root, struct pst_err *err)
{
	struct pst_buf b;
	int rc;

	pst_buf_init(&b, OVERLAY_OPTIONS_MAX);
	rc = overlay_options(l, &b, err);
	if (rc == 0 && mount("puesto", root, "overlay", MS_NODEV, pst_buf_cstr(&b)) < 0)
		rc = pst_err_sys(err, PST_EIO, errno, "mount overlay (%s)", pst_buf_cstr(&b));
	pst_buf_finish(&b);
	return rc;
}

static int dev_nodes(const char *root, struct pst_err *err)
{
	static const struct {
		const char *name;
		unsigned minor_, major_;
	} nodes[] = {
		{ "null", 3, 1 },
		{ "zero", 5, 1 },
		{ "full", 7, 1 },
		{ "random", 8, 1 },
		{ "urandom", 9, 1 },
		{ "tty", 0, 5 },
	};
	static const char *const links[][2] = {
		{ "pts/ptmx", "/dev/ptmx" },
		{ "/proc/self/fd", "/dev/fd" },
		{ "/proc/self/fd/0", "/dev/stdin" },
		{ "/proc/self/fd/1", "/dev/stdout" },
		{ "/proc/self/fd/2", "/dev/stderr" },
	};
	char path[PATH_MAX];

	for (size_t i = 0; i < PST_ARRAY_LEN(nodes); i++) {
		if (path_make(path, err, "%s/dev/%s", root, nodes[i].name) < 0)
			return err->code;
		if (mknod(path, S_IFCHR | 0666, makedev(nodes[i].major_, nodes[i].minor_)) < 0 ||
			chmod(path, 0666) < 0)
			return pst_err_sys(err, PST_EIO, errno, "mknod %s", path);
	}
	for (size_t i = 0; i < PST_ARRAY_LEN(links); i++) {
		if (path_make(path, err, "%s%s", root, links[i][1]) < 0)
			return err->code;
		if (symlink(links[i][0], path) < 0)
			return pst_err_sys(err, PST_EIO, errno, "symlink %s", path);
	}
	return 0;
}

static int dev_mount(const struct launch *l, const char *root, struct pst_err *err)
{
	char options[64];

	if (mount_at(root, "/dev", "tmpfs", "dev", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k", err) < 0 ||
		dev_nodes(root, err) < 0 || dir_at(root, "/dev/pts", 0755, 0, err) < 0 ||
		dir_at(root, "/dev/shm", 01777, 0, err) < 0)
		return err->code;
	if (mount_at(root, "/dev/pts", "devpts", "devpts", MS_NOSUID | MS_NOEXEC,
			"newinstance,ptmxmode=0666,mode=620", err) < 0)
		return err->code;
	snprintf(options, sizeof(options), "mode=1777,size=%um", l->memory_mb / 2);
	return mount_at(root, "/dev/shm", "tmpfs", "shm", MS_NOSUID | MS_NODEV, options, err);
}

/* What an ordinary machine shows to everybody and a desktop need not see or change. */
static int proc_mask(const char *root, struct pst_err *err)
{
	static const char *const masked[] = { "kcore", "keys", "key-users", "kmsg", "sysrq-trigger",
		"timer_list", "sched_debug", "interrupts" };
	char path[PATH_MAX], null[PATH_MAX];

	if (path_make(null, err, "%s/dev/null", root) < 0)
		return err->code;
	for (size_t i = 0; i < PST_ARRAY_LEN(masked); i++) {
		if (path_make(path, err, "%s/proc/%s", root, masked[i]) < 0)
			return err->code;
		if (access(path, F_OK) == 0 && mount(null, path, NULL, MS_BIND, NULL) < 0)
			return pst_err_sys(err, PST_EIO, errno, "mask %s", path);
	}
	return 0;
}

static int proc_mount(const char *root, struct pst_err *err)
{
	static const char *const frozen[] = { "/proc/sys", "/proc/irq", "/proc/bus", "/proc/fs" };
	char source[PATH_MAX];

	if (mount_at(root, "/proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, err) < 0 ||
		proc_mask(root, err) < 0)
		return err->code;
	for (size_t i = 0; i < PST_ARRAY_LEN(frozen); i++) {
		if (path_make(source, err, "%s%s", root, frozen[i]) < 0)
			return err->code;
		if (access(source, F_OK) == 0 && bind_at(root, frozen[i], source,
				MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, err) < 0)
			return err->code;
	}
	return 0;
}

/* /run holds the frame buffer, so its ceiling follows the largest screen. */
static int run_mount(const struct launch *l, const char *root, struct pst_err *err)
{
	char options[64], path[64], source[PATH_MAX];
	uint64_t fb_mb = (uint64_t)l->max_width * l->max_height * 4 / (1 << 20) + 1;

	snprintf(options, sizeof(options), "mode=755,size=%um", (unsigned)(fb_mb + 32));
	if (mount_at(root, "/run", "tmpfs", "run", MS_NOSUID | MS_NODEV, options, err) < 0)
		return err->code;
	snprintf(path, sizeof(path), "/run/user/%u", (unsigned)l->uid);
	if (dir_at(root, "/run/user", 0755, 0, err) < 0 || dir_at(root, path, 0700, l->uid, err) < 0 ||
		dir_at(root, DESKTOP_X_DIR, 0700, l->uid, err) < 0 ||
		dir_at(root, "/run/lock", 01777, 0, err) < 0 || dir_at(root, DESKTOP_RUN, 0755, 0, err) < 0)
		return err->code;
	if (path_make(source, err, "%s/run", l->dir) < 0)
		return err->code;
	if (bind_at(root, DESKTOP_RUN, source, MS_NOSUID | MS_NODEV | MS_NOEXEC, err) < 0)
		return err->code;
	return bind_at(root, DESKTOP_RUN "/broker", l->agents,
		MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, err);
}

static int tmp_mount(const struct launch *l, const char *root, struct pst_err *err)
{
	char options[64];

	snprintf(options, sizeof(options), "mode=1777,size=%um", l->memory_mb / 2);
	if (mount_at(root, "/tmp", "tmpfs", "tmp", MS_NOSUID | MS_NODEV, options, err) < 0 ||
		dir_at(root, "/tmp/.X11-unix", 01777, 0, err) < 0)
		return err->code;
	return dir_at(root, "/tmp/.ICE-unix", 01777, 0, err);
}

static int binds_mount(const struct launch *l, const char *root, struct pst_err *err)
{
	char source[PATH_MAX];

	if (dir_at(root, DESKTOP_LIBEXEC, 0755, 0, err) < 0 || dir_at(root, "/home", 0755, 0, err) < 0 ||
		bind_at(root, DESKTOP_LIBEXEC, l->libexec, MS_RDONLY | MS_NOSUID | MS_NODEV, err) < 0)
		return err->code;
	if (path_make(source, err, "%s/home", l->dir) < 0)
		return err->code;
	return bind_at(root, "/home", source, MS_NOSUID | MS_NODEV, err);
}

/* pivot_root onto itself: the old root is stacked below and then detached. */
static int root_switch(const char *root, struct pst_err *err)
{
	if (chdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return pst_err_sys(err, PST_EIO, errno, "pivot_root to %s", root);
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return pst_err_sys(err, PST_EIO, errno, "detach the outside from %s", root);
	return 0;
}

int mounts_enter(const struct launch *l, struct pst_err *err)
{
	static const char *const points[] = { "/proc", "/dev", "/run", "/tmp", "/sys" };
	char root[PATH_MAX];

	if (path_make(root, err, "%s/root", l->dir) < 0)
		return err->code;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return pst_err_sys(err, PST_EIO, errno, "make mounts private");
	if (overlay_mount(l, root, err) < 0)
		return err->code;
	for (size_t i = 0; i < PST_ARRAY_LEN(points); i++) {
		if (dir_at(root, points[i], 0755, 0, err) < 0)
			return err->code;
	}
	/* /dev first: the masks of /proc are bind mounts of its null. */
	if (dev_mount(l, root, err) < 0 || proc_mount(root, err) < 0 || run_mount(l, root, err) < 0 ||
		tmp_mount(l, root, err) < 0 || binds_mount(l, root, err) < 0)
		return err->code;
	return root_switch(root, err);
}
