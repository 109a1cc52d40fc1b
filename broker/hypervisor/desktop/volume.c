/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Disks are known by the kernel's /sys/block/NAME/serial. ext4 is told by its magic number (ext4's documentation, "The Super
 * Block": 0xEF53 at byte 1080); a disk that begins with zeros has never been anything.
 */
#include "broker/hypervisor/desktop/volume.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/unixsock.h"
#include "broker/hypervisor/desktop/ext4.h"
#include "broker/hypervisor/desktop/grow.h"
#include "broker/hypervisor/desktop/home.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SERIAL_START "puesto-"
#define SERIAL_DIGITS 13
#define LOOK_BYTES 65536
#define MAGIC_AT 1080
#define FLAGS (MS_NOSUID | MS_NODEV | MS_NOATIME)
#define MARK ".puesto-new" /* in a file system that is being filled */

/* --- finding it ------------------------------------------------------------------------ */

static bool is_ours(const char *name)
{
	char path[300], text[64];
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/block/%s/serial", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	pst_fd_close(&fd);
	text[n > 0 ? n : 0] = '\0';
	return strncmp(text, SERIAL_START, strlen(SERIAL_START)) == 0 &&
	       strspn(text + strlen(SERIAL_START), "0123456789abcdef") == SERIAL_DIGITS;
}

static bool look(char ret_device[VOLUME_DEVICE_SIZE])
{
	DIR *dir = opendir("/sys/block");
	struct dirent *e;
	bool is_found = false;

	while (dir && !is_found && (e = readdir(dir))) {
		if (e->d_name[0] == '.' || strlen(e->d_name) > 32 || !is_ours(e->d_name))
			continue;
		snprintf(ret_device, VOLUME_DEVICE_SIZE, "/dev/%.32s", e->d_name);
		is_found = access(ret_device, F_OK) == 0;
	}
	if (dir)
		closedir(dir);
	return is_found;
}

int volume_find(uint64_t wait_ms, char ret_device[VOLUME_DEVICE_SIZE], struct pst_err *err)
{
	uint64_t end = pst_mono_ms() + wait_ms, now;
	struct pollfd p = { .fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), .events = POLLIN };
	char events[4096];
	bool is_found;

	if (p.fd >= 0)
		(void)inotify_add_watch(p.fd, "/dev", IN_CREATE | IN_MOVED_TO);
	while (!(is_found = look(ret_device)) && (now = pst_mono_ms()) < end) {
		(void)poll(&p, 1, (int)PST_MIN(end - now, (uint64_t)1000));
		while (p.fd >= 0 && read(p.fd, events, sizeof(events)) > 0)
			;
	}
	pst_fd_close(&p.fd);
	return is_found ? 0 : pst_err_set(err, PST_ENOTFOUND, "no disk with a user's files has come");
}

/* --- making and mending it ------------------------------------------------------------------ */

enum content {
	EMPTY,
	EXT4,
	OTHER,
};

