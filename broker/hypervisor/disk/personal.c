/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Users' own disks. */
#include "broker/hypervisor/disk/personal.h"

#include "base/file.h"
#include "base/unixsock.h"
#include "broker/hypervisor/disk/qcow2.h"
#include "broker/hypervisor/disk/recycle.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MODE 0711
#define REMOVAL "00000000-0000-0000-0000-000000000000" /* holds what is on its way into the bin */
#define HELD_SIZE (2 * DISK_NAME_MAX + 2) /* OWNER/NAME and its end */

static int part_path(const char *folder, const char *owner, const char *name, const char *part, char out[PATH_MAX],
	struct pst_err *err)
{
	if (!disk_name_valid(owner) || !disk_name_valid(name))
		return pst_err_set(err, PST_EINVAL, "\"%.40s\" of \"%.40s\": not a usable name of a disk", name, owner);
	return path_make(out, err, "%s/personal/%s/%s%s%s", folder, owner, name, part[0] ? "/" : "", part);
}

int personal_path(const char *folder, const char *owner, const char *name, char out[PATH_MAX], struct pst_err *err)
{
	return part_path(folder, owner, name, "disk.qcow2", out, err);
}

void personal_serial(const char *owner, const char *name, char out[PERSONAL_SERIAL_SIZE])
{
	char both[2 * DISK_NAME_MAX + 2], hex[PST_SHA256_HEX_SIZE];

	/* No name has a slash, so no two pairs read alike. */
	snprintf(both, sizeof(both), "%.*s/%.*s", DISK_NAME_MAX, owner, DISK_NAME_MAX, name);
	pst_sha256_hex(both, strlen(both), hex);
	snprintf(out, PERSONAL_SERIAL_SIZE, "puesto-%.13s", hex);
}

static int dir_sync(const char *path, struct pst_err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) < 0 ? pst_err_sys(err, PST_EIO, errno, "%.200s", path) : 0;

	pst_fd_close(&fd);
	return rc;
}

/* The names of the folders themselves have to last as well. */
static int folders_make(const char *folder, const char *owner, const char *own, struct pst_err *err)
{
	char paths[3][PATH_MAX];

	if (path_make(paths[0], err, "%s", folder) < 0 || path_make(paths[1], err, "%s/personal", folder) < 0 ||
		path_make(paths[2], err, "%s/personal/%s", folder, owner) < 0 || pst_mkdirs(own, FOLDER_MODE, err) < 0)
		return err->code;
	for (int i = 0; i < 3; i++) {
		if (dir_sync(paths[i], err) < 0)
			return err->code;
	}
	return 0;
}

int personal_folder(const char *folder, const char *owner, const char *name, char out[PATH_MAX], struct pst_err *err)
{
	return part_path(folder, owner, name, "", out, err);
}

int personal_folder_make(const char *folder, const char *owner, const char *name, struct pst_err *err)
{
	char own[PATH_MAX];

	return part_path(folder, owner, name, "", own, err) < 0 ? err->code : folders_make(folder, owner, own, err);
}

int personal_create(const char *folder, const char *owner, const char *name, uint64_t size, uid_t uid, gid_t gid,
	struct pst_err *err)
{
	char path[PATH_MAX], own[PATH_MAX];
	struct qcow2_overlay o = { .path = path, .backing_format = DISK_QCOW2, .size = size, .uid = uid, .gid = gid };

	if (size < PERSONAL_SIZE_MIN)
		return pst_err_set(err, PST_EINVAL, "a personal disk has at least 1 MiB");
	if (part_path(folder, owner, name, "", own, err) < 0 || personal_path(folder, owner, name, path, err) < 0 ||
		folders_make(folder, owner, own, err) < 0)
		return err->code;
	return qcow2_overlays_create(&o, 1, err);
}

static int holder_read(const char *link, char out[PST_UUID_SIZE], struct pst_err *err)
{
	char text[PST_UUID_SIZE];
	struct pst_uuid uuid;
	ssize_t n = readlink(link, text, sizeof(text));

	out[0] = '\0';
	if (n < 0 && errno == ENOENT)
		return 0;
	if (n != PST_UUID_SIZE - 1)
		return pst_err_set(err, PST_EIO, "%.200s: does not name a desktop", link);
	text[n] = '\0';
	if (pst_uuid_parse(text, &uuid) < 0)
		return pst_err_set(err, PST_EIO, "%.200s: does not name a desktop", link);
	memcpy(out, text, sizeof(text));
	return 0;
}

