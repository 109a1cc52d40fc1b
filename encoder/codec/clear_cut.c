/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bands and gaps; see clear_cut.h. */
#include "encoder/codec/clear_cut.h"

#include "base/mem.h"
#include "encoder/dsp/dsp.h"

#define QUIET_MAX 4
#define QUIET_WIDTH 64
#define LETTER_WIDTH 32 /* a letter or two: its dots stay with it */
#define BAND_MIN 8
#define UP_HEIGHT_MIN 4    /* the upper line of a strip that scrolls in began in the last one */
#define GROW_HEIGHT_MIN 56 /* and its lower one goes on in the next */
#define GROW_MAX 24     /* rows of a line of text that may lie outside */

static uint32_t changes(const struct pixmap *p, const struct rect *r, int32_t y)
{
	uint32_t equal = 0, soft = 0;
	dsp_best()->slopes(pixmap_at(p, r->x, r->y + y), r->w, &equal, &soft);
	return (uint32_t)(r->w - 1) - equal;
}

static uint32_t quiet_changes(const struct rect *r)
{
	return (uint32_t)PST_MIN(QUIET_MAX, r->w / QUIET_WIDTH);
}

/* The quietest row that may end a band which began at y and finds no gap. */
static int32_t least(const uint32_t *rows, int32_t n)
{
	int32_t best = n - 1;
	for (int32_t i = BAND_MIN; i < n; i++)
		if (rows[i] < rows[best])
			best = i;
	return best;
}

struct clear_cut clear_cut_next(const struct pixmap *p, const struct rect *r, int32_t y)
{
	uint32_t quiet = quiet_changes(r), rows[CLEAR_BAR_MAX + 1];
	struct clear_cut cut = { .y = y, .h = r->h - y, .is_band = true };
	if (r->w <= LETTER_WIDTH) {
		cut.h = PST_MIN(cut.h, CLEAR_BAR_MAX);
		return cut;
	}
	int32_t n = 0;
	rows[0] = changes(p, r, y);
	cut.is_band = rows[0] > quiet;
	for (n = 1; y + n < r->h && (n <= CLEAR_BAR_MAX || !cut.is_band); n++) {
		uint32_t here = changes(p, r, y + n);
		if ((here > quiet) != cut.is_band)
			break;
		if (cut.is_band)
			rows[n] = here;
	}
	cut.h = cut.is_band && n > CLEAR_BAR_MAX ? least(rows, n) : n;
	return cut;
}

/* Rows from the edge at row y of r in steps of dir until a quiet one; 0 when the edge is quiet or none comes soon. */
static int32_t rest_of_line(const struct pixmap *p, const struct rect *r, int32_t y, int32_t dir)
{
	if (changes(p, r, y) <= quiet_changes(r))
		return 0;
	for (int32_t n = 1; n <= GROW_MAX; n++) {
		int32_t at = r->y + y + dir * n;
		if (at < 0 || at >= p->height || changes(p, r, y + dir * n) <= quiet_changes(r))
			return n - 1;
	}
	return 0;
}

struct rect clear_cut_grow(const struct pixmap *p, const struct rect *r)
{
	if (r->w <= LETTER_WIDTH || r->h < UP_HEIGHT_MIN)
		return *r;
	int32_t above = rest_of_line(p, r, 0, -1), below = r->h < GROW_HEIGHT_MIN ? 0 : rest_of_line(p, r, r->h - 1, 1);
	return (struct rect){ r->x, r->y - above, r->w, above + r->h + below };
}

/* Majority vote of Boyer and Moore. */
uint32_t clear_cut_background(const struct pixmap *p, const struct rect *band)
{
	uint32_t winner = 0;
	int32_t votes = 0;
	for (int32_t y = 0; y < band->h; y++) {
		const uint32_t *row = pixmap_at(p, band->x, band->y + y);
		for (int32_t x = 0; x < band->w; x++) {
			uint32_t colour = row[x] & DSP_RGB;
			if (votes == 0)
				winner = colour;
			votes += colour == winner ? 1 : -1;
		}
	}
	return winner;
}
