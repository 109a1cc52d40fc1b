/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Video regions: found by rate, aligned, encoded, ended by rest. */
#include "encoder/video.h"

#include <stdlib.h>

#include "base/mem.h"
#include "encoder/chroma.h"
#include "encoder/encoder_priv.h"
#include "encoder/region.h"
#include "encoder/still.h"
#include "encoder/x264.h"

#define REGIONS_MAX 4
#define RATE_MIN 5 /* slots with an update, of the newest ten (half a second) */
/* Without a change for five frames' time a region ends and is made exact, within these. */
#define REST_FRAMES 5
#define REST_MIN_NS 150000000ull
#define REST_MAX_NS 300000000ull
#define AREA_MIN (96 * 96)     /* smaller ones are cheap enough as pictures */
#define ECHO_AREA 2048         /* pixels of a change in front of a video that may be painted over it */
#define REOPEN_NS 500000000ull /* a region that grows is opened anew at most this often */
#define FULL_FROM 160   /* loss of chroma (chroma.h) from which a region gets all of it, where it can, */
#define FULL_STAYS 80   /* and down to which it keeps it */
#define FULL_KBPS 20000 /* below it bytes are dearer than colours */
#define TOGETHER_KBPS 20000 /* below it an echo would wait for a unit to pass */
#define VIEWS_ALIGN 16  /* of the width, see x264.h */
#define LOOK_NS 1000000000ull  /* how often that is looked at: it changes with a key unit */
#define SPARE_NS 5000000000ull /* how long an encoder without a region waits for the next one */

struct video_region {
	struct rect rect; /* empty: a free place */
	uint32_t id;
	struct h264 *h264;
	uint8_t *still;       /* by block, see still.h; with h264 */
	struct rect touched;  /* hull of what other operations changed in it since its last frame */
	uint64_t interval_ns; /* from change to change, smoothed */
	uint64_t changed_ns, opened_ns, waiting_ns; /* the last: of the first change that was not sent */
	bool has_change, is_distrusted, wants_key;
	enum video_chroma chroma;
	uint64_t looked_ns;
};

struct video {
	struct video_region regions[REGIONS_MAX];
	struct h264 *spare; /* opening one costs as much as two frames: players pause and go on */
	uint64_t spare_ns, now_ns;
};

struct video *video_create(void)
{
	return pst_zalloc(1, sizeof(struct video));
}

void video_destroy(struct video *v)
{
	if (!v)
		return;

	for (size_t i = 0; i < REGIONS_MAX; i++) {
		h264_destroy(v->regions[i].h264);
		free(v->regions[i].still);
	}
	h264_destroy(v->spare);
	free(v);
}

static void close_spare(struct video *v)
{
	h264_destroy(v->spare);
	v->spare = NULL;
}

static void mark_tiles(struct encoder *e, const struct rect *r, bool is_video)
{
	struct rect span = tiles_span(r);

	for (int32_t row = span.y; row < span.y + span.h; row++)
		for (int32_t column = span.x; column < span.x + span.w; column++)
			tiles_at(&e->tiles, column, row)->is_video = is_video;
}

static void remark_all(struct encoder *e)
{
	for (size_t i = 0; i < REGIONS_MAX; i++)
		if (!rect_is_empty(&e->video->regions[i].rect))
			mark_tiles(e, &e->video->regions[i].rect, true);
}

/* Two regions may share a tile: after one has left, the others mark theirs again. A change that waited is
 * damage again. */
static void end_region(struct encoder *e, struct video_region *g)
{
	if (g->h264) {
		close_spare(e->video);
		e->video->spare = g->h264;
		e->video->spare_ns = e->video->now_ns;
	}
	free(g->still);
	mark_tiles(e, &g->rect, false);
	if (g->has_change)
		tiles_damage(&e->tiles, &g->rect, false);
	*g = (struct video_region){ .rect = { 0, 0, 0, 0 } };
	remark_all(e);
}

void video_distrust(struct encoder *e, const struct rect *r)
{
	struct rect common;

	for (size_t i = 0; i < REGIONS_MAX; i++)
		if (rect_intersect(&e->video->regions[i].rect, r, &common))
			e->video->regions[i].is_distrusted = true;
}

void video_restart(struct encoder *e)
{
	for (size_t i = 0; i < REGIONS_MAX; i++)
		e->video->regions[i].wants_key = true;
}

void video_touch(struct encoder *e, const struct rect *r)
{
	struct rect in;

	for (size_t i = 0; i < REGIONS_MAX; i++)
		if (rect_intersect(&e->video->regions[i].rect, r, &in))
			e->video->regions[i].touched = rect_union(&e->video->regions[i].touched, &in);
}

