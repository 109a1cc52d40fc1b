/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Blocks that wait, blocks that are done. */
#include "protocol/front/ws/snapshot.h"

#include <stdlib.h>

#include "base/mem.h"
#include "protocol/front/ws/frame.h"

#define BLOCK_W 256 /* an operation's: each has one kind of coding */
#define BLOCK_H 64
#define STEP_BLOCKS 8 /* about half a millisecond */
#define ROUNDS_MAX 3  /* blocks that are encoded, of those that there are */

struct ws_snapshot {
	int32_t width, height;
	size_t columns, rows, next; /* the last: where the search for one that waits goes on */
	bool *waits;
	size_t waiting, done;
	bool is_stale; /* a video changed what is done */
	struct ws_frame_writer writer;
	struct pst_buf body;
};

struct ws_snapshot *ws_snapshot_create(int32_t width, int32_t height)
{
	struct ws_snapshot *s = pst_zalloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->width = width;
	s->height = height;
	s->columns = (size_t)(width + BLOCK_W - 1) / BLOCK_W;
	s->rows = (size_t)(height + BLOCK_H - 1) / BLOCK_H;
	s->waiting = s->columns * s->rows;
	s->waits = pst_zalloc(s->waiting, sizeof(*s->waits));
	pst_buf_init(&s->body, WS_FRAME_MAX);
	if (!s->waits || ws_frame_writer_init(&s->writer) < 0) {
		ws_snapshot_destroy(s);
		return NULL;
	}
	for (size_t i = 0; i < s->waiting; i++)
		s->waits[i] = true;
	ws_frame_begin(&s->writer, 0, 0, 0, &s->body);
	return s;
}

void ws_snapshot_destroy(struct ws_snapshot *s)
{
	if (!s)
		return;
	ws_frame_writer_finish(&s->writer);
	pst_buf_finish(&s->body);
	free(s->waits);
	free(s);
}

static struct rect block_rect(const struct ws_snapshot *s, size_t i)
{
	int32_t x = (int32_t)(i % s->columns) * BLOCK_W, y = (int32_t)(i / s->columns) * BLOCK_H;

	return (struct rect){ x, y, PST_MIN(BLOCK_W, s->width - x), PST_MIN(BLOCK_H, s->height - y) };
}

static void note_op(struct ws_snapshot *s, const struct op *op)
{
	struct rect common;

	for (size_t i = 0; i < s->columns * s->rows; i++) {
		struct rect block = block_rect(s, i);

		if (s->waits[i] || !rect_intersect(&block, &op->rect, &common))
			continue;
		if (op->kind == OP_VIDEO) {
			s->is_stale = true;
			continue;
		}
		s->waits[i] = true;
		s->waiting++;
	}
}

void ws_snapshot_note(struct ws_snapshot *s, const struct op_list *list)
{
	for (size_t i = 0; i < list->len; i++)
		note_op(s, &list->ops[i]);
}

static int encode(struct ws_snapshot *s, const struct pixmap *sent, size_t most)
{
	size_t n = s->columns * s->rows;
	int rc = 0;

	for (; rc == 0 && s->waiting > 0 && most > 0; most--) {
		struct op op = { .kind = OP_LOSSLESS };

		while (!s->waits[s->next % n])
			s->next++;
		s->waits[s->next % n] = false;
		s->waiting--;
		s->done++;
		op.rect = block_rect(s, s->next % n);
		rc = ws_frame_ops(&s->writer, &op, 1, sent, &s->body, NULL);
	}
	return rc;
}

int ws_snapshot_step(struct ws_snapshot *s, const struct pixmap *sent)
{
	return encode(s, sent, STEP_BLOCKS);
}

bool ws_snapshot_is_near(const struct ws_snapshot *s)
{
	return s->waiting <= STEP_BLOCKS || s->done >= ROUNDS_MAX * s->columns * s->rows;
}

int ws_snapshot_finish(struct ws_snapshot *s, const struct pixmap *sent, uint64_t sequence, bool more)
{
	int rc = encode(s, sent, s->waiting);
	uint8_t flags = WS_FRAME_ANEW | (s->is_stale ? 0 : WS_FRAME_EXACT) | (more || s->is_stale ? WS_FRAME_MORE : 0);

	if (rc < 0 || s->done > UINT16_MAX)
		return rc < 0 ? rc : PST_ELIMIT;
	ws_frame_head(s->body.data, (uint32_t)sequence, flags, (uint16_t)s->done);
	return 0;
}

const struct pst_buf *ws_snapshot_body(const struct ws_snapshot *s)
{
	return &s->body;
}
