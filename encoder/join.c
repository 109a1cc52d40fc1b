/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pieces into runs, runs into blocks. */
#include "encoder/join.h"

#include <string.h>

#include "base/mem.h"
#include "encoder/tiles.h"

#define JOIN_WIDTH_MAX 2048 /* the widest rectangle of RFB Tight */
#define JOIN_AREA_MAX (512 * 1024)
#define SKETCH_FULL 244 /* set bits of 2048 when 256 colours were added: 241 on average */
#define FILL_RUN_MIN 3  /* fewer flat tiles than this beside text cost less within the text */

void sketch_make(uint64_t sketch[SKETCH_WORDS], const uint8_t *seen)
{
	/* Eight bytes become eight bits in the top byte of a product. */
	for (int i = 0; i < SKETCH_WORDS; i++) {
		sketch[i] = 0;
		for (int k = 0; k < 8; k++, seen += 8) {
			uint64_t eight;

			memcpy(&eight, seen, sizeof(eight));
			sketch[i] |= (eight * 0x0102040810204080u >> 56) << (8 * k);
		}
	}
}

int sketch_count(const uint64_t sketch[SKETCH_WORDS])
{
	int bits = 0;

	for (int i = 0; i < SKETCH_WORDS; i++)
		bits += __builtin_popcountll(sketch[i]);
	return bits;
}

bool sketch_fits(const uint64_t sketch[SKETCH_WORDS])
{
	return sketch_count(sketch) <= SKETCH_FULL;
}

/* Pictures apart: what suits them suits nothing else. Text on another paper is another text. */
static bool fits_one_codec(const struct piece *a, const struct piece *b)
{
	if (a->has_paper && b->has_paper && a->paper != b->paper)
		return false;
	return (a->klass == OP_CLASS_PICTURE) == (b->klass == OP_CLASS_PICTURE);
}

static bool can_join(const struct piece *a, const struct piece *b)
{
	struct rect hull = rect_union(&a->rect, &b->rect);
	int64_t parts = rect_area(&a->rect) + rect_area(&b->rect), waste = rect_area(&hull) - parts;

	if (a->kind != b->kind || a->is_refine != b->is_refine || hull.w > JOIN_WIDTH_MAX ||
		rect_area(&hull) > JOIN_AREA_MAX)
		return false;
	if (a->kind == OP_FILL)
		return a->fill == b->fill && waste == 0;
	if (a->kind == OP_LOSSY)
		return waste * 16 <= parts && a->quality == b->quality;
	return waste * 8 <= parts + 512 && fits_one_codec(a, b);
}

static void absorb(struct piece *a, struct piece *b)
{
	a->rect = rect_union(&a->rect, &b->rect);
	if (!a->has_paper) {
		a->has_paper = b->has_paper;
		a->paper = b->paper;
	}
	a->klass = PST_MAX(a->klass, b->klass);
	b->is_gone = true;
}

static bool is_next_tile(const struct piece *a, const struct piece *b)
{
	return a->row == b->row && a->column + 1 == b->column;
}

static bool is_text_beside(const struct piece *pieces, size_t n, size_t first, size_t end)
{
	return (first > 0 && is_next_tile(&pieces[first - 1], &pieces[first]) &&
		       pieces[first - 1].kind == OP_LOSSLESS) ||
	       (end < n && is_next_tile(&pieces[end - 1], &pieces[end]) && pieces[end].kind == OP_LOSSLESS);
}

/* A short gap of one colour between words goes with the words. */
static void demote_short_fills(struct piece *pieces, size_t n)
{
	size_t end;

	for (size_t i = 0; i < n; i = end) {
		end = i + 1;
		if (pieces[i].kind != OP_FILL)
			continue;
		while (end < n && pieces[end].kind == OP_FILL && is_next_tile(&pieces[end - 1], &pieces[end]))
			end++;
		if (end - i >= FILL_RUN_MIN || !is_text_beside(pieces, n, i, end))
			continue;
		for (size_t k = i; k < end; k++)
			pieces[k].kind = OP_LOSSLESS;
	}
}

static void join_rows(struct piece *pieces, size_t n)
{
	size_t head = 0;
	int32_t last_column = n ? pieces[0].column : 0;

	for (size_t i = 1; i < n; i++) {
		bool is_beside = pieces[i].row == pieces[head].row && pieces[i].column == last_column + 1;

		last_column = pieces[i].column;
		if (is_beside && can_join(&pieces[head], &pieces[i]))
			absorb(&pieces[head], &pieces[i]);
		else
			head = i;
	}
}

static size_t compact(struct piece *pieces, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!pieces[i].is_gone) {
			if (kept != i)
				pieces[kept] = pieces[i];
			kept++;
		}
	return kept;
}

/* The first run at or after `from` that stands in the row. Runs are in reading order. */
static size_t row_start(const struct piece *pieces, size_t n, size_t from, int32_t row)
{
	while (from < n && pieces[from].row < row)
		from++;
	return from;
}

/*
 * Each run looks for one right above that starts in the same column. The lower piece stays and takes the
 * upper one's pixels, so that a block stands in its lowest row, where the next row finds it.
 */
static void join_columns(struct piece *pieces, size_t n)
{
	size_t above = 0;

	for (size_t i = 0; i < n; i++) {
		above = row_start(pieces, i, above, pieces[i].row - 1);
		for (size_t k = above; k < i && pieces[k].row == pieces[i].row - 1; k++) {
			if (pieces[k].is_gone || pieces[k].column != pieces[i].column ||
				!can_join(&pieces[k], &pieces[i]))
				continue;
			absorb(&pieces[i], &pieces[k]);
			break;
		}
	}
}

size_t join_pieces(struct piece *pieces, size_t n)
{
	demote_short_fills(pieces, n);
	join_rows(pieces, n);
	n = compact(pieces, n);
	join_columns(pieces, n);
	return compact(pieces, n);
}
