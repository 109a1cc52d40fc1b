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
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MODE 0711

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

/* The names of the folders themselves have to last as well. */
static int folders_make(const char *folder, const char *owner, const char *own, struct pst_err *err)
{
	char paths[3][PATH_MAX];

	if (path_make(paths[0], err, "%s", folder) < 0 || path_make(paths[1], err, "%s/personal", folder) < 0 ||
		path_make(paths[2], err, "%s/personal/%s", folder, owner) < 0 || pst_mkdirs(own, FOLDER_MODE, err) < 0)
		return err->code;
	for (int i = 0; i < 3; i++) {
		int fd = open(paths[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		int rc = fd < 0 || fsync(fd) < 0 ? pst_err_sys(err, PST_EIO, errno, "%.200s", paths[i]) : 0;

		pst_fd_close(&fd);
		if (rc < 0)
			return rc;
	}
	return 0;
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
	int rc = part_path(folder, owner, name, "", own, err), fd;

	if (rc < 0)
		return rc;
	fd = open(own, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		rc = pst_err_sys(err, PST_EIO, errno, "%.200s", own);
	pst_fd_close(&fd);
	return rc;
}

int personal_attach(const char *folder, const char *owner, const char *name, const char *desktop, struct pst_err *err)
{
	char path[PATH_MAX], link[PATH_MAX], holder[PST_UUID_SIZE];
	struct pst_uuid uuid;

	if (pst_uuid_parse(desktop, &uuid) < 0)
		return pst_err_set(err, PST_EINVAL, "not the uuid of a desktop");
	if (personal_path(folder, owner, name, path, err) < 0 || part_path(folder, owner, name, "holder", link, err) < 0)
		return err->code;
	if (access(path, F_OK) < 0)
		return pst_err_sys(err, PST_ENOTFOUND, errno, "%.200s", path);
	/* One call makes the link with its text, and only if there is none. */
	if (symlink(desktop, link) < 0 && errno != EEXIST)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", link);
	if (holder_read(link, holder, err) < 0)
		return err->code;
	if (strcmp(holder, desktop) != 0)
		return pst_err_set(err, PST_EBUSY, "the disk is attached to desktop %s", holder[0] ? holder : "(changing)");
	return own_sync(folder, owner, name, err);
}

int personal_detach(const char *folder, const char *owner, const char *name, const char *desktop, struct pst_err *err)
{
	char link[PATH_MAX], holder[PST_UUID_SIZE];

	if (part_path(folder, owner, name, "holder", link, err) < 0 || holder_read(link, holder, err) < 0)
		return err->code;
	if (holder[0] == '\0')
		return 0;
	if (strcmp(holder, desktop) != 0)
		return pst_err_set(err, PST_ECONFLICT, "the disk is attached to desktop %s", holder);
	if (unlink(link) < 0 && errno != ENOENT)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", link);
	return own_sync(folder, owner, name, err);
}

int personal_remove(const char *folder, const char *owner, const char *name, const char *reason, int64_t now_ms,
	int64_t keep_ms, struct pst_err *err)
{
	char own[PATH_MAX], holder[PST_UUID_SIZE];

	if (part_path(folder, owner, name, "", own, err) < 0 ||
		personal_holder(folder, owner, name, holder, err) < 0)
		return err->code;
	if (holder[0])
		return pst_err_set(err, PST_EBUSY, "the disk is attached to desktop %s", holder);
	return recycle_put(folder, own, reason, now_ms, keep_ms, NULL, err);
}