/* Grows r to multiples of the alignment, within the screen. */
static struct rect align_rect(const struct encoder *e, const struct rect *r)
{
	int32_t a = e->params.video_align, x0 = r->x / a * a, y0 = r->y / a * a;
	int32_t x1 = PST_MIN((r->x + r->w + a - 1) / a * a, e->tiles.width);
	int32_t y1 = PST_MIN((r->y + r->h + a - 1) / a * a, e->tiles.height);

	return (struct rect){ x0, y0, x1 - x0, y1 - y0 };
}

static bool is_hot(const struct tile *t, uint64_t now_ns)
{
	return t->klass == OP_CLASS_PICTURE && tile_rate(t, now_ns) >= RATE_MIN;
}

/* The hot tiles' changing parts that no region holds yet, joined. */
static void collect_hot(const struct encoder *e, uint64_t now_ns, struct region *ret)
{
	region_clear(ret);
	for (int32_t row = 0; row < e->tiles.rows; row++) {
		for (int32_t column = 0; column < e->tiles.columns; column++) {
			const struct tile *t = tiles_at(&e->tiles, column, row);
			struct rect r = box_rect(&t->hot, column * TILE_SIDE, row * TILE_SIDE);

			if (!t->is_video && !box_is_empty(&t->change) && is_hot(t, now_ns))
				region_add(ret, &r);
		}
	}
}

/* At least half of a region must really move, or text around a small video would be blurred with it. */
static bool is_mostly_hot(const struct encoder *e, const struct rect *r, uint64_t now_ns)
{
	struct rect span = tiles_span(r), in;
	int64_t hot = 0;

	for (int32_t row = span.y; row < span.y + span.h; row++) {
		for (int32_t column = span.x; column < span.x + span.w; column++) {
			const struct tile *t = tiles_at(&e->tiles, column, row);
			struct rect box = box_rect(&t->hot, column * TILE_SIDE, row * TILE_SIDE);

			if (is_hot(t, now_ns) && rect_intersect(&box, r, &in))
				hot += rect_area(&in);
		}
	}
	return hot * 2 >= rect_area(r);
}

static bool are_within(const struct rect *a, const struct rect *b, int32_t apart)
{
	const struct rect wide = { a->x - apart, a->y - apart, a->w + 2 * apart, a->h + 2 * apart };
	struct rect common;

	return rect_intersect(&wide, b, &common);
}

static bool are_near(const struct rect *a, const struct rect *b)
{
	return are_within(a, b, TILE_SIDE / 2);
}

/* A region costs a key frame when it is opened anew: soon only for what makes it half as large again, or
 * before its first frame. */
static bool may_grow(const struct video_region *g, const struct rect *r, uint64_t now_ns)
{
	struct rect hull = rect_union(&g->rect, r);

	return !g->h264 || now_ns - g->opened_ns >= REOPEN_NS ||
	       rect_area(&hull) * 2 >= rect_area(&g->rect) * 3;
}

/* A hot part beside a region belongs to it: the region is opened anew around both. */
static bool absorb_neighbours(struct encoder *e, struct rect *r, uint64_t now_ns)
{
	struct video_region *regions = e->video->regions;

	for (size_t i = 0; i < REGIONS_MAX; i++)
		if (!rect_is_empty(&regions[i].rect) && are_near(&regions[i].rect, r) &&
			!may_grow(&regions[i], r, now_ns))
			return false;
	for (size_t i = 0; i < REGIONS_MAX; i++) {
		if (rect_is_empty(&regions[i].rect) || !are_near(&regions[i].rect, r))
			continue;
		*r = rect_union(r, &regions[i].rect);
		end_region(e, &regions[i]);
	}
	return true;
}

static bool has_neighbour(const struct encoder *e, const struct rect *r)
{
	for (size_t i = 0; i < REGIONS_MAX; i++)
		if (!rect_is_empty(&e->video->regions[i].rect) && are_near(&e->video->regions[i].rect, r))
			return true;
	return false;
}

static struct video_region *free_region(struct encoder *e)
{
	for (size_t i = 0; i < PST_MIN((size_t)e->params.max_video_regions, (size_t)REGIONS_MAX); i++)
		if (rect_is_empty(&e->video->regions[i].rect))
			return &e->video->regions[i];
	return NULL;
}

