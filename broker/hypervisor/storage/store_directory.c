/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kind "directory": disks are files of a folder, on whatever is mounted there. */
#include "broker/hypervisor/storage/store.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/disk/info.h"
#include "broker/hypervisor/disk/recycle.h"
#include "broker/hypervisor/disk/temp.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK_BYTES ((STORE_MARK_SIZE - 1) / 2)
#define SWEPT_KEEP_MS (INT64_C(7) * 24 * 3600 * 1000) /* what a crash left of a publication */
#define PIECE (1u << 20) /* bytes of a copy, between two looks at whether it is still wanted */

static int directory_settings_read(struct pst_conf *conf, const char *section, struct store_settings *s, struct pst_err *err)
{
	const char *path = pst_conf_str(conf, section, "path", "");

	if (path[0] == '/' && path[1] && !strstr(path, "/../") && !pst_str_ends(path, "/") && pst_strlcpy(s->path, sizeof(s->path), path) == 0)
		return 0;
	return pst_err_set(err, PST_EINVAL, "path: \"%.80s\" must be the absolute path of a folder, without \"..\" and \"/\" at its end", path);
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The first time here: its folders come before its mark, so a marked one is whole. */
static int directory_begin(const struct store_settings *s, const char *there, const char *expected, struct pst_err *err)
{
	uint8_t random[MARK_BYTES];
	char mark[STORE_MARK_SIZE];

	pst_random(random, sizeof(random));
	pst_hex_encode(random, sizeof(random), mark, sizeof(mark));
	if (store_folders_make(s, err) < 0 || store_mark_write(there, mark, err) < 0)
		return err->code;
	return store_mark_write(expected, mark, err);
}

static int marks_compare(const struct store_settings *s, const char *data, struct pst_err *err)
{
	char there_path[PATH_MAX], expected_path[PATH_MAX];
	char there[STORE_MARK_SIZE], expected[STORE_MARK_SIZE];

	if (path_make(there_path, err, "%s/datastore.id", s->path) < 0 || store_mark_path(s, data, expected_path, err) < 0 ||
		store_mark_read(there_path, there, err) < 0 || store_mark_read(expected_path, expected, err) < 0)
		return err->code;
	if (!expected[0] && !there[0])
		return directory_begin(s, there_path, expected_path, err);
	if (!expected[0] && store_mark_write(expected_path, there, err) < 0)
		return err->code;
	if (expected[0] && !there[0])
		return pst_err_set(err, PST_ENOTFOUND, "%.200s is empty of our data: is its file system mounted? (if it was made anew, remove %.200s)",
			s->path, expected_path);
	if (expected[0] && strcmp(expected, there) != 0)
		return pst_err_set(err, PST_ENOTFOUND, "another datastore is mounted at %.200s (if that is meant, remove %.200s)", s->path, expected_path);
	return store_folders_make(s, err);
}

static int directory_check(const struct store_settings *s, const char *data, struct pst_err *err)
{
	if (!is_folder(s->path))
		return pst_err_set(err, PST_ENOTFOUND, "%.300s is no folder, or cannot be reached: mount it, or make it", s->path);
	return s->is_plain ? 0 : marks_compare(s, data, err);
}

static int directory_sweep(const struct store_settings *s, int64_t now_ms, unsigned *ret_n, struct pst_err *err)
{
	char images[PATH_MAX];
	size_t files = 0;
	int rc = version_sweep(s->path, now_ms, SWEPT_KEEP_MS, ret_n, err);

	/* Imports on their way lie in images/ itself. */
	if (rc == 0)
		rc = path_make(images, err, "%s/images", s->path);
	if (rc == 0)
		rc = temp_sweep(images, &files, err);
	*ret_n += (unsigned)files;
	return rc;
}

static int directory_measure(const struct store_settings *s, struct store_look *ret, struct pst_err *err)
{
	memset(ret, 0, sizeof(*ret));
	return datastore_measure(s->path, &ret->space, err);
}

static int directory_census(const struct store_settings *s, struct datastore_census *ret, struct pst_err *err)
{
	return datastore_census(s->path, ret, err);
}

static int directory_publish(const struct store_settings *s, const struct version_params *p, struct manifest *ret, struct pst_err *err)
{
	(void)s;
	return version_publish(p, ret, err);
}

static int directory_verify(const struct store_settings *s, const char *image, const char *version, struct pst_err *err)
{
	return version_verify(s->path, image, version, false, NULL, NULL, err);
}

static bool is_wanted(const struct store_fetch *f, uint64_t at, uint64_t size)
{
	struct pollfd p = { .fd = f->cancel_fd, .events = POLLIN };

	return !(f->cancel_fd >= 0 && poll(&p, 1, 0) > 0) && (!f->go_on || f->go_on(f->arg, size ? (uint32_t)(at * 10000 / size) : 0));
}

static int write_failed(const struct store_fetch *f, int errnum, struct pst_err *err)
{
	return pst_err_sys(err, errnum == ENOSPC || errnum == EDQUOT ? PST_ENOSPC : PST_EIO, errnum, "%.200s", f->target);
}

/* By reading and writing: the kernel's own copy is for one file system, and the two are seldom on one. */
static int pieces_copy(int from, int to, uint64_t size, uint8_t *piece, const struct store_fetch *f, struct pst_err *err)
{
	for (uint64_t at = 0; at < size;) {
		ssize_t n = pread(from, piece, (size_t)PST_MIN(size - at, (uint64_t)PIECE), (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return pst_err_sys(err, PST_EIO, n < 0 ? errno : EIO, "read %.60s %.60s", f->image, f->version);
		if (!is_wanted(f, at, size))
			return pst_err_set(err, PST_ECLOSED, "it was cancelled");
		if (pwrite(to, piece, (size_t)n, (off_t)at) != n)
			return write_failed(f, errno ? errno : ENOSPC, err);
		at += (uint64_t)n;
	}
	return fsync(to) < 0 ? write_failed(f, errno, err) : 0;
}

static int bytes_copy(int from, int to, uint64_t size, const struct store_fetch *f, struct pst_err *err)
{
	uint8_t *piece = malloc(PIECE);
	int rc = piece ? pieces_copy(from, to, size, piece, f, err) : pst_err_set(err, PST_ENOMEM, "no memory");

	free(piece);
	return rc;
}

static int directory_fetch(const struct store_settings *s, const struct store_fetch *f, struct pst_err *err)
{
	char path[PATH_MAX];
	struct manifest m;
	int from, to, rc;

	if (version_read(s->path, f->image, f->version, &m, err) < 0 || version_verify(s->path, f->image, f->version, false, NULL, NULL, err) < 0 ||
		version_disk_path(s->path, f->image, f->version, path, err) < 0)
		return err->code;
	from = disk_open(path, s->path, err);
	if (from < 0)
		return from;
	to = open(f->target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	rc = to < 0 ? pst_err_sys(err, PST_EIO, errno, "%.200s", f->target) : bytes_copy(from, to, m.file_size, f, err);
	if (rc < 0 && to >= 0)
		unlink(f->target);
	pst_fd_close(&from);
	pst_fd_close(&to);
	return rc;
}

static int directory_remove(const struct store_settings *s, const char *const *others, const char *image, const char *version, const char *reason,
	int64_t keep_ms, struct pst_err *err)
{
	return version_remove(s->path, others, image, version, reason, pst_wall_ms(), keep_ms, err);
}

static int directory_purge(const struct store_settings *s, const char *const *others, int64_t now_ms, unsigned *ret_n, struct pst_err *err)
{
	return recycle_purge(s->path, others, now_ms, ret_n, err);
}

static int directory_end(const struct store_settings *s, const char *const *others, const char *token, struct pst_err *err)
{
	return recycle_end(s->path, others, token, err);
}

const struct store_type store_directory = {
	.kind = "directory",
	.disk = "disk.qcow2",
	.settings_read = directory_settings_read,
	.check = directory_check,
	.sweep = directory_sweep,
	.measure = directory_measure,
	.census = directory_census,
	.publish = directory_publish,
	.verify = directory_verify,
	.fetch = directory_fetch,
	.remove = directory_remove,
	.purge = directory_purge,
	.end = directory_end,
};
