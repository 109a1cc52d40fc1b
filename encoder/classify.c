/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Flat, text or picture? Screens drawn by programs have few colours and hard edges; photos have many colours
 * and soft slopes. The answer only chooses a codec, and it changes its mind slowly, so that a tile does not
 * flicker between two codecs.
 */
#include <string.h>

#include "base/mem.h"
#include "encoder/encoder_priv.h"

#define VOTES_MAX 3
#define PAPER_SAMPLES 97     /* a prime: no pattern of a tile meets them all */
#define PAPER_LEAST 34       /* percent of the pixels that make a colour paper, */
#define PAPER_MOSTLY 60      /* and that leave no room for a photo */
#define PAPER_AREA 2048      /* smaller ones may also join a neighbour without paper: half a letter */
#define PICTURE_AREA_MIN 256 /* smaller changes are sent without loss: there is nothing to save */
#define NEW_AREA_MIN (TILE_SIDE * TILE_SIDE / 2) /* as much is new content: what was there before has no vote */

static bool is_one_colour(const struct encoder *e, const struct pixmap *pm, const struct rect *r)
{
	uint32_t colour = *pixmap_at(pm, r->x, r->y);

	for (int32_t y = r->y; y < r->y + r->h; y++)
		if (!e->dsp->is_colour(pixmap_at(pm, r->x, y), r->w, colour))
			return false;
	return true;
}

/*
 * Mostly slopes with few equal neighbours, or noise with hardly any: lossless would cost more than it is
 * worth. A gradient of a title bar has equal rows or columns, and counts as drawn.
 */
static bool is_photographic(const struct encoder *e, const struct pixmap *pm, const struct rect *r)
{
	uint32_t equal = 0, soft = 0, pairs = (uint32_t)((r->w - 1) * r->h);

	for (int32_t y = r->y; y < r->y + r->h; y++)
		e->dsp->slopes(pixmap_at(pm, r->x, y), r->w, &equal, &soft);
	return (equal * 2 < pairs && soft * 5 >= pairs) || equal * 8 < pairs;
}

/*
 * The colour that most pixels (of some of them) may have: a text's paper. The candidate is found in one pass,
 * and counted in a second one. Returns its percentage.
 */
static int32_t find_paper(const struct pixmap *pm, const struct rect *r, uint32_t *ret)
{
	int32_t area = r->w * r->h, step = PST_MAX(1, area / PAPER_SAMPLES), n = 0, seen = 0;
	uint32_t best = 0, votes = 0;

	for (int32_t i = 0; i < area; i += step) {
		uint32_t px = *pixmap_at(pm, r->x + i % r->w, r->y + i / r->w);

		if (!votes)
			best = px;
		votes += px == best ? 1 : UINT32_MAX;
	}
	for (int32_t i = 0; i < area; i += step, n++)
		seen += *pixmap_at(pm, r->x + i % r->w, r->y + i / r->w) == best;
	*ret = best;
	return seen * 100 / n;
}

static enum op_class settle(struct tile *t, int vote)
{
	int votes = t->picture_votes + vote;

	t->picture_votes = (int8_t)PST_CLAMP(votes, -VOTES_MAX, VOTES_MAX);
	t->klass = t->picture_votes > 0 ? OP_CLASS_PICTURE : OP_CLASS_TEXT;
	return t->klass;
}

/* Its colours need not be known: it joins by its paper. A cartoon has paper too, and slopes in the rest. */
static void classify_paper(
	struct encoder *e, struct tile *t, const struct rect *box, int32_t percent, struct piece *ret)
{
	bool is_photo = percent < PAPER_MOSTLY && is_photographic(e, &e->sent_view, box);

	ret->klass = settle(t, is_photo ? 2 : -2);
	ret->has_paper = ret->klass == OP_CLASS_TEXT;
}

void classify_tile(struct encoder *e, struct tile *t, const struct rect *box, struct piece *ret)
{
	const struct pixmap *pm = &e->sent_view;
	uint8_t seen[DSP_SEEN] = { 0 };
	uint64_t sketch[SKETCH_WORDS];
	int32_t percent;

	percent = find_paper(pm, box, &ret->paper);
	ret->has_paper = percent >= PAPER_LEAST;
	if (is_one_colour(e, pm, box)) {
		ret->klass = OP_CLASS_FLAT;
		return;
	}

	if (ret->has_paper && rect_area(box) >= PAPER_AREA) {
		classify_paper(e, t, box, percent, ret);
		return;
	}
	for (int32_t y = box->y; y < box->y + box->h; y++)
		e->dsp->see_colours(seen, pixmap_at(pm, box->x, y), box->w);
	sketch_make(sketch, seen);
	if (!sketch_fits(sketch)) {
		bool is_photo = is_photographic(e, pm, box);

		if (is_photo && rect_area(box) >= NEW_AREA_MIN)
			t->picture_votes = PST_MAX(t->picture_votes, 0);
		ret->klass = settle(t, is_photo ? 2 : -1);
		return;
	}

	/* Many colours in a small box say nothing against a picture; few in a large one say it is none. */
	if (sketch_count(sketch) * 8 < rect_area(box))
		settle(t, -2);
	ret->klass =
		t->picture_votes > 0 && rect_area(box) >= PICTURE_AREA_MIN ? OP_CLASS_PICTURE : OP_CLASS_TEXT;
}
