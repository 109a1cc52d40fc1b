/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Makes linked overlays: written under temporary names, synced together, then named. */
#include "broker/hypervisor/disk/info.h"
#include "broker/hypervisor/disk/layout.h"
#include "broker/hypervisor/disk/qcow2.h"
#include "broker/hypervisor/disk/seal.h"
#include "broker/hypervisor/disk/sync.h"
#include "broker/hypervisor/disk/temp.h"

#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files that are open at once; larger calls go in several rounds. */
#define ROUND_MAX 256

/* A folder of this round's files. */
struct folder {
	char path[PATH_MAX];
	int fd;
};

/* One file on its way. */
struct item {
	struct qcow2_overlay *overlay;
	int folder; /* index, or -1 */
	const char *name; /* within overlay->path */
	char temp[TEMP_SIZE]; /* "" when there is no such file */
};

struct round {
	struct item items[ROUND_MAX];
	int fds[ROUND_MAX];    /* of the items' files, -1 for failed ones */
	int errors[ROUND_MAX];
	size_t n;
	struct folder folders[ROUND_MAX];
	int folder_fds[ROUND_MAX];
	size_t n_folders;
	/* The backing file that was read last, since most overlays of a call share it. */
	const struct qcow2_overlay *backing_of;
	uint64_t backing_size;
};

/* errno of a failed write as a code: a full disk is told apart. */
static int write_failed(struct pst_err *err, int errnum, const char *path)
{
	bool is_full = errnum == ENOSPC || errnum == EDQUOT;

	return pst_err_sys(err, is_full ? PST_ENOSPC : PST_EIO, errnum, "%.200s", path);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static int depth_see(unsigned depth, const char *path, const struct disk_info *info, void *arg)
{
	(void)path;
	(void)info;
	*(unsigned *)arg = depth + 1;
	return 0;
}

static int backing_read(struct round *r, const struct qcow2_overlay *o, struct pst_err *err)
{
	const struct qcow2_overlay *last = r->backing_of;
	struct disk_info info;
	unsigned files = 0;
	int rc;

	if (last && !o->backing_size && last->backing_format == o->backing_format && last->is_golden == o->is_golden && same_text(last->backing, o->backing) &&
		same_text(last->within, o->within))
		return 0;
	r->backing_of = NULL;
	if (!o->backing || o->backing_size) {
		r->backing_size = o->backing_size;
		return 0;
	}
	rc = o->is_golden ? seal_verify(o->backing, err) : 0;
	if (rc < 0)
		return rc;
	rc = disk_chain_walk(o->backing, o->backing_format, o->within, depth_see, &files, &info, err);
	if (rc == 0 && files >= DISK_CHAIN_MAX)
		rc = pst_err_set(err, PST_ELIMIT, "%.200s: more than %d files in a chain", o->path, DISK_CHAIN_MAX);
	if (rc < 0)
		return rc;
	r->backing_size = (info.size + 511) / 512 * 512; /* as QEMU sees a raw file of odd length */
	r->backing_of = o;
	return 0;
}

static int layout_of(struct round *r, const struct qcow2_overlay *o, struct layout *ret_layout,
	struct pst_err *err)
{
	int rc = backing_read(r, o, err);

	if (rc < 0)
		return rc;
	if (o->size != 0 && o->size < r->backing_size)
		return pst_err_set(err, PST_EINVAL, "an overlay of %llu bytes is smaller than its backing file",
			(unsigned long long)o->size);
	return layout_init(ret_layout, o->size ? o->size : r->backing_size, err);
}

/* The folder's index, or a PST_E…. */
static int folder_open(struct round *r, const char *path, size_t len, struct pst_err *err)
{
	struct folder *f = &r->folders[r->n_folders];

	for (size_t i = r->n_folders; i-- > 0;)
		if (strncmp(r->folders[i].path, path, len) == 0 && r->folders[i].path[len] == '\0')
			return (int)i;
	if (path_make(f->path, err, "%.*s", (int)len, path) < 0)
		return PST_ELIMIT;
	f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->fd < 0)
		return pst_err_sys(err, errno == ENOENT ? PST_ENOTFOUND : PST_EIO, errno, "%.200s", f->path);
	r->folder_fds[r->n_folders] = f->fd;
	return (int)r->n_folders++;
}

static int folder_find(struct round *r, struct item *it, struct pst_err *err)
{
	const char *path = it->overlay->path, *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (path[0] != '/')
		return pst_err_set(err, PST_EINVAL, "%.200s: not an absolute path", path);
	it->name = slash + 1;
	it->folder = folder_open(r, path, len ? len : 1, err);
	return it->folder;
}

static int write_at(int fd, const void *data, size_t len, off_t at)
{
	ssize_t n;

	do
		n = pwrite(fd, data, len, at);
	while (n < 0 && errno == EINTR);
	if (n >= 0 && (size_t)n < len)
		errno = ENOSPC; /* a file system writes less than asked only when it is full */
	return n == (ssize_t)len ? 0 : -1;
}

