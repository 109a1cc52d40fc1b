/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files of back-ups: listed, brought in, looked at, taken away. */
#include "broker/hypervisor/backup/target.h"

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/unixsock.h"
#include "broker/hypervisor/disk/info.h"
#include "broker/hypervisor/disk/temp.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE (1u << 20)

static int failed(struct pst_err *err, const char *path)
{
	return pst_err_sys(err, errno == ENOSPC || errno == EDQUOT ? PST_ENOSPC : PST_EIO, errno, "%.200s", path);
}

int target_path(const char *folder, const char *desktop, uint64_t id, char out[PATH_MAX], struct pst_err *err)
{
	char text[NOTE_ID_SIZE];

	note_id_text(id, text);
	return path_make(out, err, "%s/backups/%s/%s/disk.qcow2", folder, desktop, text);
}

/* --- the list -------------------------------------------------------------------------- */

static int note_load(const char *folder, const char *desktop, uint64_t id, struct note *ret, struct pst_err *err)
{
	char text[NOTE_ID_SIZE], path[PATH_MAX], *body;
	struct stat st;
	size_t len;
	int rc;

	note_id_text(id, text);
	if (path_make(path, err, "%s/backups/%s/%s/manifest.json", folder, desktop, text) < 0 ||
		pst_file_read(path, NOTE_MAX, &body, &len, err) < 0)
		return err->code;
	rc = note_parse(body, len, ret, err);
	free(body);
	if (rc < 0 || target_path(folder, desktop, id, path, err) < 0)
		return err->code;
	if (ret->id != id || strcmp(ret->desktop, desktop) != 0 || lstat(path, &st) < 0 || !S_ISREG(st.st_mode) ||
		(uint64_t)st.st_size != ret->bytes)
		return pst_err_set(err, PST_EINVAL, "%.200s: is not what its manifest says", path);
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct note *x = a, *y = b;

	return x->made_ms < y->made_ms ? -1 : x->made_ms > y->made_ms;
}

static void dir_read(DIR *dir, const char *folder, const char *desktop, struct note *notes, size_t *n)
{
	struct dirent *e;

	while (*n < BACKUPS_MAX && (e = readdir(dir))) {
		struct pst_err err = PST_ERR_INIT;
		uint64_t id = note_id_parse(e->d_name);

		if (!id)
			continue;
		if (note_load(folder, desktop, id, &notes[*n], &err) == 0)
			(*n)++;
		else
			pst_warn("a back-up is left out desktop=%s: %s", desktop, err.text);
	}
}

int target_list(const char *folder, const char *desktop, struct note **ret, size_t *ret_n, struct pst_err *err)
{
	struct note *notes;
	char path[PATH_MAX];
	DIR *dir;
	size_t n = 0;

	if (path_make(path, err, "%s/backups/%s", folder, desktop) < 0)
		return err->code;
	dir = opendir(path);
	if (!dir && errno != ENOENT)
		return failed(err, path);
	notes = pst_zalloc(BACKUPS_MAX, sizeof(*notes));
	if (!notes) {
		if (dir)
			closedir(dir);
		return pst_err_set(err, PST_ENOMEM, "no memory");
	}
	if (dir) {
		dir_read(dir, folder, desktop, notes, &n);
		closedir(dir);
	}
	qsort(notes, n, sizeof(*notes), by_time);
	*ret = notes;
	*ret_n = n;
	return 0;
}

/* --- bringing one in ---------------------------------------------------------------------- */

struct bringing {
	struct note *n;
	char folder[PATH_MAX]; /* of the desktop */
	char temp[TEMP_SIZE], id[NOTE_ID_SIZE], disk[PATH_MAX];
	int dir;
	digest_cb go_on;
	void *arg;
};

static int piece_write(int fd, const char *piece, size_t len)
{
	/* A file system that fills up takes a part first. */
	while (len > 0) {
		ssize_t n = write(fd, piece, len);

		if (n < 0)
			return -1;
		piece += n;
		len -= (size_t)n;
	}
	return 0;
}