static void begin_region(struct encoder *e, struct rect r, uint64_t now_ns)
{
	struct video_region *g;

	/* A small one is the edge of its neighbour. */
	if ((rect_area(&r) < AREA_MIN && !has_neighbour(e, &r)) || !is_mostly_hot(e, &r, now_ns) || !absorb_neighbours(e, &r, now_ns))
		return;
	g = free_region(e);
	if (!g)
		return;
	*g = (struct video_region){ .rect = align_rect(e, &r),
		.id = (uint32_t)(g - e->video->regions),
		.changed_ns = now_ns,
		.interval_ns = REST_MIN_NS / REST_FRAMES,
		.opened_ns = now_ns };
	mark_tiles(e, &g->rect, true);
}

static int64_t changed_area(const struct encoder *e, const struct rect *r)
{
	struct rect span = tiles_span(r), in;
	int64_t area = 0;

	for (int32_t row = span.y; row < span.y + span.h; row++) {
		for (int32_t column = span.x; column < span.x + span.w; column++) {
			struct rect change = box_rect(&tiles_at(&e->tiles, column, row)->change,
				column * TILE_SIDE, row * TILE_SIDE);

			if (rect_intersect(&change, r, &in))
				area += rect_area(&in);
		}
	}
	return area;
}

/* Changes that lie in a region are the region's; a tile at its border may keep a change of its own. */
static void claim_changes(struct encoder *e, struct video_region *g, uint64_t now_ns)
{
	uint64_t before_ns = g->changed_ns;
	struct rect span = tiles_span(&g->rect), in;

	for (int32_t row = span.y; row < span.y + span.h; row++) {
		for (int32_t column = span.x; column < span.x + span.w; column++) {
			struct tile *t = tiles_at(&e->tiles, column, row);
			struct rect change = box_rect(&t->change, column * TILE_SIDE, row * TILE_SIDE);

			if (box_is_empty(&t->change) || !rect_intersect(&change, &g->rect, &in))
				continue;
			g->waiting_ns = g->has_change ? g->waiting_ns : now_ns;
			g->has_change = true;
			g->changed_ns = now_ns;
			if (rect_contains(&g->rect, &change)) {
				t->change = (struct tile_box){ 0, 0, 0, 0 };
				t->is_forced = false;
			}
		}
	}
	if (g->changed_ns > before_ns)
		g->interval_ns = (g->interval_ns * 7 + g->changed_ns - before_ns) / 8;
}

static uint64_t ends_ns(const struct video_region *g)
{
	return g->changed_ns + PST_CLAMP(g->interval_ns * REST_FRAMES, REST_MIN_NS, REST_MAX_NS);
}

void video_update(struct encoder *e, uint64_t now_ns, bool is_busy)
{
	struct video *v = e->video;
	struct region hot;

	if (!(e->params.ops & OP_BIT(OP_VIDEO)) || !e->params.max_video_regions)
		return;

	v->now_ns = now_ns;
	if (v->spare && now_ns - v->spare_ns >= SPARE_NS)
		close_spare(v);
	for (size_t i = 0; i < REGIONS_MAX; i++)
		if (v->regions[i].is_distrusted)
			end_region(e, &v->regions[i]);
	collect_hot(e, now_ns, &hot);
	region_limit(&hot, e->params.max_video_regions);
	for (size_t i = 0; i < hot.len; i++)
		begin_region(e, hot.rects[i], now_ns);
	for (size_t i = 0; i < REGIONS_MAX; i++) {
		struct video_region *g = &v->regions[i];

		if (rect_is_empty(&g->rect))
			continue;
		if (!is_busy || changed_area(e, &g->rect) > ECHO_AREA)
			claim_changes(e, g, now_ns);
		if (!g->has_change && now_ns >= ends_ns(g))
			end_region(e, g);
	}
}

static bool open_h264(struct video *v, struct video_region *g, int32_t w, int32_t h, uint32_t rate_kbps)
{
	g->still = pst_zalloc(still_count(g->rect.w, g->rect.h), 1);
	if (!g->still)
		return false;
	if (v->spare && h264_fits(v->spare, w, h, g->chroma) && h264_suits(v->spare, rate_kbps)) {
		g->h264 = v->spare;
		v->spare = NULL;
	} else {
		close_spare(v); /* what plays now is another video, or the same one larger */
		g->h264 = h264_create(w, h, rate_kbps, g->chroma, NULL);
	}
	return g->h264;
}

static void close_h264(struct video_region *g)
{
	h264_destroy(g->h264);
	free(g->still);
	g->h264 = NULL;
	g->still = NULL;
}

static enum video_chroma wanted_chroma(const struct encoder *e, const struct pixmap *screen,
	const struct video_region *g, uint32_t rate_kbps)
{
	enum video_chroma most = e->params.chroma;

	if (most == VIDEO_420 || (most == VIDEO_444_VIEWS && g->rect.w % VIEWS_ALIGN) ||
		(rate_kbps && rate_kbps < FULL_KBPS))
		return VIDEO_420;
	return chroma_loss(screen, &g->rect) >= (g->chroma == most ? FULL_STAYS : FULL_FROM) ? most
											     : VIDEO_420;
}

