/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds marks by cutting along empty rows and columns, by turns, and keeps those that were sent. */
#include "encoder/codec/marks.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/mem.h"
#include "encoder/dsp/dsp.h"

#define SIDE_MAX 64          /* of a mark; what is larger is cut into several */
#define BAND_MAX 32          /* what is higher may hold several lines */
#define MARKS_MAX 4080       /* numbers in one or two bytes, see put_number */
#define PIXELS_MAX (1 << 20) /* of all marks: 1 MB at 80 pixels each, 4 on a screen of fine pixels */
#define LETTER_AREA 12       /* pixels that each mark has around it, at least */
#define SLOTS 8192           /* a power of two, at most half full */
#define DEPTH_MAX 6
#define SAMPLES 256
#define FRESH_AFTER(max) ((max) / 8 * 7) /* a rectangle may bring the rest */
#define TINTS 8
#define TINT_NONE 255
#define NO_COLOUR UINT32_MAX
enum { MODE_GO_ON = 2, MODE_PAPER = 3, MODE_FRESH = 4 };
enum { NUMBER_ONE = 240, NUMBER_NEW = 255, PLACE_FAR = 255 };

struct mark {
	uint64_t hash;
	uint32_t pixels; /* where its pixels start */
	uint8_t w, h;
};

/* Text has one ink on one paper: its green tells the colour. */
struct tint {
	uint32_t colours[256]; /* by green */
};

struct marks {
	const struct dsp *dsp;
	struct mark marks[MARKS_MAX];
	uint32_t len, pixels_len;
	uint32_t pixels[PIXELS_MAX];
	uint16_t slots[SLOTS]; /* number + 1; 0 is free */
	uint32_t paper;
	struct tint tints[TINTS], before[TINTS];
	uint64_t used[TINTS], clock;
};

/* One rectangle on its way. */
struct page {
	struct marks *m;
	const struct pixmap *p;
	const struct rect *r;
	struct pst_buf *out;
	size_t plain_max;               /* bytes; beyond it, other modes are better */
	int64_t fresh_max, picture_max; /* pixels that new marks may have, and those of many hues */
	int32_t x, y;                   /* the last mark's right edge and top, within r */
	int64_t left; /* marks that it may have: more of them are a pattern, and their places cost more than
			 pixels */
	bool is_bad;
};

struct marks *marks_create(void)
{
	struct marks *m = pst_zalloc(1, sizeof(*m));

	if (m)
		m->dsp = dsp_best();
	return m;
}

void marks_destroy(struct marks *m)
{
	free(m);
}

static const uint32_t *row_at(const struct page *g, int32_t x, int32_t y)
{
	return pixmap_at(g->p, g->r->x + x, g->r->y + y);
}

static uint32_t slot_of(const struct marks *m, const struct mark *want, const uint32_t *px)
{
	uint32_t at = (uint32_t)want->hash % SLOTS;

	for (; m->slots[at]; at = (at + 1) % SLOTS) {
		const struct mark *k = &m->marks[m->slots[at] - 1];

		if (k->hash == want->hash && k->w == want->w && k->h == want->h &&
			memcmp(m->pixels + k->pixels, px, (size_t)k->w * k->h * 4) == 0)
			break;
	}
	return at;
}

/* The newest marks are forgotten again, last in first out, so that no probe is broken. */
static void forget(struct marks *m, uint32_t len)
{
	while (m->len > len) {
		const struct mark *k = &m->marks[--m->len];

		m->slots[slot_of(m, k, m->pixels + k->pixels)] = 0;
		m->pixels_len = k->pixels;
	}
}

static void clear(struct marks *m)
{
	memset(m->slots, 0, sizeof(m->slots));
	memset(m->tints, 0xff, sizeof(m->tints));
	m->len = m->pixels_len = 0;
}

