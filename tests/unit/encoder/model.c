/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The reference client of the encoder's tests. */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RGB 0x00ffffffu

uint32_t model_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

struct model *model_create(int32_t w, int32_t h, uint32_t seed)
{
	struct model *m = calloc(1, sizeof(*m));

	m->px = malloc((size_t)w * (size_t)h * 4);
	m->w = w;
	m->h = h;
	m->seed = seed | 1;
	/* What a client shows before the first frame is anything. */
	for (size_t i = 0; i < (size_t)w * (size_t)h; i++)
		m->px[i] = model_random(&m->seed) & RGB;
	return m;
}

void model_destroy(struct model *m)
{
	if (!m)
		return;
	free(m->px);
	free(m);
}

static uint32_t *at(const struct model *m, int32_t x, int32_t y)
{
	return m->px + (size_t)y * (size_t)m->w + (size_t)x;
}

static void apply_copy(struct model *m, const struct op *op)
{
	size_t row = (size_t)op->rect.w * 4;
	uint8_t *whole = malloc(row * (size_t)op->rect.h);

	for (int32_t y = 0; y < op->rect.h; y++)
		memcpy(whole + row * (size_t)y, at(m, op->copy.x, op->copy.y + y), row);
	for (int32_t y = 0; y < op->rect.h; y++)
		memcpy(at(m, op->rect.x, op->rect.y + y), whole + row * (size_t)y, row);
	free(whole);
}

static void apply_pixels(struct model *m, const struct op *op, const struct pixmap *sent)
{
	for (int32_t y = op->rect.y; y < op->rect.y + op->rect.h; y++) {
		for (int32_t x = op->rect.x; x < op->rect.x + op->rect.w; x++) {
			uint32_t px = op->kind == OP_FILL ? op->fill : *pixmap_at(sent, x, y) & RGB;

			if (op->kind == OP_LOSSY || op->kind == OP_VIDEO)
				px ^= model_random(&m->seed) & 0x070707;
			*at(m, x, y) = px;
		}
	}
}

/* As a front may: anything stands where repeats follow, and then they are copied from what the client shows. */
static void apply_repeats(struct model *m, const struct op *op)
{
	for (size_t i = 0; i < op->lossless.repeats_len; i++) {
		const struct rect *r = &op->lossless.repeats[i].rect;

		for (int32_t y = r->y; y < r->y + r->h; y++)
			for (int32_t x = r->x; x < r->x + r->w; x++)
				*at(m, x, y) = model_random(&m->seed) & RGB;
	}
	for (size_t i = 0; i < op->lossless.repeats_len; i++) {
		const struct op_repeat *repeat = &op->lossless.repeats[i];
		const struct op copy = { .kind = OP_COPY, .rect = repeat->rect, .copy = { repeat->x, repeat->y } };

		apply_copy(m, &copy);
	}
}

static bool fail(const char *what, const struct op *op)
{
	fprintf(stderr, "%s: kind %d at %d,%d size %dx%d\n", what, op->kind, op->rect.x, op->rect.y,
		op->rect.w, op->rect.h);
	return false;
}

static bool check(const struct model *m, const struct op *op, const struct encoder_params *params)
{
	const struct rect all = { 0, 0, m->w, m->h };

	if (rect_is_empty(&op->rect) || !rect_contains(&all, &op->rect))
		return fail("an operation outside the screen", op);
	if (!(params->ops & OP_BIT(op->kind)))
		return fail("an operation that the front cannot carry", op);
	if (op->kind == OP_COPY) {
		struct rect src = { op->copy.x, op->copy.y, op->rect.w, op->rect.h };

		if (!rect_contains(&all, &src))
			return fail("a copy from outside the screen", op);
	}
	for (size_t i = 0; op->kind == OP_LOSSLESS && i < op->lossless.repeats_len; i++) {
		const struct op_repeat *repeat = &op->lossless.repeats[i];
		struct rect src = { repeat->x, repeat->y, repeat->rect.w, repeat->rect.h };

		if (!rect_contains(&op->rect, &repeat->rect) || !rect_contains(&all, &src) || !(params->ops & OP_TAKES_REPEATS))
			return fail("a repeat that cannot be", op);
	}
	if (op->kind == OP_FILL && op->fill > RGB)
		return fail("a fill with something in X", op);
	if (op->kind == OP_LOSSY && (op->quality < 1 || op->quality > 100))
		return fail("a lossy operation without quality", op);
	if (op->kind == OP_VIDEO &&
		(op->rect.x % params->video_align || op->rect.y % params->video_align || op->video.len < 5 ||
			op->video.coded_w != ((op->rect.w + 1) & ~1) ||
			op->video.coded_h != ((op->rect.h + 1) & ~1)))
		return fail("a video region out of line", op);
	return true;
}

bool model_apply(struct model *m, const struct op_list *list, const struct pixmap *sent,
	const struct encoder_params *params)
{
	for (size_t i = 0; i < list->len; i++) {
		const struct op *op = &list->ops[i];

		if (!check(m, op, params))
			return false;
		if (op->kind == OP_COPY)
			apply_copy(m, op);
		else
			apply_pixels(m, op, sent);
		if (op->kind == OP_LOSSLESS)
			apply_repeats(m, op);
	}
	return true;
}

int64_t model_differs(const struct model *m, const struct pixmap *p, const struct rect *r)
{
	int64_t n = 0;

	for (int32_t y = r->y; y < r->y + r->h; y++)
		for (int32_t x = r->x; x < r->x + r->w; x++)
			n += ((*at(m, x, y) ^ *pixmap_at(p, x, y)) & RGB) != 0;
	return n;
}
