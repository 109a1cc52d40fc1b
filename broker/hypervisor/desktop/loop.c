/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The loop device (loop(4)) holds the open file that it was given, and with it the lock; LO_FLAGS_AUTOCLEAR lets it go with its last
 * user. The mount is made by descriptors (fsopen(2)), so it is seen nowhere until somebody moves it.
 */
#include "broker/hypervisor/desktop/loop.h"

#include "base/clock.h"
#include "base/unixsock.h"
#include "broker/hypervisor/desktop/ext4.h"
#include "broker/hypervisor/desktop/home.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define NEW LOOP_FILE ".new"
#define TRIES 16         /* for a free device: somebody else may be faster */
#define LOCK_WAIT_MS 10000 /* what was killed may take so long to be gone */
#define CHECK_SIZE (8u << 20)
#define WORTH_BYTES (1u << 20)

/* Without O_CLOEXEC: what mends it holds the lock too, should we be killed. */
static int file_open(const char *path, int flags, struct pst_err *err)
{
	int fd = open(path, flags | O_RDWR | O_NOFOLLOW, 0600);

	return fd < 0 ? pst_err_sys(err, errno == ENOENT ? PST_ENOTFOUND : PST_EIO, errno, "%.200s", path) : fd;
}

/* The kernel tells nobody when a file system is gone. */
static int file_lock(int fd, uint64_t wait_ms, struct pst_err *err)
{
	static const struct timespec pause = { 0, 20 * 1000 * 1000 };
	uint64_t end = pst_mono_ms() + wait_ms;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return pst_err_sys(err, PST_EIO, errno, "lock the user's disk");
		if (pst_mono_ms() >= end)
			return pst_err_set(err, PST_EBUSY, "the user's disk is still mounted somewhere");
		nanosleep(&pause, NULL);
	}
	return 0;
}

static int size_set(int fd, uint64_t size, struct pst_err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || ((uint64_t)st.st_size < size && ftruncate(fd, (off_t)size) < 0))
		return pst_err_sys(err, errno == ENOSPC || errno == EFBIG ? PST_ENOSPC : PST_EIO, errno, "make room for the user's disk");
	return 0;
}

/* One of the free ones; ret_path is its name. */
static int device_open(int file, char ret_path[32], struct pst_err *err)
{
	const struct loop_config how = { .fd = (uint32_t)file, .info.lo_flags = LO_FLAGS_AUTOCLEAR };
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), device = -1;
	struct pst_err why = PST_ERR_INIT;

	for (int i = 0; i < TRIES && control >= 0 && device < 0; i++) {
		int number = ioctl(control, LOOP_CTL_GET_FREE);

		snprintf(ret_path, 32, "/dev/loop%d", number);
		device = number < 0 ? -1 : open(ret_path, O_RDWR | O_CLOEXEC);
		if (device < 0 || ioctl(device, LOOP_CONFIGURE, &how) == 0)
			break;
		i = errno == EBUSY ? i : TRIES;
		pst_err_sys(&why, PST_EUNSUPPORTED, errno, "set up %s", ret_path);
		pst_fd_close(&device);
	}
	pst_fd_close(&control);
	if (device >= 0)
		return device;
	return why.code < 0 ? pst_err_pass(err, why.code, &why) : pst_err_sys(err, PST_EUNSUPPORTED, errno, "open a loop device");
}

static int mount_make(const char *device, struct pst_err *err)
{
	int fs = fsopen("ext4", FSOPEN_CLOEXEC), fd = -1;

	/* discard: what its user removes is room again in the file's own file system. */
	if (fs >= 0 && fsconfig(fs, FSCONFIG_SET_STRING, "source", device, 0) == 0 &&
		fsconfig(fs, FSCONFIG_SET_STRING, "errors", "remount-ro", 0) == 0 &&
		fsconfig(fs, FSCONFIG_SET_FLAG, "discard", NULL, 0) == 0 && fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOATIME);
	if (fd < 0)
		pst_err_sys(err, PST_EUNSUPPORTED, errno, "mount the ext4 on %s", device);
	pst_fd_close(&fs);
	return fd < 0 ? err->code : fd;
}

/* Borrows the file, which the mount keeps. */
static int file_mount(int file, struct pst_err *err)
{
	char path[32];
	int device = device_open(file, path, err), fd;

	if (device < 0)
		return device;
	fd = mount_make(path, err);
	pst_fd_close(&device);
	return fd;
}

/* Made by a whole check; one that has something in it stays. */
static void lost_found_forget(int mount)
{
	int home = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (home >= 0)
		(void)unlinkat(home, "lost+found", AT_REMOVEDIR);
	pst_fd_close(&home);
}

static int home_begin(int mount, int skeleton, uid_t uid, struct pst_err *err)
{
	int home = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	if (home < 0 || (unlinkat(home, "lost+found", AT_REMOVEDIR) < 0 && errno != ENOENT))
		rc = pst_err_sys(err, PST_EIO, errno, "the user's disk");
	if (rc == 0 && skeleton >= 0)
		rc = home_fill(skeleton, home, uid, err);
	if (rc == 0 && (fchmod(home, 0700) < 0 || fchown(home, uid, uid) < 0 || syncfs(home) < 0))
		rc = pst_err_sys(err, PST_EIO, errno, "fill the user's disk");
	pst_fd_close(&home);
	return rc;
}