/* A number below 240 takes one byte, the others two. */
static void put_number(struct pst_buf *out, uint32_t n)
{
	if (n < NUMBER_ONE) {
		pst_buf_put_u8(out, (uint8_t)n);
		return;
	}
	pst_buf_put_u8(out, (uint8_t)(NUMBER_ONE + ((n - NUMBER_ONE) >> 8)));
	pst_buf_put_u8(out, (uint8_t)(n - NUMBER_ONE));
}

static void put_le16(struct pst_buf *out, int32_t v)
{
	pst_buf_put_u8(out, (uint8_t)v);
	pst_buf_put_u8(out, (uint8_t)((uint32_t)v >> 8));
}

/* From the last mark's right edge and top: near ones, as in a line of text, take one byte. */
static void put_place(struct page *g, int32_t x, int32_t y, int32_t w)
{
	int32_t dx = x - g->x, dy = y - g->y;

	if (dx >= 0 && dx < 15 && dy >= -8 && dy < 8) {
		pst_buf_put_u8(g->out, (uint8_t)(dx << 4 | (dy + 8)));
	} else {
		pst_buf_put_u8(g->out, PLACE_FAR);
		put_le16(g->out, dx);
		put_le16(g->out, dy);
	}
	g->x = x + w;
	g->y = y;
}

/* The colours of one mark by green, and its greens. */
struct own_tint {
	struct tint tint;
	uint8_t greens[256];
	int32_t len;
};

/* False where one green has two colours, or all 256 are there: their number is a byte. */
static bool collect_tint(const uint32_t *px, size_t n, struct own_tint *ret)
{
	memset(ret->tint.colours, 0xff, sizeof(ret->tint.colours));
	ret->len = 0;
	for (size_t i = 0; i < n; i++) {
		uint8_t green = (uint8_t)(px[i] >> 8);
		uint32_t *at = &ret->tint.colours[green];

		if (*at == NO_COLOUR)
			ret->greens[ret->len++] = green;
		else if (*at != px[i])
			return false;
		*at = px[i];
	}
	return ret->len < 256;
}

/* How many of the mark's greens stand for another colour in the table. */
static int32_t count_updates(const struct tint *t, const struct own_tint *own)
{
	int32_t n = 0;

	for (int32_t i = 0; i < own->len; i++)
		n += own->tint.colours[own->greens[i]] != t->colours[own->greens[i]];
	return n;
}

/* The table that fits best; where more than half would change, the one that was not used for longest: another
 * ink. */
static uint32_t choose_tint(struct marks *m, const struct own_tint *own)
{
	uint32_t best = 0, oldest = 0;
	int32_t least = INT32_MAX;

	for (uint32_t i = 0; i < TINTS; i++) {
		int32_t n = count_updates(&m->tints[i], own);

		if (n < least) {
			least = n;
			best = i;
		}
		if (m->used[i] < m->used[oldest])
			oldest = i;
	}
	best = least * 2 > own->len ? oldest : best;
	m->used[best] = ++m->clock;
	return best;
}

static void put_tint(struct marks *m, const struct own_tint *own, struct pst_buf *out)
{
	uint32_t which = choose_tint(m, own);
	struct tint *t = &m->tints[which];

	pst_buf_put_u8(out, (uint8_t)which);
	pst_buf_put_u8(out, (uint8_t)count_updates(t, own));
	for (int32_t i = 0; i < own->len; i++) {
		uint32_t colour = own->tint.colours[own->greens[i]];

		if (colour == t->colours[own->greens[i]])
			continue;
		t->colours[own->greens[i]] = colour;
		pst_buf_put_u8(out, own->greens[i]);
		pst_buf_put_u8(out, (uint8_t)(colour >> 16));
		pst_buf_put_u8(out, (uint8_t)colour);
	}
}

