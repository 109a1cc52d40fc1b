/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes into and out of volumes: by libvirt's streams, or by qemu-img where QEMU alone reaches them. */
#include "broker/hypervisor/libvirt/pool.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/disk/place_io.h"
#include "broker/hypervisor/disk/temp.h"
#include "broker/hypervisor/libvirt/libvirt_priv.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE (256u << 10) /* as much as a message of libvirt's carries */
#define WORK_MS (24u * 3600 * 1000)
#define SECTOR 512
#define SEAL "puesto" /* the snapshot of a golden volume */

/* One transfer over a stream; fd is -1 where the bytes are in memory. */
struct transfer {
	struct lv_pool *p;
	const struct pool_copy *c;
	virStreamPtr stream;
	const uint8_t *data;
	int fd;
};

static bool is_wanted(const struct pool_copy *c, uint64_t at)
{
	struct pollfd f = { .fd = c->cancel_fd, .events = POLLIN };

	return !(c->cancel_fd >= 0 && poll(&f, 1, 0) > 0) && (!c->go_on || c->go_on(c->arg, c->len ? (uint32_t)(at * 10000 / c->len) : 0));
}

static int stream_error(const struct transfer *t, struct pst_err *err, const char *what)
{
	return lv_error(err, NULL, "%s volume %s", what, t->c->r->volume);
}

