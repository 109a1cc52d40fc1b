/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rare places of the screen, looked up in the sent picture. */
#include "encoder/anchor.h"

#include "base/mem.h"

#define ANCHORS 4
#define SAMPLES 12
#define ANCHOR_LEN 12 /* pixels that must match at an anchor */
#define ANCHOR_HITS_MAX 4096
#define ANCHOR_AREA_MAX (3 * 1024 * 1024) /* pixels that are scanned for anchors */

struct anchor {
	int32_t x, y;
	const uint32_t *row; /* ANCHOR_LEN pixels of the screen */
};

/* Colours of a grid of places in the changed area: what is common there (paper, a background) leads nowhere.
 */
struct samples {
	uint32_t px[SAMPLES * SAMPLES];
};

static void take_samples(const struct pixmap *screen, const struct rect *b, struct samples *ret)
{
	for (int32_t j = 0; j < SAMPLES; j++)
		for (int32_t i = 0; i < SAMPLES; i++)
			ret->px[j * SAMPLES + i] =
				*pixmap_at(screen, b->x + i * b->w / SAMPLES, b->y + j * b->h / SAMPLES) &
				DSP_RGB;
}

static bool is_rare(const struct samples *s, uint32_t colour)
{
	int seen = 0;

	for (int32_t i = 0; i < SAMPLES * SAMPLES; i++)
		seen += s->px[i] == (colour & DSP_RGB);
	return seen <= 1;
}

static bool is_anchor(const struct encoder *e, const struct samples *s, const uint32_t *row)
{
	uint32_t equal = 0, soft = 0;

	e->dsp->slopes(row, ANCHOR_LEN, &equal, &soft);
	return equal < ANCHOR_LEN / 2 && is_rare(s, row[0]);
}

/* The first place with detail and a rare colour, from the quarter's middle downwards. */
static bool find_anchor(const struct encoder *e, const struct pixmap *screen, const struct samples *s,
	const struct rect *quarter, struct anchor *ret)
{
	for (int32_t y = quarter->y + quarter->h / 2; y < quarter->y + quarter->h; y += 3) {
		for (int32_t x = quarter->x + quarter->w / 4; x + ANCHOR_LEN <= quarter->x + quarter->w;
			x += 4) {
			const uint32_t *row = pixmap_at(screen, x, y);

			if (!is_anchor(e, s, row))
				continue;
			*ret = (struct anchor){ x, y, row };
			return true;
		}
	}
	return false;
}

static size_t choose_anchors(const struct encoder *e, const struct pixmap *screen, const struct rect *b,
	struct anchor ret[ANCHORS])
{
	struct samples s;
	size_t n = 0;

	take_samples(screen, b, &s);
	for (int i = 0; i < ANCHORS; i++) {
		struct rect quarter = { b->x + (i & 1) * b->w / 2, b->y + (i >> 1) * b->h / 2, b->w / 2,
			b->h / 2 };

		n += find_anchor(e, screen, &s, &quarter, &ret[n]);
	}
	return n;
}

struct tally {
	struct vector v;
	int32_t hits;
};

/* Counts a shift in a short list; a full list takes no new ones. */
static void count_shift(struct tally *list, size_t cap, size_t *len, struct vector v)
{
	for (size_t i = 0; i < *len; i++) {
		if (list[i].v.dx == v.dx && list[i].v.dy == v.dy) {
			list[i].hits++;
			return;
		}
	}
	if (*len < cap)
		list[(*len)++] = (struct tally){ v, 1 };
}

struct anchor_search {
	struct anchor anchors[ANCHORS];
	size_t n;
	uint32_t colours[4];
	struct tally list[64];
	size_t len;
	int32_t hits;
};

static void look_up_row(
	const struct encoder *e, struct anchor_search *s, const struct rect *bounds, int32_t y)
{
	const uint32_t *row = encoder_row(e, 0, y);
	int32_t end = bounds->x + bounds->w - ANCHOR_LEN;

	for (int32_t x = bounds->x; x < end && s->hits < ANCHOR_HITS_MAX; x++) {
		x = e->dsp->find_any4(row, x, end, s->colours);
		if (x >= end)
			return;
		s->hits++;
		for (size_t i = 0; i < s->n; i++)
			if (e->dsp->same_row(row + x, s->anchors[i].row, ANCHOR_LEN))
				count_shift(s->list, PST_ARRAY_LEN(s->list), &s->len,
					(struct vector){ x - s->anchors[i].x, y - s->anchors[i].y });
	}
}

bool anchor_vote(
	const struct encoder *e, const struct pixmap *screen, const struct rect *bounds, struct vector *ret)
{
	struct anchor_search s = { .len = 0 };
	int32_t best = 1;

	if (rect_area(bounds) > ANCHOR_AREA_MAX || bounds->w < 2 * TILE_SIDE || bounds->h < TILE_SIDE)
		return false;
	s.n = choose_anchors(e, screen, bounds, s.anchors);
	if (s.n < 2)
		return false;
	for (size_t i = 0; i < 4; i++)
		s.colours[i] = s.anchors[i < s.n ? i : 0].row[0] & DSP_RGB;
	for (int32_t y = bounds->y; y < bounds->y + bounds->h && s.hits < ANCHOR_HITS_MAX; y++)
		look_up_row(e, &s, bounds, y);

	for (size_t i = 0; i < s.len; i++) {
		if (s.list[i].hits > best && (s.list[i].v.dx || s.list[i].v.dy)) {
			best = s.list[i].hits;
			*ret = s.list[i].v;
		}
	}
	return best > 1;
}