/* The greens of n pixels, and the rest by a table; or green, red - green, blue - green, as in rows. */
static void put_pixels(struct page *g, const uint32_t *px, size_t n)
{
	struct pst_buf *out = g->out;
	struct own_tint own;
	bool is_tinted = collect_tint(px, n, &own);
	uint8_t *at;

	if (is_tinted)
		put_tint(g->m, &own, out);
	else
		pst_buf_put_u8(out, TINT_NONE);
	g->picture_max -= is_tinted ? 0 : (int64_t)n;
	at = pst_buf_reserve(out, n * 3);
	if (!at)
		return;
	for (size_t i = 0; i < n; i++) {
		uint8_t green = (uint8_t)(px[i] >> 8);

		at[i] = green;
		at[n + i] = (uint8_t)((px[i] >> 16) - green);
		at[2 * n + i] = (uint8_t)(px[i] - green);
	}
	pst_buf_commit(out, is_tinted ? n : n * 3);
}

/* Puts a mark of at most SIDE_MAX × SIDE_MAX. */
static void put_mark(struct page *g, const struct rect *b)
{
	struct marks *m = g->m;
	struct mark k = { .pixels = m->pixels_len, .w = (uint8_t)b->w, .h = (uint8_t)b->h };
	uint32_t px[SIDE_MAX * SIDE_MAX], at, n = (uint32_t)(b->w * b->h);

	for (int32_t y = 0; y < b->h; y++)
		for (int32_t x = 0; x < b->w; x++)
			px[y * b->w + x] = row_at(g, b->x, b->y + y)[x] & DSP_RGB;
	k.hash = XXH3_64bits(px, (size_t)n * 4);
	at = slot_of(m, &k, px);
	put_place(g, b->x, b->y, b->w);
	if (m->slots[at]) {
		put_number(g->out, m->slots[at] - 1u);
		return;
	}
	g->fresh_max -= n;
	g->is_bad |= m->len == MARKS_MAX || m->pixels_len + n > PIXELS_MAX || g->fresh_max < 0 ||
		     g->picture_max < 0;
	if (g->is_bad)
		return;
	memcpy(m->pixels + m->pixels_len, px, (size_t)n * 4);
	m->pixels_len += n;
	m->marks[m->len] = k;
	m->slots[at] = (uint16_t)++m->len;
	pst_buf_put_u8(g->out, NUMBER_NEW);
	pst_buf_put_u8(g->out, k.w);
	pst_buf_put_u8(g->out, k.h);
	put_pixels(g, px, n);
}

static bool is_empty_row(const struct page *g, const struct rect *b, int32_t y)
{
	return g->m->dsp->is_colour(row_at(g, b->x, y), b->w, g->m->paper);
}

/* Paper above and below is cut off; columns were looked at already. */
static bool trim(const struct page *g, struct rect *b)
{
	while (b->h > 0 && is_empty_row(g, b, b->y)) {
		b->y++;
		b->h--;
	}
	while (b->h > 0 && is_empty_row(g, b, b->y + b->h - 1))
		b->h--;
	return b->h > 0;
}

/* What cannot be cut, in parts that are small enough. */
static void put_block(struct page *g, const struct rect *b)
{
	for (int32_t y = 0; y < b->h; y += SIDE_MAX) {
		for (int32_t x = 0; x < b->w; x += SIDE_MAX) {
			struct rect part = { b->x + x, b->y + y, PST_MIN(SIDE_MAX, b->w - x),
				PST_MIN(SIDE_MAX, b->h - y) };

			g->is_bad |= g->out->failed || g->left-- == 0;
			if (!g->is_bad && trim(g, &part))
				put_mark(g, &part);
		}
	}
}

static void cut_rows(struct page *g, const struct rect *b, int depth);

