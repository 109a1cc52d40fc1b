/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes the tables of an empty disk, and looks at them again. */
#include "broker/hypervisor/backup/blank.h"

#include "base/unixsock.h"
#include "broker/hypervisor/disk/info.h"
#include "broker/hypervisor/disk/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TABLES (UINT64_C(2) << 20) /* bytes that an almost empty disk needs for itself */

static int failed(struct pst_err *err, const char *path)
{
	return pst_err_sys(err, errno == ENOSPC || errno == EDQUOT ? PST_ENOSPC : PST_EIO, errno, "%.200s", path);
}

static int put(int fd, const void *data, size_t len, off_t at, const char *path, struct pst_err *err)
{
	return pwrite(fd, data, len, at) == (ssize_t)len ? 0 : failed(err, path);
}

/* One entry of a table is eight bytes for each cluster of 64 KiB, and two for its reference. */
static int reserve(int fd, const struct blank_params *p, struct pst_err *err)
{
	uint64_t bytes = p->bytes + p->bytes / 4096 + TABLES;

	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes) == 0 || errno == EOPNOTSUPP)
		return 0;
	return failed(err, p->path);
}

static int tables_write(int fd, const struct blank_params *p, struct pst_err *err)
{
	uint8_t head[LAYOUT_HEAD_MAX], table[8], block[2 * LAYOUT_CLUSTERS_MAX];
	struct layout l;
	int n;

	if (layout_init(&l, p->size, err) < 0)
		return err->code;
	n = layout_head(&l, p->backing, p->format, head, err);
	if (n < 0)
		return n;
	layout_refcount_table(table);
	layout_refcount_block(&l, block);
	if (ftruncate(fd, (off_t)l.file_size) < 0)
		return failed(err, p->path);
	if (put(fd, head, (size_t)n, 0, p->path, err) < 0 || put(fd, table, sizeof(table), LAYOUT_TABLE_AT, p->path, err) < 0 ||
		put(fd, block, LAYOUT_BLOCK_SIZE(&l), LAYOUT_BLOCK_AT, p->path, err) < 0)
		return err->code;
	return reserve(fd, p, err);
}

int blank_make(const struct blank_params *p, struct pst_err *err)
{
	int fd = open(p->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return failed(err, p->path);
	if (tables_write(fd, p, err) == 0)
		return fd;
	unlink(p->path);
	pst_fd_close(&fd);
	return err->code;
}

int blank_finish(const struct blank_params *p, int fd, struct pst_err *err)
{
	struct disk_info info;
	const struct qcow2_header *h = &info.qcow2;
	struct stat st;

	if (disk_info_read(fd, DISK_QCOW2, &info, err) < 0)
		return pst_err_wrap(err, "what QEMU has left");
	if (info.size != p->size || strcmp(h->backing, p->backing) != 0 || strcmp(h->backing_format, disk_format_name(p->format)) != 0 ||
		h->is_encrypted || h->has_data_file || h->is_dirty || h->snapshots)
		return pst_err_set(err, PST_EPROTO, "QEMU has left another file than it was given: look at that machine");
	if (fstat(fd, &st) < 0)
		return failed(err, p->path);
	/* All of the disk and its tables are less; a hole without end would fill the datastore. */
	if ((uint64_t)st.st_size > p->size + p->size / 1024 + 8 * TABLES)
		return pst_err_set(err, PST_EPROTO, "QEMU has left a file that is larger than its disk: look at that machine");
	if (ftruncate(fd, st.st_size) < 0 || fsync(fd) < 0)
		return failed(err, p->path);
	return 0;
}
