/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The snapshots that lie beside a disk, with their labels. */
#include "broker/hypervisor/disk/snapshot_priv.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/disk/info.h"
#include "broker/hypervisor/disk/temp.h"
#include "broker/hypervisor/path.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LABEL_MAX 4096
#define PREFIX "snapshot-"

int snapshot_folder(const char *disk, char out[PATH_MAX], struct pst_err *err)
{
	const char *slash = strrchr(disk, '/');

	if (disk[0] != '/' || slash == disk || !pst_str_ends(disk, ".qcow2") || pst_str_starts(slash + 1, PREFIX))
		return pst_err_set(err, PST_EINVAL, "%.200s: not the path of a disk", disk);
	return path_make(out, err, "%.*s", (int)(slash - disk), disk);
}

static bool is_id(const char *id)
{
	return strlen(id) == SNAPSHOT_ID_SIZE - 1 && strspn(id, "0123456789abcdef") == SNAPSHOT_ID_SIZE - 1;
}

int snapshot_path(const char *folder, const char *id, const char *suffix, char out[PATH_MAX], struct pst_err *err)
{
	if (!is_id(id))
		return pst_err_set(err, PST_ENOTFOUND, "no such snapshot");
	return path_make(out, err, "%s/" PREFIX "%s.%s", folder, id, suffix);
}

int snapshot_label_write(const char *folder, const struct snapshot *s, struct pst_err *err)
{
	char path[PATH_MAX], created[PST_RFC3339_SIZE], *text;
	json_t *obj;
	size_t len;
	int rc;

	pst_rfc3339(s->created_ms, created);
	obj = json_pack("{s:i, s:s, s:s, s:s}", "v", 1, "id", s->id, "name", s->name, "created", created);
	text = obj ? pst_json_text(obj, &len) : NULL;
	json_decref(obj);
	if (!text)
		return pst_err_set(err, PST_ENOMEM, "out of memory");
	rc = snapshot_path(folder, s->id, "json", path, err);
	if (rc == 0)
		rc = pst_file_write(path, text, len, 0600, err);
	free(text);
	return rc;
}

static int label_parse(const json_t *obj, struct snapshot *s, struct pst_err *err)
{
	const char *name, *created;
	int64_t v;

	if (pst_json_need_int(obj, "v", 1, 1, &v, err) < 0 ||
		pst_json_need_str(obj, "name", SNAPSHOT_NAME_MAX, &name, err) < 0 ||
		pst_json_need_str(obj, "created", PST_RFC3339_SIZE - 1, &created, err) < 0)
		return err->code;
	if (pst_rfc3339_parse(created, &s->created_ms) < 0)
		return pst_err_set(err, PST_EINVAL, "created: is no time");
	return pst_strlcpy(s->name, sizeof(s->name), name);
}

int snapshot_read(const char *folder, const char *id, struct snapshot *ret_snapshot, struct pst_err *err)
{
	struct snapshot s = { .is_current = false };
	char path[PATH_MAX], *text;
	struct stat st;
	size_t len;
	int rc;

	if (snapshot_path(folder, id, "json", path, err) < 0 || snapshot_path(folder, id, "qcow2", s.path, err) < 0)
		return err->code;
	if (lstat(s.path, &st) < 0 || !S_ISREG(st.st_mode))
		return pst_err_set(err, PST_ENOTFOUND, "no such snapshot");
	s.allocated = (uint64_t)st.st_blocks * 512;
	pst_strlcpy(s.id, sizeof(s.id), id);
	rc = pst_file_read(path, LABEL_MAX, &text, &len, err);
	if (rc < 0)
		return rc;
	json_t *obj = pst_json_parse(text, len, 1, err);
	free(text);
	rc = obj ? label_parse(obj, &s, err) : err->code;
	json_decref(obj);
	if (rc == 0)
		*ret_snapshot = s;
	return rc;
}

/* "snapshot-ID.json" or "snapshot-ID.qcow2" gives the id. */
static bool id_of(const char *name, const char *suffix, char out[SNAPSHOT_ID_SIZE])
{
	if (!pst_str_starts(name, PREFIX) || !pst_str_ends(name, suffix) ||
		strlen(name) != strlen(PREFIX) + SNAPSHOT_ID_SIZE - 1 + strlen(suffix))
		return false;
	memcpy(out, name + strlen(PREFIX), SNAPSHOT_ID_SIZE - 1);
	out[SNAPSHOT_ID_SIZE - 1] = '\0';
	return is_id(out);
}

/* What the disk stands on, or "" when that cannot be told. */
static void current_path(const char *disk, char out[PATH_MAX])
{
	struct pst_err ignored = PST_ERR_INIT;
	enum disk_format format;
	struct disk_info info;
	int fd = disk_open(disk, NULL, &ignored);

	out[0] = '\0';
	if (fd >= 0 && disk_info_read(fd, DISK_QCOW2, &info, &ignored) == 0 &&
		disk_backing_path(disk, &info.qcow2, out, &format, &ignored) < 0)
		out[0] = '\0';
	pst_fd_close(&fd);
}

int snapshot_list(const char *disk, snapshot_cb visit, void *arg, struct pst_err *err)
{
	char folder[PATH_MAX], current[PATH_MAX], id[SNAPSHOT_ID_SIZE];
	struct dirent *e;
	int rc = snapshot_folder(disk, folder, err);
	DIR *dir = rc < 0 ? NULL : opendir(folder);

	if (!dir)
		return rc < 0 ? rc : pst_err_sys(err, errno == ENOENT ? PST_ENOTFOUND : PST_EIO, errno, "%.200s", folder);
	current_path(disk, current);
	while (rc == 0 && (e = readdir(dir))) {
		struct pst_err why = PST_ERR_INIT;
		struct snapshot s;

		if (!id_of(e->d_name, ".json", id) || snapshot_read(folder, id, &s, &why) < 0)
			continue;
		s.is_current = strcmp(s.path, current) == 0;
		rc = visit(&s, arg, err);
	}
	closedir(dir);
	return rc;
}

/*
 * Taking one: label, second name, overlay, exchange. Before the exchange the snapshot is the
 * disk itself under a second name; both that and a label without its file mean that nothing has happened.
 */
static void leftover_remove(const char *folder, const char *id, const struct stat *disk)
{
	char path[PATH_MAX], label[PATH_MAX];
	struct stat st;
	bool exists;

	if (snapshot_path(folder, id, "qcow2", path, NULL) < 0 || snapshot_path(folder, id, "json", label, NULL) < 0)
		return;
	exists = lstat(path, &st) == 0;
	if (exists && (st.st_ino != disk->st_ino || st.st_dev != disk->st_dev))
		return;
	if (exists)
		unlink(path);
	unlink(label);
}

int snapshot_repair(const char *disk, struct pst_err *err)
{
	char folder[PATH_MAX], id[SNAPSHOT_ID_SIZE];
	struct dirent *e;
	struct stat st;
	int rc = snapshot_folder(disk, folder, err);

	if (rc < 0)
		return rc;
	if (lstat(disk, &st) < 0)
		return pst_err_sys(err, errno == ENOENT ? PST_ENOTFOUND : PST_EIO, errno, "%.200s", disk);
	DIR *dir = opendir(folder);
	if (!dir)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", folder);
	while ((e = readdir(dir)))
		if (id_of(e->d_name, ".json", id))
			leftover_remove(folder, id, &st);
	closedir(dir);
	return temp_sweep(folder, NULL, err);
}