int personal_holder(const char *folder, const char *owner, const char *name, char out[PST_UUID_SIZE],
	struct pst_err *err)
{
	char link[PATH_MAX];
	int rc = part_path(folder, owner, name, "holder", link, err);

	return rc < 0 ? rc : holder_read(link, out, err);
}

static int own_sync(const char *folder, const char *owner, const char *name, struct pst_err *err)
{
	char own[PATH_MAX];

	return part_path(folder, owner, name, "", own, err) < 0 ? err->code : dir_sync(own, err);
}

/* ---- from the desktop to what it has ---- */

static int held_path(const char *folder, const char *desktop, char out[PATH_MAX], struct pst_err *err)
{
	struct pst_uuid uuid;

	if (pst_uuid_parse(desktop, &uuid) < 0)
		return pst_err_set(err, PST_EINVAL, "not the uuid of a desktop");
	return path_make(out, err, "%s/personal/.held/%s", folder, desktop);
}

int personal_held(const char *folder, const char *desktop, char ret_owner[DISK_NAME_MAX + 1], char ret_name[DISK_NAME_MAX + 1],
	struct pst_err *err)
{
	char link[PATH_MAX], text[HELD_SIZE], *slash;
	ssize_t n;

	ret_owner[0] = ret_name[0] = '\0';
	if (held_path(folder, desktop, link, err) < 0)
		return err->code;
	n = readlink(link, text, sizeof(text) - 1);
	if (n < 0)
		return errno == ENOENT ? 0 : pst_err_sys(err, PST_EIO, errno, "%.200s", link);
	text[n] = '\0';
	slash = strchr(text, '/');
	if (!slash)
		return pst_err_set(err, PST_EIO, "%.200s: does not name a disk", link);
	*slash = '\0';
	if (!disk_name_valid(text) || !disk_name_valid(slash + 1))
		return pst_err_set(err, PST_EIO, "%.200s: does not name a disk", link);
	strcpy(ret_owner, text);
	strcpy(ret_name, slash + 1);
	return 0;
}

/* Before the holder: a holder is found by its desktop, whatever dies. */
static int held_note(const char *folder, const char *owner, const char *name, const char *desktop, struct pst_err *err)
{
	char above[PATH_MAX], link[PATH_MAX], text[HELD_SIZE], has_owner[DISK_NAME_MAX + 1], has_name[DISK_NAME_MAX + 1];

	snprintf(text, sizeof(text), "%s/%s", owner, name);
	if (path_make(above, err, "%s/personal/.held", folder) < 0 || pst_mkdirs(above, 0700, err) < 0 ||
		held_path(folder, desktop, link, err) < 0)
		return err->code;
	if (symlink(text, link) == 0)
		return dir_sync(above, err);
	if (errno != EEXIST)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", link);
	if (personal_held(folder, desktop, has_owner, has_name, err) < 0)
		return err->code;
	if (strcmp(has_owner, owner) != 0 || strcmp(has_name, name) != 0)
		return pst_err_set(err, PST_EBUSY, "the desktop has the disk %s of %s", has_name, has_owner);
	return 0;
}

static int held_forget(const char *folder, const char *desktop, struct pst_err *err)
{
	char link[PATH_MAX];

	if (held_path(folder, desktop, link, err) < 0)
		return err->code;
	if (unlink(link) < 0 && errno != ENOENT)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", link);
	return 0;
}

/* ---- one desktop at a time ---- */