static int bytes_copy(const struct bringing *b, int from, int to, struct pst_err *err)
{
	char *piece = malloc(PIECE);
	struct stat st;
	off_t at = 0;
	ssize_t n = 0;
	int rc = 0;

	if (!piece || fstat(from, &st) < 0) {
		free(piece);
		return pst_err_set(err, PST_ENOMEM, "no memory");
	}
	while (rc == 0 && (n = pread(from, piece, PIECE, at)) > 0) {
		if (piece_write(to, piece, (size_t)n) < 0)
			rc = failed(err, b->disk);
		at += n;
		if (b->go_on && !b->go_on(b->arg, (uint32_t)(st.st_size ? at * 5000 / st.st_size : 0)))
			rc = pst_err_set(err, PST_ECLOSED, "it was cancelled");
	}
	if (rc == 0 && (n < 0 || at != st.st_size))
		rc = failed(err, b->disk);
	free(piece);
	return rc;
}

static bool on_digested(void *arg, uint32_t basis_points)
{
	const struct bringing *b = arg;

	return !b->go_on || b->go_on(b->arg, 5000 + basis_points / 2);
}

static int disk_bring(struct bringing *b, int fd, struct pst_err *err)
{
	int to = open(b->disk, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600), rc;

	if (to < 0)
		return failed(err, b->disk);
	rc = bytes_copy(b, fd, to, err);
	if (rc == 0 && (fchmod(to, 0400) < 0 || fsync(to) < 0))
		rc = failed(err, b->disk);
	if (rc == 0)
		rc = digest_file(to, on_digested, b, b->n->sha256, &b->n->bytes, err);
	pst_fd_close(&to);
	return rc;
}

static int variables_bring(struct bringing *b, const struct target_variables *v, struct pst_err *err)
{
	char path[PATH_MAX];

	b->n->variables[0] = '\0';
	if (!v->data)
		return 0;
	pst_sha256_hex(v->data, v->len, b->n->variables);
	return path_make(path, err, "%s/%s/variables", b->folder, b->temp) < 0 ? err->code : pst_file_write(path, v->data, v->len, 0400, err);
}

static int note_write(struct bringing *b, struct pst_err *err)
{
	char path[PATH_MAX], *text;
	size_t len;
	int rc;

	text = note_text(b->n, &len);
	if (!text)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	rc = path_make(path, err, "%s/%s/manifest.json", b->folder, b->temp);
	if (rc == 0)
		rc = pst_file_write(path, text, len, 0400, err);
	free(text);
	return rc;
}

static int dir_sync(const char *path, struct pst_err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) < 0 ? failed(err, path) : 0;

	pst_fd_close(&fd);
	return rc;
}

static int folders_make(struct bringing *b, const char *folder, struct pst_err *err)
{
	char above[PATH_MAX];

	if (path_make(above, err, "%s/backups", folder) < 0 || path_make(b->folder, err, "%s/%s", above, b->n->desktop) < 0 ||
		pst_mkdirs(b->folder, 0700, err) < 0 || dir_sync(above, err) < 0 || dir_sync(folder, err) < 0)
		return err->code;
	b->dir = open(b->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->dir < 0)
		return failed(err, b->folder);
	note_id_text(b->n->id, b->id);
	if (temp_name(b->id, b->temp, err) < 0)
		return err->code;
	if (mkdirat(b->dir, b->temp, 0700) < 0)
		return failed(err, b->folder);
	return path_make(b->disk, err, "%s/%s/disk.qcow2", b->folder, b->temp);
}

static int bring(struct bringing *b, const char *folder, int fd, const struct target_variables *v, struct pst_err *err)
{
	char path[PATH_MAX];

	if (folders_make(b, folder, err) < 0 || disk_bring(b, fd, err) < 0 || variables_bring(b, v, err) < 0 || note_write(b, err) < 0 ||
		path_make(path, err, "%s/%s", b->folder, b->temp) < 0 || dir_sync(path, err) < 0 || temp_publish(b->dir, b->temp, b->id, err) < 0)
		return err->code;
	b->temp[0] = '\0';
	return dir_sync(b->folder, err);
}