/* Is it time to look at the colours again? At once after chroma was given up. */
static bool is_to_look(const struct encoder *e, const struct video_region *g)
{
	return !g->h264 || e->video->now_ns - g->looked_ns >= LOOK_NS ||
	       (g->chroma != VIDEO_420 && g->chroma != e->params.chroma);
}

/* What the region's pictures have become, or the path, may ask for another encoder, begun by a key unit. */
static void choose_h264(
	struct encoder *e, const struct pixmap *screen, struct video_region *g, uint32_t rate_kbps)
{
	enum video_chroma chroma = g->chroma;

	if (g->h264 && !h264_suits(g->h264, rate_kbps))
		close_h264(g);
	if (is_to_look(e, g)) {
		chroma = wanted_chroma(e, screen, g, rate_kbps);
		g->looked_ns = e->video->now_ns;
	}
	if (g->h264 && chroma != g->chroma)
		close_h264(g);
	g->chroma = chroma;
}

static int encode_region(
	struct encoder *e, const struct pixmap *screen, struct video_region *g, uint32_t rate_kbps)
{
	int32_t w = (g->rect.w + 1) & ~1, h = (g->rect.h + 1) & ~1;
	bool is_key;
	struct h264_unit unit;
	struct op *op;

	choose_h264(e, screen, g, rate_kbps);
	is_key = !g->h264 || g->wants_key;
	if (!g->h264 && !open_h264(e->video, g, w, h, rate_kbps))
		return PST_ENOMEM;
	g->wants_key = false;
	h264_set_rate(g->h264, rate_kbps);
	still_find(e, screen, &g->rect, g->still);
	still_clear(g->still, &g->rect, is_key ? &g->rect : &g->touched);
	g->touched = (struct rect){ 0, 0, 0, 0 };
	still_take(e, screen, &g->rect, g->still);
	if (h264_encode(g->h264, e->dsp, &e->sent_view, &g->rect, is_key, g->still, &unit, NULL) < 0) {
		close_h264(g);
		return PST_EINTERNAL;
	}
	op = encoder_add_op(e, OP_VIDEO, OP_CLASS_VIDEO, &g->rect);
	if (!op)
		return PST_ENOMEM;

	op->video = (struct op_video){ g->id, unit.is_key, g->chroma, unit.qp, w, h, unit.data, unit.len,
		unit.view, unit.view_len };
	e->stats.video_bytes += unit.len + unit.view_len;
	return 0;
}

int video_plan(struct encoder *e, const struct pixmap *screen, const struct encoder_budget *budget)
{
	uint32_t n = 0;

	for (size_t i = 0; i < REGIONS_MAX; i++)
		n += !rect_is_empty(&e->video->regions[i].rect);
	for (size_t i = 0; i < REGIONS_MAX; i++) {
		struct video_region *g = &e->video->regions[i];

		if (!g->has_change)
			continue;
		g->has_change = false;
		if (encode_region(e, screen, g, budget->rate_kbps / n) < 0) {
			struct rect lost = g->rect;

			end_region(e, g);
			tiles_damage(&e->tiles, &lost, true);
		}
	}
	return 0;
}

uint64_t video_waiting_since(const struct video *v)
{
	uint64_t since = UINT64_MAX;

	for (size_t i = 0; i < REGIONS_MAX; i++)
		if (!rect_is_empty(&v->regions[i].rect) && v->regions[i].has_change)
			since = PST_MIN(since, v->regions[i].waiting_ns);
	return since;
}

bool video_is_drawn_with(const struct encoder *e, uint64_t now_ns, uint32_t rate_kbps)
{
	if (rate_kbps && rate_kbps < TOGETHER_KBPS)
		return false;
	for (size_t i = 0; i < REGIONS_MAX; i++) {
		const struct video_region *g = &e->video->regions[i];

		if (rect_is_empty(&g->rect) || !g->has_change || g->waiting_ns != now_ns)
			continue;
		for (size_t k = 0; k < e->ops_len; k++)
			if (are_within(&g->rect, &e->ops[k].rect, 1))
				return true;
	}
	return false;
}

uint64_t video_next_due(const struct video *v)
{
	uint64_t due = v->spare ? v->spare_ns + SPARE_NS : UINT64_MAX;

	for (size_t i = 0; i < REGIONS_MAX; i++)
		if (!rect_is_empty(&v->regions[i].rect) && !v->regions[i].has_change)
			due = PST_MIN(due, ends_ns(&v->regions[i]));
	return due;
}