int personal_attach(const char *folder, const char *owner, const char *name, const char *desktop, struct pst_err *err)
{
	char own[PATH_MAX], link[PATH_MAX], holder[PST_UUID_SIZE];
	struct pst_err ignored = PST_ERR_INIT;

	if (part_path(folder, owner, name, "", own, err) < 0 || part_path(folder, owner, name, "holder", link, err) < 0)
		return err->code;
	if (access(own, F_OK) < 0)
		return pst_err_sys(err, PST_ENOTFOUND, errno, "%.200s", own);
	if (held_note(folder, owner, name, desktop, err) < 0)
		return err->code;
	/* One call makes the link with its text, and only if there is none. */
	if (symlink(desktop, link) < 0 && errno != EEXIST)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", link);
	if (holder_read(link, holder, err) < 0)
		return err->code;
	if (strcmp(holder, desktop) != 0) {
		(void)held_forget(folder, desktop, &ignored);
		return pst_err_set(err, PST_EBUSY, "the disk is attached to desktop %s", holder[0] ? holder : "(changing)");
	}
	return own_sync(folder, owner, name, err);
}

int personal_claim(const char *folder, const char *owner, const char *name, const char *desktop,
	bool (*is_there)(const char *desktop, void *arg), void *arg, struct pst_err *err)
{
	/* What is read before it is unlinked: of two that take it from the same dead holder the second would unlink the first. */
	static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
	char holder[PST_UUID_SIZE];
	int rc;

	pthread_mutex_lock(&one_at_a_time);
	rc = personal_holder(folder, owner, name, holder, err);
	if (rc == 0 && holder[0] && strcmp(holder, desktop) != 0 && strcmp(holder, REMOVAL) != 0 && !is_there(holder, arg))
		rc = personal_detach(folder, owner, name, holder, err);
	if (rc == 0)
		rc = personal_attach(folder, owner, name, desktop, err);
	pthread_mutex_unlock(&one_at_a_time);
	return rc;
}

int personal_detach(const char *folder, const char *owner, const char *name, const char *desktop, struct pst_err *err)
{
	char link[PATH_MAX], holder[PST_UUID_SIZE];

	if (part_path(folder, owner, name, "holder", link, err) < 0 || holder_read(link, holder, err) < 0)
		return err->code;
	if (holder[0] == '\0')
		return held_forget(folder, desktop, err);
	if (strcmp(holder, desktop) != 0)
		return pst_err_set(err, PST_ECONFLICT, "the disk is attached to desktop %s", holder);
	if (unlink(link) < 0 && errno != ENOENT)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", link);
	return own_sync(folder, owner, name, err) < 0 ? err->code : held_forget(folder, desktop, err);
}

int personal_release(const char *folder, const char *desktop, struct pst_err *err)
{
	char owner[DISK_NAME_MAX + 1], name[DISK_NAME_MAX + 1], holder[PST_UUID_SIZE];

	if (personal_held(folder, desktop, owner, name, err) < 0)
		return err->code;
	if (!owner[0])
		return 0;
	if (personal_holder(folder, owner, name, holder, err) < 0)
		return err->code;
	/* Another's: our note is of an attachment that did not come about. */
	return strcmp(holder, desktop) == 0 ? personal_detach(folder, owner, name, desktop, err) : held_forget(folder, desktop, err);
}

int personal_remove(const char *folder, const char *owner, const char *name, const char *reason, int64_t now_ms,
	int64_t keep_ms, struct pst_err *err)
{
	char own[PATH_MAX], link[PATH_MAX], holder[PST_UUID_SIZE];
	struct pst_err ignored = PST_ERR_INIT;
	struct recycle_entry entry;

	if (part_path(folder, owner, name, "", own, err) < 0 || part_path(folder, owner, name, "holder", link, err) < 0)
		return err->code;
	/* Nobody can take it from here on; an attempt that was cut off has done so already. */
	if (symlink(REMOVAL, link) < 0 && errno != EEXIST)
		return pst_err_sys(err, errno == ENOENT ? PST_ENOTFOUND : PST_EIO, errno, "%.200s", link);
	if (holder_read(link, holder, err) < 0)
		return err->code;
	if (strcmp(holder, REMOVAL) != 0)
		return pst_err_set(err, PST_EBUSY, "the disk is attached to desktop %s", holder);
	if (recycle_put(folder, own, reason, now_ms, keep_ms, &entry, err) < 0)
		return err->code;
	if (path_make(link, &ignored, "%s/holder", entry.item) == 0)
		(void)unlink(link);
	return 0;
}