static int stream_put(struct transfer *t, const uint8_t *data, size_t len, struct pst_err *err)
{
	while (len > 0) {
		int n = virStreamSend(t->stream, (const char *)data, len);

		if (n < 0)
			return stream_error(t, err, "write to");
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int send_all(struct transfer *t, uint8_t *piece, struct pst_err *err)
{
	for (uint64_t at = 0; at < t->c->len;) {
		size_t want = (size_t)PST_MIN(t->c->len - at, (uint64_t)PIECE);
		ssize_t n = t->fd < 0 ? (ssize_t)want : pread(t->fd, piece, want, (off_t)at);

		if (n <= 0)
			return pst_err_sys(err, PST_EIO, n < 0 ? errno : EIO, "%.200s", t->c->file);
		if (!is_wanted(t->c, at))
			return pst_err_set(err, PST_ECLOSED, "it was cancelled");
		if (stream_put(t, t->fd < 0 ? t->data + at : piece, (size_t)n, err) < 0)
			return err->code;
		at += (uint64_t)n;
	}
	return 0;
}

static int take_all(struct transfer *t, uint8_t *piece, struct pst_err *err)
{
	for (uint64_t at = 0; at < t->c->len;) {
		int n = virStreamRecv(t->stream, (char *)piece, (size_t)PST_MIN(t->c->len - at, (uint64_t)PIECE));

		if (n < 0)
			return stream_error(t, err, "read from");
		if (n == 0)
			return pst_err_set(err, PST_EIO, "volume %s ended too early", t->c->r->volume);
		if (!is_wanted(t->c, at))
			return pst_err_set(err, PST_ECLOSED, "it was cancelled");
		if (pwrite(t->fd, piece, (size_t)n, (off_t)at) != n)
			return pst_err_sys(err, errno == ENOSPC ? PST_ENOSPC : PST_EIO, errno, "%.200s", t->c->file);
		at += (uint64_t)n;
	}
	return fsync(t->fd) < 0 ? pst_err_sys(err, PST_EIO, errno, "%.200s", t->c->file) : 0;
}

static int transfer_run(struct transfer *t, bool sends, virStorageVolPtr v, struct pst_err *err)
{
	uint8_t *piece = malloc(PIECE);
	int rc;

	t->stream = piece ? virStreamNew(t->p->conn, 0) : NULL;
	if (!t->stream)
		rc = piece ? stream_error(t, err, "begin with") : pst_err_set(err, PST_ENOMEM, "no memory");
	else if ((sends ? virStorageVolUpload(v, t->stream, 0, t->c->len, 0) : virStorageVolDownload(v, t->stream, 0, t->c->len, 0)) < 0)
		rc = stream_error(t, err, sends ? "write to" : "read from");
	else
		rc = sends ? send_all(t, piece, err) : take_all(t, piece, err);
	/* What the other side could not write is told here. */
	if (rc == 0 && virStreamFinish(t->stream) < 0)
		rc = stream_error(t, err, sends ? "write to" : "read from");
	else if (rc < 0 && t->stream)
		virStreamAbort(t->stream);
	if (t->stream)
		virStreamFree(t->stream);
	free(piece);
	return rc;
}

static int transfer(struct lv_pool *p, const struct pool_copy *c, bool sends, const void *data, int fd, struct pst_err *err)
{
	struct transfer t = { .p = p, .c = c, .data = data, .fd = fd };
	virStorageVolPtr v = virStorageVolLookupByName(p->pool, c->r->volume);
	int rc;

	if (!v)
		return lv_error(err, NULL, "look for volume %s", c->r->volume);
	rc = transfer_run(&t, sends, v, err);
	virStorageVolFree(v);
	return rc;
}

/* --- by qemu-img ------------------------------------------------------------------------------ */


static void on_progress(void *arg, uint32_t basis_points)
{
	const struct pool_copy *c = arg;

	if (c->go_on)
		(void)c->go_on(c->arg, basis_points);
}

static int by_tool(struct lv_pool *p, const struct pool_copy *c, bool sends, struct pst_err *err)
{
	struct disk_place place;
	struct place_io io = { .tool = p->s->tool, .place = &place, .len = (c->len + SECTOR - 1) / SECTOR * SECTOR, .file = c->file, .timeout_ms = WORK_MS,
		.cancel_fd = c->cancel_fd, .progress = on_progress, .arg = (void *)(uintptr_t)c };

	if (volume_record_place(c->r, &place, err) < 0)
		return err->code;
	if (sends)
		return place_write(&io, err);
	if (place_read(&io, err) < 0)
		return err->code;
	return truncate(c->file, (off_t)c->len) < 0 ? pst_err_sys(err, PST_EIO, errno, "%.200s", c->file) : 0;
}

/* A file of ours for qemu-img; the next start of the provisioner takes it away if we do not. */
static int put_by_tool(struct lv_pool *p, const struct volume_record *r, const void *data, size_t len, struct pst_err *err)
{
	struct pool_copy c = { .r = r, .len = len, .cancel_fd = -1 };
	char path[PATH_MAX], name[TEMP_SIZE];
	int rc;

	if (temp_name("head", name, err) < 0 || path_make(path, err, "%s/images/%s", p->s->path, name) < 0 || pst_file_write(path, data, len, 0600, err) < 0)
		return err->code;
	c.file = path;
	rc = by_tool(p, &c, true, err);
	unlink(path);
	return rc;
}

/* --- the outside --------------------------------------------------------------------------------- */

int pool_volume_put(struct lv_pool *p, const struct volume_record *r, const void *data, size_t len, struct pst_err *err)
{
	struct pool_copy c = { .r = r, .len = len, .cancel_fd = -1 };

	return p->kind->can & POOL_NETWORK ? put_by_tool(p, r, data, len, err) : transfer(p, &c, true, data, -1, err);
}

int pool_volume_send(struct lv_pool *p, const struct pool_copy *c, struct pst_err *err)
{
	int fd, rc;

	if (p->kind->can & POOL_NETWORK)
		return by_tool(p, c, true, err);
	fd = open(c->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	rc = fd < 0 ? pst_err_sys(err, PST_EIO, errno, "%.200s", c->file) : transfer(p, c, true, NULL, fd, err);
	pst_fd_close(&fd);
	return rc;
}

int pool_volume_seal(struct lv_pool *p, struct volume_record *r, struct pst_err *err)
{
	struct disk_place place;

	if (!(p->kind->can & POOL_SEALS))
		return 0;
	if (volume_record_place(r, &place, err) < 0 || place_seal(p->s->tool, &place, SEAL, err) < 0)
		return err->code;
	pst_strlcpy(place.snapshot, sizeof(place.snapshot), SEAL);
	return place_url(&place, r->url, err);
}

int pool_volume_fetch(struct lv_pool *p, const struct pool_copy *c, struct pst_err *err)
{
	int fd = open(c->file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600), rc;

	if (fd < 0)
		return pst_err_sys(err, errno == EEXIST ? PST_ECONFLICT : PST_EIO, errno, "%.200s", c->file);
	rc = p->kind->can & POOL_NETWORK ? by_tool(p, c, false, err) : transfer(p, c, false, NULL, fd, err);
	pst_fd_close(&fd);
	if (rc < 0)
		unlink(c->file);
	return rc;
}