static int file_write(int fd, const struct layout *l, const uint8_t *head, size_t head_len,
	const struct qcow2_overlay *o, struct pst_err *err)
{
	uint8_t table[8], block[2 * LAYOUT_CLUSTERS_MAX];

	layout_refcount_table(table);
	layout_refcount_block(l, block);
	if (write_at(fd, head, head_len, 0) < 0 || write_at(fd, table, sizeof(table), LAYOUT_TABLE_AT) < 0 ||
		write_at(fd, block, LAYOUT_BLOCK_SIZE(l), LAYOUT_BLOCK_AT) < 0 ||
		ftruncate(fd, (off_t)l->file_size) < 0 || fchown(fd, o->uid, o->gid) < 0)
		return write_failed(err, errno, o->path);
	return 0;
}

/* Makes the file under its temporary name; returns the descriptor or a PST_E…. */
static int item_write(struct round *r, struct item *it, struct pst_err *err)
{
	struct qcow2_overlay *o = it->overlay;
	uint8_t head[LAYOUT_HEAD_MAX];
	struct layout l;
	int rc, len, fd;

	rc = layout_of(r, o, &l, err);
	if (rc < 0)
		return rc;
	len = layout_head(&l, o->backing, o->backing_format, head, err);
	if (len < 0)
		return len;
	rc = folder_find(r, it, err);
	if (rc < 0)
		return rc;
	int folder = r->folders[it->folder].fd;
	if (faccessat(folder, it->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return pst_err_set(err, PST_ECONFLICT, "%.200s: exists already", o->path);
	rc = temp_name(it->name, it->temp, err);
	if (rc < 0)
		return rc;
	fd = openat(folder, it->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		it->temp[0] = '\0';
		return write_failed(err, errno, o->path);
	}
	rc = file_write(fd, &l, head, (size_t)len, o, err);
	if (rc < 0)
		pst_fd_close(&fd);
	return rc < 0 ? rc : fd;
}

/* The first failure's words are kept, each one's code stays with it. */
static void item_failed(struct item *it, const struct pst_err *why, struct pst_err *first)
{
	it->overlay->code = why->code;
	if (first->code == 0)
		*first = *why;
}

static void round_write(struct round *r, struct pst_err *first)
{
	for (size_t i = 0; i < r->n; i++) {
		struct pst_err why = PST_ERR_INIT;

		r->fds[i] = item_write(r, &r->items[i], &why);
		if (r->fds[i] < 0) {
			r->fds[i] = -1;
			item_failed(&r->items[i], &why, first);
		}
	}
}

static void round_sync(struct round *r, struct pst_err *first)
{
	sync_files(r->fds, r->errors, r->n);
	for (size_t i = 0; i < r->n; i++) {
		struct pst_err why = PST_ERR_INIT;

		if (r->fds[i] < 0 || r->errors[i] == 0)
			continue;
		write_failed(&why, r->errors[i], r->items[i].overlay->path);
		item_failed(&r->items[i], &why, first);
	}
}

static void round_publish(struct round *r, struct pst_err *first)
{
	for (size_t i = 0; i < r->n; i++) {
		struct item *it = &r->items[i];
		struct pst_err why = PST_ERR_INIT;

		if (it->overlay->code < 0)
			continue;
		if (temp_publish(r->folders[it->folder].fd, it->temp, it->name, &why) < 0)
			item_failed(it, &why, first);
		else
			it->temp[0] = '\0';
	}
}

/* A name that may not last is no success, though the file stands: the caller's next try meets it. */
static void round_sync_folders(struct round *r, struct pst_err *first)
{
	int errors[ROUND_MAX] = { 0 };

	if (sync_files(r->folder_fds, errors, r->n_folders) == 0)
		return;
	for (size_t i = 0; i < r->n; i++) {
		struct item *it = &r->items[i];
		struct pst_err why = PST_ERR_INIT;

		if (it->overlay->code < 0 || errors[it->folder] == 0)
			continue;
		write_failed(&why, errors[it->folder], it->overlay->path);
		item_failed(it, &why, first);
	}
}

static void round_end(struct round *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct item *it = &r->items[i];

		pst_fd_close(&r->fds[i]);
		if (it->temp[0] && it->folder >= 0)
			unlinkat(r->folders[it->folder].fd, it->temp, 0);
	}
	for (size_t i = 0; i < r->n_folders; i++)
		pst_fd_close(&r->folders[i].fd);
	r->n_folders = 0;
}

static void round_run(struct round *r, struct qcow2_overlay *overlays, size_t n, struct pst_err *first)
{
	r->n = n;
	for (size_t i = 0; i < n; i++) {
		r->items[i] = (struct item){ .overlay = &overlays[i], .folder = -1 };
		overlays[i].code = 0;
	}
	round_write(r, first);
	round_sync(r, first);
	round_publish(r, first);
	round_sync_folders(r, first);
	round_end(r);
}

int qcow2_overlays_create(struct qcow2_overlay *overlays, size_t n, struct pst_err *err)
{
	struct pst_err first = PST_ERR_INIT;
	struct round *r = pst_zalloc(1, sizeof(*r));

	if (!r) {
		for (size_t i = 0; i < n; i++)
			overlays[i].code = PST_ENOMEM;
		return pst_err_set(err, PST_ENOMEM, "out of memory");
	}
	for (size_t at = 0; at < n; at += ROUND_MAX)
		round_run(r, overlays + at, PST_MIN(n - at, (size_t)ROUND_MAX), &first);
	free(r);
	if (first.code < 0 && err)
		*err = first;
	return first.code;
}