static int content_of(const char *device, enum content *ret, struct pst_err *err)
{
	static unsigned char data[LOOK_BYTES];
	int fd = open(device, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : pread(fd, data, sizeof(data), 0);
	bool is_zero = true;

	if (n < MAGIC_AT + 2)
		pst_err_sys(err, PST_EIO, n < 0 ? errno : EIO, "read %s", device);
	pst_fd_close(&fd);
	if (n < MAGIC_AT + 2)
		return err->code;
	for (ssize_t i = 0; i < n && is_zero; i++)
		is_zero = data[i] == 0;
	*ret = is_zero ? EMPTY : data[MAGIC_AT] == 0x53 && data[MAGIC_AT + 1] == 0xef ? EXT4 : OTHER;
	return 0;
}

static bool is_mount(const char *path)
{
	struct statx st;

	return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) == 0 && (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* It grows mounted: resize2fs wants a whole check since the last mount, which "e2fsck -p" of a clean file system is not. */
static int put(const char *device, const char *at, struct pst_err *err)
{
	if (mount(device, at, "ext4", FLAGS, "") < 0)
		return pst_err_sys(err, PST_EIO, errno, "mount %s on %s", device, at);
	if (grow_file_system(at) == GROW_FAILED)
		pst_warn("%s does not grow: %s", device, strerror(errno));
	return 0;
}

/* A file system that is root's was never given to its user: whoever made it died before. */
static int is_given(const char *home, bool *ret, struct pst_err *err)
{
	struct stat st;

	if (stat(home, &st) < 0)
		return pst_err_sys(err, PST_EIO, errno, "%s", home);
	*ret = st.st_uid != 0;
	return 0;
}

/* Nothing is in it but what mkfs and fill() put there. Files that somebody else brought are not ours to remove. */
static bool is_raw(const char *home)
{
	DIR *dir = opendir(home);
	bool is_empty = true, is_marked = false;
	struct dirent *e;

	if (!dir)
		return false;
	(void)unlinkat(dirfd(dir), "lost+found", AT_REMOVEDIR); /* what e2fsck has found stays */
	while ((e = readdir(dir))) {
		is_marked |= strcmp(e->d_name, MARK) == 0;
		is_empty &= strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
	}
	closedir(dir);
	return is_empty || is_marked;
}

/* The folder alone: whose the files in it are, whoever brought them knows. */
static int own(int home, const char *path, uid_t uid, struct pst_err *err)
{
	return syncfs(home) < 0 || fchmod(home, 0700) < 0 || fchown(home, uid, uid) < 0 ? pst_err_sys(err, PST_EIO, errno, "own %s", path) : 0;
}

static int adopt(const char *home, uid_t uid, struct pst_err *err)
{
	int to = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	pst_warn("%s was root's and has files: it is given to its user as it is", home);
	rc = to < 0 ? pst_err_sys(err, PST_EIO, errno, "%s", home) : own(to, home, uid, err);
	pst_fd_close(&to);
	return rc;
}

static int fill(const char *home, uid_t uid, struct pst_err *err)
{
	int skel = open("/etc/skel", O_RDONLY | O_DIRECTORY | O_CLOEXEC), to = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	int mark = to < 0 ? -1 : openat(to, MARK, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (mark < 0)
		rc = pst_err_sys(err, PST_EIO, errno, "%s", home);
	pst_fd_close(&mark);
	if (rc == 0)
		(void)unlinkat(to, "lost+found", AT_REMOVEDIR); /* e2fsck makes it when it has something for it */
	if (rc == 0 && skel >= 0)
		rc = home_fill(skel, to, uid, err);
	if (rc == 0 && (syncfs(to) < 0 || unlinkat(to, MARK, 0) < 0))
		rc = pst_err_sys(err, PST_EIO, errno, "fill %s", home);
	if (rc == 0)
		rc = own(to, home, uid, err);
	pst_fd_close(&skel);
	pst_fd_close(&to);
	return rc;
}

static int mount_new(const char *device, const char *home, uid_t uid, struct pst_err *err)
{
	pst_info("making a file system on %s", device);
	if (ext4_make(device, err) < 0 || put(device, home, err) < 0)
		return err->code;
	if (fill(home, uid, err) == 0)
		return 0;
	(void)umount2(home, 0);
	return err->code;
}

int volume_mount(const char *device, const char *home, uid_t uid, struct pst_err *err)
{
	enum content content = OTHER;
	bool has_owner = true;
	int rc;

	if (is_mount(home))
		return 0;
	if (content_of(device, &content, err) < 0)
		return err->code;
	if (content == OTHER)
		return pst_err_set(err, PST_ECONFLICT, "%s holds something that is no file system of ours: it is left alone", device);
	if (content == EMPTY)
		return mount_new(device, home, uid, err);
	if (ext4_mend(device, err) < 0 || put(device, home, err) < 0)
		return err->code;
	rc = is_given(home, &has_owner, err);
	if (rc == 0 && !has_owner && !is_raw(home)) {
		rc = adopt(home, uid, err);
		has_owner = true;
	}
	if (rc == 0 && has_owner)
		return 0;
	(void)umount2(home, 0);
	return rc < 0 ? rc : mount_new(device, home, uid, err);
}

int volume_unmount(const char *home, uint64_t wait_ms, struct pst_err *err)
{
	static const struct timespec pause = { 0, 50 * 1000 * 1000 };
	uint64_t end = pst_mono_ms() + wait_ms;

	while (is_mount(home) && umount2(home, UMOUNT_NOFOLLOW) < 0) {
		if (errno != EBUSY)
			return pst_err_sys(err, PST_EIO, errno, "unmount %s", home);
		if (pst_mono_ms() >= end)
			return pst_err_set(err, PST_EBUSY, "programs still use the user's files");
		nanosleep(&pause, NULL); /* the kernel tells nobody when a file is closed */
	}
	sync();
	return 0;
}