/* Cuts a band at its empty columns. What is still high is cut along rows again: columns of a page. */
static void cut_columns(struct page *g, const struct rect *b, int depth)
{
	uint32_t apart[SCREEN_SIDE_MAX];
	int32_t end;

	memset(apart, 0, (size_t)b->w * sizeof(*apart));
	for (int32_t y = b->y; y < b->y + b->h; y++)
		g->m->dsp->mark_apart(apart, row_at(g, b->x, y), b->w, g->m->paper);
	for (int32_t x = 0; x < b->w && !g->is_bad; x = end) {
		struct rect part = { b->x + x, b->y, 0, b->h };

		for (end = x + 1; end < b->w && !apart[end - 1] == !apart[end];)
			end++;
		part.w = end - x;
		if (!apart[x] || !trim(g, &part))
			continue;
		if (part.h > BAND_MAX && part.w < b->w && depth < DEPTH_MAX)
			cut_rows(g, &part, depth + 1);
		else
			put_block(g, &part);
	}
}

static void cut_rows(struct page *g, const struct rect *b, int depth)
{
	int32_t bottom = b->y + b->h, end;

	for (int32_t y = b->y; y < bottom && !g->is_bad; y = end) {
		struct rect band = { b->x, y, b->w, 0 };
		bool is_empty = is_empty_row(g, b, y);

		for (end = y + 1; end < bottom && is_empty_row(g, b, end) == is_empty;)
			end++;
		band.h = end - y;
		if (!is_empty)
			cut_columns(g, &band, depth);
	}
}

/*
 * The colour that most of some pixels have, or the paper of before when it is there at all. False when there
 * is too little of it for a text.
 */
static bool choose_paper(struct page *g)
{
	int32_t step = PST_MAX(1, (int32_t)(rect_area(g->r) / SAMPLES));
	uint32_t best = 0, votes = 0, seen = 0, seen_before = 0, n = 0;

	for (int32_t i = 0; i < g->r->w * g->r->h; i += step) {
		uint32_t px = row_at(g, i % g->r->w, i / g->r->w)[0] & DSP_RGB;

		if (!votes)
			best = px;
		votes += px == best ? 1 : UINT32_MAX;
	}
	for (int32_t i = 0; i < g->r->w * g->r->h; i += step, n++) {
		uint32_t px = row_at(g, i % g->r->w, i / g->r->w)[0] & DSP_RGB;

		seen += px == best;
		seen_before += px == g->m->paper;
	}
	if (seen_before * 4 >= n)
		return true;
	g->m->paper = best;
	return seen * 3 >= n;
}

static void put_page(struct page *g, uint8_t mode)
{
	const struct rect all = { 0, 0, g->r->w, g->r->h };
	size_t start = g->out->len;

	pst_buf_put_u8(g->out, mode);
	if (mode != MODE_GO_ON) {
		pst_buf_put_u8(g->out, (uint8_t)(g->m->paper >> 16));
		pst_buf_put_u8(g->out, (uint8_t)(g->m->paper >> 8));
		pst_buf_put_u8(g->out, (uint8_t)g->m->paper);
	}
	cut_rows(g, &all, 0);
	g->is_bad |= g->out->failed || g->out->len - start > g->plain_max;
}

bool marks_write(struct marks *m, const struct pixmap *p, const struct rect *r, struct pst_buf *out)
{
	struct page g = { m, p, r, out, .plain_max = (size_t)rect_area(r) * 3,
		.fresh_max = rect_area(r) * 3 / 4 + 128, .picture_max = rect_area(r) / 8 + 128,
		.left = rect_area(r) / LETTER_AREA + 8 };
	uint32_t paper = m->paper, len = m->len;
	bool is_fresh = !len || len > FRESH_AFTER(MARKS_MAX) || m->pixels_len > FRESH_AFTER(PIXELS_MAX);
	size_t start = out->len;

	if (!choose_paper(&g)) {
		m->paper = paper;
		return false;
	}
	if (is_fresh) {
		clear(m);
		len = 0;
	}
	memcpy(m->before, m->tints, sizeof(m->tints));
	put_page(&g, is_fresh ? MODE_FRESH : m->paper == paper ? MODE_GO_ON : MODE_PAPER);
	if (!g.is_bad)
		return true;
	forget(m, len);
	memcpy(m->tints, m->before, sizeof(m->tints));
	m->paper = paper;
	out->len = start;
	return false;
}