int target_put(const char *folder, struct note *n, int fd, const struct target_variables *v, digest_cb go_on, void *arg, struct pst_err *err)
{
	struct bringing b = { .n = n, .dir = -1, .go_on = go_on, .arg = arg };
	struct pst_err ignored = PST_ERR_INIT;
	char path[PATH_MAX];
	int rc = bring(&b, folder, fd, v, err);

	if (rc < 0 && b.temp[0] && path_make(path, NULL, "%s/%s", b.folder, b.temp) == 0)
		(void)tree_remove(path, &ignored);
	pst_fd_close(&b.dir);
	return rc;
}

/* --- looking, and taking away ----------------------------------------------------------------- */

int target_verify(const char *folder, const struct note *n, digest_cb go_on, void *arg, struct pst_err *err)
{
	char path[PATH_MAX], sha256[PST_SHA256_HEX_SIZE];
	uint64_t bytes;
	int fd, rc;

	if (target_path(folder, n->desktop, n->id, path, err) < 0)
		return err->code;
	fd = disk_open(path, folder, err);
	if (fd < 0)
		return fd;
	rc = digest_file(fd, go_on, arg, sha256, &bytes, err);
	pst_fd_close(&fd);
	if (rc == 0 && (bytes != n->bytes || strcmp(sha256, n->sha256) != 0))
		rc = pst_err_set(err, PST_EINVAL, "%.200s: its bytes are not those that were backed up: choose another back-up", path);
	return rc;
}

int target_variables(const char *folder, const struct note *n, char **ret_data, size_t *ret_len, struct pst_err *err)
{
	char path[PATH_MAX], text[NOTE_ID_SIZE], hex[PST_SHA256_HEX_SIZE];

	*ret_data = NULL;
	if (!n->variables[0])
		return 0;
	note_id_text(n->id, text);
	if (path_make(path, err, "%s/backups/%s/%s/variables", folder, n->desktop, text) < 0 ||
		pst_file_read(path, TARGET_VARIABLES_MAX, ret_data, ret_len, err) < 0)
		return err->code;
	pst_sha256_hex(*ret_data, *ret_len, hex);
	if (strcmp(hex, n->variables) == 0)
		return 0;
	free(*ret_data);
	*ret_data = NULL;
	return pst_err_set(err, PST_EINVAL, "%.200s: its bytes are not those that were backed up: choose another back-up", path);
}

int target_remove(const char *folder, const char *desktop, uint64_t id, struct pst_err *err)
{
	char above[PATH_MAX], path[PATH_MAX], temp[TEMP_SIZE], gone[PATH_MAX], text[NOTE_ID_SIZE];

	note_id_text(id, text);
	if (path_make(above, err, "%s/backups/%s", folder, desktop) < 0 || path_make(path, err, "%s/%s", above, text) < 0 ||
		temp_name(text, temp, err) < 0 || path_make(gone, err, "%s/%s", above, temp) < 0)
		return err->code;
	/* Without its name first: what a crash leaves is no half back-up. */
	if (rename(path, gone) < 0)
		return errno == ENOENT ? 0 : failed(err, path);
	if (tree_remove(gone, err) < 0)
		return err->code;
	(void)rmdir(above);
	return 0;
}

int target_sweep(const char *folder, size_t *n, struct pst_err *err)
{
	char above[PATH_MAX], path[PATH_MAX];
	struct dirent *e;
	struct pst_uuid u;
	int rc = 0;
	DIR *dir;

	if (path_make(above, err, "%s/backups", folder) < 0)
		return err->code;
	dir = opendir(above);
	if (!dir)
		return errno == ENOENT ? 0 : failed(err, above);
	while (rc == 0 && (e = readdir(dir))) {
		size_t swept = 0;

		if (pst_uuid_parse(e->d_name, &u) < 0)
			continue;
		rc = path_make(path, err, "%s/%s", above, e->d_name);
		if (rc == 0)
			rc = temp_sweep(path, &swept, err);
		*n += swept;
	}
	closedir(dir);
	return rc;
}