/* Returns the mount: of a file that has its other name still. */
static int new_mount(const char *path, uint64_t size, int skeleton, uid_t uid, struct pst_err *err)
{
	int file = unlink(path) < 0 && errno != ENOENT ? pst_err_sys(err, PST_EIO, errno, "%.200s", path) : file_open(path, O_CREAT | O_EXCL, err);
	int mount = -1, rc;

	if (file < 0)
		return file;
	rc = file_lock(file, 0, err) < 0 || size_set(file, size, err) < 0 || ext4_make(path, err) < 0 ? err->code : 0;
	if (rc == 0)
		rc = mount = file_mount(file, err);
	if (mount >= 0)
		rc = home_begin(mount, skeleton, uid, err);
	if (rc == 0 && fsync(file) < 0)
		rc = pst_err_sys(err, PST_EIO, errno, "%.200s", path);
	pst_fd_close(&file);
	if (rc < 0)
		pst_fd_close(&mount);
	return rc < 0 ? rc : mount;
}

/* Whole or not at all, and never in place of another: what a crash leaves has the other name. */
static int disk_make(const char *folder, uint64_t size, int skeleton, uid_t uid, struct pst_err *err)
{
	int own = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), mount = -1;
	char path[PATH_MAX];

	if (own < 0)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", folder);
	if (path_make(path, err, "%s/" NEW, folder) == 0)
		mount = new_mount(path, size, skeleton, uid, err);
	if (mount >= 0 && (renameat2(own, NEW, own, LOOP_FILE, RENAME_NOREPLACE) < 0 || fsync(own) < 0)) {
		pst_err_sys(err, PST_EIO, errno, "make %.200s/" LOOP_FILE, folder);
		pst_fd_close(&mount);
	}
	if (mount < 0)
		unlinkat(own, NEW, 0);
	pst_fd_close(&own);
	return mount < 0 ? err->code : mount;
}

/* Not while it is mounted: for that the kernel asks a right (CAP_SYS_RESOURCE) that a container may lack. */
static int disk_grow(int file, const char *path, uint64_t size, struct pst_err *err)
{
	uint64_t has = 0;

	if (size_set(file, size, err) < 0 || ext4_bytes(file, &has, err) < 0)
		return err->code;
	return has + WORTH_BYTES > size ? 0 : ext4_grow(path, err);
}

int loop_open(const char *folder, uint64_t size, int skeleton, uid_t uid, struct pst_err *err)
{
	char path[PATH_MAX];
	int file, mount = -1;

	if (path_make(path, err, "%s/" LOOP_FILE, folder) < 0)
		return err->code;
	if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		return disk_make(folder, size, skeleton, uid, err);
	file = file_open(path, 0, err);
	if (file < 0)
		return file;
	if (file_lock(file, LOCK_WAIT_MS, err) == 0 && ext4_mend(path, err) == 0 && disk_grow(file, path, size, err) == 0)
		mount = file_mount(file, err);
	pst_fd_close(&file);
	if (mount >= 0)
		lost_found_forget(mount);
	return mount < 0 ? err->code : mount;
}

/* As the kernel writes a device's number into loop_info64. */
static uint64_t device_number(dev_t dev)
{
	return (minor(dev) & 0xff) | (uint64_t)major(dev) << 8 | (uint64_t)(minor(dev) & ~0xffu) << 12;
}

bool loop_is(int mount, const char *folder)
{
	char path[PATH_MAX], device[64];
	struct loop_info64 info;
	struct stat of, st;
	bool is_it = false;
	int fd;

	if (path_make(path, NULL, "%s/" LOOP_FILE, folder) < 0 || stat(path, &st) < 0 || fstat(mount, &of) < 0)
		return false;
	snprintf(device, sizeof(device), "/dev/block/%u:%u", major(of.st_dev), minor(of.st_dev));
	fd = open(device, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		snprintf(device, sizeof(device), "/dev/loop%u", minor(of.st_dev)); /* devtmpfs without udev has no other name */
		fd = open(device, O_RDONLY | O_CLOEXEC);
	}
	if (fd >= 0 && ioctl(fd, LOOP_GET_STATUS64, &info) == 0)
		is_it = info.lo_inode == st.st_ino && info.lo_device == device_number(st.st_dev);
	pst_fd_close(&fd);
	return is_it;
}

int loop_file(const char *folder)
{
	struct pst_err none = PST_ERR_INIT;
	char path[PATH_MAX];
	int fd = path_make(path, &none, "%s/" LOOP_FILE, folder) < 0 ? -1 : file_open(path, O_CLOEXEC, &none);

	return fd < 0 ? -1 : fd;
}

int loop_settle(int file, uint64_t wait_ms, struct pst_err *err)
{
	if (file_lock(file, wait_ms, err) < 0)
		return err->code;
	return fsync(file) < 0 ? pst_err_sys(err, PST_EIO, errno, "write out the user's disk") : 0;
}

int loop_check(const char *folder, struct pst_err *err)
{
	char path[PATH_MAX];
	int mount;

	if (path_make(path, err, "%s/.check-%d", folder, (int)getpid()) < 0)
		return err->code;
	mount = new_mount(path, CHECK_SIZE, -1, 1, err);
	unlink(path);
	if (mount < 0)
		return err->code;
	close(mount);
	return 0;
}
