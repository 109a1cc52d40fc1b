/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes records, and takes them apart again from pieces of any length. */
#include "broker/hypervisor/oci/oci_record.h"

#include "base/cursor.h"
#include "base/mem.h"

#include <string.h>

void record_put(struct pst_buf *b, const struct record *r)
{
	size_t path = strlen(r->path), link = strlen(r->link);

	pst_buf_put_u8(b, (uint8_t)r->kind);
	pst_buf_put_u8(b, 0);
	pst_buf_put_le16(b, (uint16_t)path);
	pst_buf_put_le16(b, (uint16_t)link);
	pst_buf_put_le16(b, 0);
	pst_buf_put_le32(b, r->mode);
	pst_buf_put_le32(b, r->uid);
	pst_buf_put_le32(b, r->gid);
	pst_buf_put_le64(b, r->size);
	pst_buf_put_le64(b, r->offset);
	pst_buf_put_le64(b, (uint64_t)r->mtime);
	pst_buf_append(b, r->path, path);
	pst_buf_append(b, r->link, link);
}

static int broken(struct pst_err *err)
{
	return pst_err_set(err, PST_EPROTO, "the unpacking program says what it should not");
}

/* How long head has to be to be whole; 0 when the lengths are not there yet. */
static size_t head_needs(const struct record_reader *r)
{
	size_t path, link;

	if (r->n < RECORD_HEAD_SIZE)
		return 0;
	path = (size_t)r->head[2] | (size_t)r->head[3] << 8;
	link = (size_t)r->head[4] | (size_t)r->head[5] << 8;
	return path > RECORD_PATH_MAX || link > RECORD_PATH_MAX ? SIZE_MAX : RECORD_HEAD_SIZE + path + link;
}

static bool text_copy(struct pst_cursor *c, char *out, size_t len)
{
	out[len] = '\0';
	return pst_cursor_copy(c, out, len) && !memchr(out, '\0', len);
}

static int head_read(struct record_reader *r, struct pst_err *err)
{
	struct record *now = &r->now;
	struct pst_cursor c;
	uint16_t path, link;
	uint8_t kind;

	pst_cursor_init(&c, r->head, r->n);
	kind = pst_cursor_u8(&c);
	pst_cursor_skip(&c, 1);
	path = pst_cursor_le16(&c);
	link = pst_cursor_le16(&c);
	pst_cursor_skip(&c, 2);
	now->mode = pst_cursor_le32(&c);
	now->uid = pst_cursor_le32(&c);
	now->gid = pst_cursor_le32(&c);
	now->size = pst_cursor_le64(&c);
	now->offset = pst_cursor_le64(&c);
	now->mtime = (int64_t)pst_cursor_le64(&c);
	if (!text_copy(&c, now->path, path) || !text_copy(&c, now->link, link) || kind == 0 || kind >= RECORD_KINDS)
		return broken(err);
	now->kind = (enum record_kind)kind;
	return 0;
}

static int head_feed(struct record_reader *r, const uint8_t **data, size_t *len, struct pst_err *err)
{
	size_t wants = head_needs(r), n;

	if (wants == SIZE_MAX)
		return broken(err);
	n = PST_MIN((wants ? wants : RECORD_HEAD_SIZE) - r->n, *len);
	memcpy(r->head + r->n, *data, n);
	r->n += n;
	*data += n;
	*len -= n;
	wants = head_needs(r);
	if (wants == SIZE_MAX)
		return broken(err);
	if (wants == 0 || r->n < wants)
		return 0;
	if (head_read(r, err) < 0)
		return err->code;
	r->n = 0;
	r->is_over = r->now.kind == RECORD_END || r->now.kind == RECORD_LIMIT;
	r->content_left = r->now.kind == RECORD_FILE ? r->now.size : 0;
	return r->record(r->arg, &r->now, err);
}

int record_feed(struct record_reader *r, const uint8_t *data, size_t len, struct pst_err *err)
{
	int rc = 0;

	while (rc == 0 && len > 0) {
		if (r->is_over)
			return broken(err);
		if (r->content_left == 0) {
			rc = head_feed(r, &data, &len, err);
			continue;
		}
		size_t n = (size_t)PST_MIN(r->content_left, (uint64_t)len);

		rc = r->content ? r->content(r->arg, data, n, err) : broken(err);
		r->content_left -= n;
		data += n;
		len -= n;
	}
	return rc;
}

int record_finish(const struct record_reader *r, struct pst_err *err)
{
	return r->is_over ? 0 : pst_err_set(err, PST_EPROTO, "the archive is cut off");
}
