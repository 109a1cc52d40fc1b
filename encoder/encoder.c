/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The encoder of one viewer: its parts, its book-keeping, and the order of a frame. */
#include "encoder/encoder.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "encoder/encoder_priv.h"
#include "encoder/motion.h"
#include "encoder/plan.h"
#include "encoder/twin.h"
#include "encoder/video.h"
#include "encoder/words.h"

#define VIDEO_WAIT_NS 20000000ull /* at most so long do other changes go before a video's */
#define MOVED_LEFT (TILE_SIDE * TILE_SIDE / 4)
#define OPS_MAX (1u << 17) /* twice the tiles of the largest screen, and copies and videos */

static int check_params(const struct encoder_params *p, struct pst_err *err)
{
	if (p->width < 1 || p->height < 1 || p->width > SCREEN_SIDE_MAX || p->height > SCREEN_SIDE_MAX)
		return pst_err_set(err, PST_EINVAL,
			"encoder: a screen of %dx%d pixels is not within 1x1 and %dx%d", p->width, p->height,
			SCREEN_SIDE_MAX, SCREEN_SIDE_MAX);
	if (!(p->ops & OP_BIT(OP_LOSSLESS)))
		return pst_err_set(
			err, PST_EINVAL, "encoder: the front end must be able to carry lossless pixels");
	if (p->max_video_regions > 4 || p->lossy_quality > 100)
		return pst_err_set(err, PST_EINVAL, "encoder: %u video regions or quality %d are too many",
			p->max_video_regions, p->lossy_quality);
	if ((p->ops & OP_BIT(OP_VIDEO)) && (p->video_align < 2 || p->video_align > 64 || p->video_align % 2))
		return pst_err_set(err, PST_EINVAL,
			"encoder: a video alignment of %d is not even and within 2 and 64", p->video_align);
	return 0;
}

static void close_screen(struct encoder *e)
{
	if (e->video)
		video_destroy(e->video);
	motion_destroy(e->motion);
	tiles_finish(&e->tiles);
	free(e->sent);
	free(e->pieces);
	e->video = NULL;
	e->motion = NULL;
	e->sent = NULL;
	e->pieces = NULL;
}

/* Everything that depends on the size. */
static int open_screen(struct encoder *e, struct pst_err *err)
{
	int32_t w = e->params.width, h = e->params.height;
	size_t stride = ((size_t)w * 4 + 63) & ~(size_t)63;
	const struct rect all = { 0, 0, w, h };

	if (tiles_init(&e->tiles, w, h) < 0)
		goto fail;
	e->sent = aligned_alloc(64, stride * (size_t)h);
	e->pieces = pst_zalloc((size_t)e->tiles.columns * (size_t)e->tiles.rows, sizeof(*e->pieces));
	e->motion = motion_create(w, h);
	e->video = video_create();
	if (!e->sent || !e->pieces || !e->motion || !e->video)
		goto fail;
	memset(e->sent, 0, stride * (size_t)h);
	e->sent_view = (struct pixmap){ (const uint8_t *)e->sent, w, h, (uint32_t)stride };
	memset(e->starts, 0, sizeof(e->starts));
	e->ops_len = 0;
	tiles_damage(&e->tiles, &all, true);
	return 0;
fail:
	close_screen(e);
	return pst_err_set(err, PST_ENOMEM, "encoder: no memory for a screen of %dx%d pixels", w, h);
}

struct encoder *encoder_create(const struct encoder_params *params, struct pst_err *err)
{
	struct encoder *e;

	if (check_params(params, err) < 0)
		return NULL;
	e = pst_zalloc(1, sizeof(*e));
	if (!e) {
		pst_err_set(err, PST_ENOMEM, "encoder: no memory");
		return NULL;
	}
	e->params = *params;
	e->dsp = dsp_best();
	cost_init(&e->cost);
	if (open_screen(e, err) < 0)
		goto fail;
	if (params->ops & OP_TAKES_REPEATS)
		e->words = words_create();
	if (e->words || !(params->ops & OP_TAKES_REPEATS))
		return e;
	pst_err_set(err, PST_ENOMEM, "encoder: no memory");
fail:
	encoder_destroy(e);
	return NULL;
}

void encoder_destroy(struct encoder *e)
{
	if (!e)
		return;

	close_screen(e);
	words_destroy(e->words);
	free(e->ops);
	free(e);
}

int encoder_resize(struct encoder *e, int32_t width, int32_t height, struct pst_err *err)
{
	struct encoder next = *e;
	int rc;

	next.tiles.at = NULL;
	next.sent = NULL;
	next.pieces = NULL;
	next.motion = NULL;
	next.video = NULL;
	next.params.width = width;
	next.params.height = height;
	rc = check_params(&next.params, err);
	if (rc < 0)
		return rc;
	rc = open_screen(&next, err);
	if (rc < 0)
		return rc;
	close_screen(e);
	*e = next;
	if (e->words)
		words_clear(e->words);
	return 0;
}

void encoder_damage(struct encoder *e, const struct rect *rects, size_t n)
{
	for (size_t i = 0; i < n; i++)
		tiles_damage(&e->tiles, &rects[i], false);
}

void encoder_invalidate(struct encoder *e, const struct rect *r)
{
	/* The client's decoders may be what went wrong: regions begin anew with a key frame. */
	video_distrust(e, r);
	tiles_damage(&e->tiles, r, true);
}

void encoder_restart_videos(struct encoder *e)
{
	video_restart(e);
}

void encoder_give_up_chroma(struct encoder *e)
{
	if (e)
		e->params.chroma = VIDEO_420;
}

uint64_t encoder_video_since(const struct encoder *e)
{
	return video_waiting_since(e->video);
}

static bool has_damage(const struct encoder *e)
{
	for (size_t i = 0; i < (size_t)e->tiles.columns * (size_t)e->tiles.rows; i++)
		if (!box_is_empty(&e->tiles.at[i].damage))
			return true;
	return false;
}

uint64_t encoder_next_due(const struct encoder *e)
{
	uint64_t due = video_next_due(e->video);

	for (size_t i = 0; i < (size_t)e->tiles.columns * (size_t)e->tiles.rows; i++)
		due = PST_MIN(due, plan_refine_due(&e->tiles.at[i]));
	return due;
}

bool encoder_has_work(const struct encoder *e, uint64_t now_ns)
{
	return has_damage(e) || encoder_next_due(e) <= now_ns || encoder_video_since(e) != UINT64_MAX;
}

void encoder_take(struct encoder *e, const struct pixmap *screen, const struct rect *r)
{
	for (int32_t y = r->y; y < r->y + r->h; y++)
		e->dsp->copy_row(encoder_row(e, r->x, y), pixmap_at(screen, r->x, y), r->w);
}

static bool grow_ops(struct encoder *e)
{
	size_t cap = e->ops_cap ? e->ops_cap * 2 : 64;
	struct op *ops;

	if (e->ops_len < e->ops_cap)
		return true;
	if (cap > OPS_MAX)
		return false;
	ops = realloc(e->ops, cap * sizeof(*ops));
	if (!ops)
		return false;
	e->ops = ops;
	e->ops_cap = cap;
	return true;
}

struct op *encoder_add_op(struct encoder *e, enum op_kind kind, enum op_class klass, const struct rect *r)
{
	struct op *op;

	if (!grow_ops(e))
		return NULL;
	op = &e->ops[e->ops_len++];
	*op = (struct op){ .kind = kind, .klass = klass, .rect = *r, .lossless = { NULL, 0, 0 } };
	if (kind == OP_FILL || kind == OP_LOSSLESS)
		tiles_mark_exact(&e->tiles, r);
	else if (kind == OP_LOSSY || kind == OP_VIDEO)
		tiles_mark_lossy(&e->tiles, r);
	if (kind != OP_VIDEO)
		video_touch(e, r);
	e->stats.ops[kind]++;
	e->stats.pixels[kind] += (uint64_t)rect_area(r);
	return op;
}

/* Every tile with a change has been updated now; what is forced is only sent again. */
static void touch_changed(struct encoder *e, uint64_t now_ns)
{
	for (size_t i = 0; i < (size_t)e->tiles.columns * (size_t)e->tiles.rows; i++) {
		struct tile *t = &e->tiles.at[i];

		if (!box_is_empty(&t->change) && !t->is_left)
			tile_touch(t, now_ns);
		t->is_left = false;
	}
}

/* What is left of a tile's change is little, or at most half of what a copy has made of it. */
static bool was_moved(const struct tile *t, const struct tile_box *copied)
{
	int left = (t->change.x1 - t->change.x0) * (t->change.y1 - t->change.y0);

	return left <= MOVED_LEFT || left * 2 <= (copied->x1 - copied->x0) * (copied->y1 - copied->y0);
}

/* What copies have made is no moving picture, however often it moves: a photo that is panned, a page with
 * pictures that scrolls. */
static void note_moves(struct encoder *e, uint64_t now_ns)
{
	for (size_t i = 0; i < e->ops_len; i++) {
		struct rect span = tiles_span(&e->ops[i].rect);

		for (int32_t row = span.y; row < span.y + span.h; row++) {
			for (int32_t column = span.x; column < span.x + span.w; column++) {
				struct tile *t = tiles_at(&e->tiles, column, row);
				struct tile_box copied =
					box_of(&e->ops[i].rect, column * TILE_SIDE, row * TILE_SIDE);

				if (t->changed_ns == now_ns && was_moved(t, &copied))
					tile_moved(t);
			}
		}
	}
}

static bool is_exact(const struct encoder *e)
{
	for (size_t i = 0; i < (size_t)e->tiles.columns * (size_t)e->tiles.rows; i++)
		if (!box_is_empty(&e->tiles.at[i].lossy))
			return false;
	return true;
}

static void count_refined(struct encoder *e)
{
	for (size_t i = 0; i < e->ops_len; i++)
		if (e->ops[i].is_refine)
			e->stats.refined_pixels += (uint64_t)rect_area(&e->ops[i].rect);
}

/*
 * What else changed goes first, in a frame of its own: the echo of a key does not wait until a video is encoded. What was drawn together with the
 * video and touches it goes with it.
 */
static int plan_video(struct encoder *e, const struct pixmap *screen, uint64_t now_ns, const struct encoder_budget *budget)
{
	uint64_t since = encoder_video_since(e);

	if (since == UINT64_MAX || budget->is_small || budget->hold_video)
		return 0;
	if (e->ops_len > 0 && now_ns - since < VIDEO_WAIT_NS && !video_is_drawn_with(e, now_ns, budget->rate_kbps))
		return 0;
	return video_plan(e, screen, budget);
}

/* The order of a frame: see op.h and docs/encoder.md. */
static int plan_frame(
	struct encoder *e, const struct pixmap *screen, uint64_t now_ns, const struct encoder_budget *budget)
{
	bool is_busy = budget->is_small || budget->hold_video;
	int rc = 0;

	if (refine_all(e, screen) > 0) {
		touch_changed(e, now_ns);
		video_update(e, now_ns, is_busy);
		if ((e->params.ops & OP_BIT(OP_COPY)) && !budget->is_small)
			rc = motion_search(e, screen);
		note_moves(e, now_ns); /* so far a frame has nothing but copies */
		if (rc == 0 && (e->params.ops & OP_BIT(OP_COPY)))
			rc = twin_search(e, screen);
		if (rc == 0)
			rc = plan_changes(e, screen, now_ns, budget);
		return rc < 0 ? rc : plan_video(e, screen, now_ns, budget);
	}

	video_update(e, now_ns, is_busy);
	if (encoder_video_since(e) != UINT64_MAX || budget->is_small)
		return plan_video(e, screen, now_ns, budget);
	return plan_refinement(e, now_ns, budget);
}

/* What the frame is expected to cost, and how its operations are coded then. */
static void weigh(struct encoder *e, uint32_t rate_kbps)
{
	cost_begin(&e->cost);
	for (size_t i = 0; i < e->ops_len; i++)
		cost_add(&e->cost, &e->ops[i]);
	cost_choose(&e->cost, rate_kbps);
	for (size_t i = 0; i < e->ops_len; i++) {
		struct op *op = &e->ops[i];

		if (op->kind == OP_LOSSLESS || op->kind == OP_LOSSY)
			op->is_thrifty = e->cost.manner[cost_sort_of((uint8_t)op->klass, op->kind == OP_LOSSY)] == COST_THRIFTY;
	}
}

int encoder_plan(struct encoder *e, const struct pixmap *screen, uint64_t now_ns,
	const struct encoder_budget *budget, struct op_list *ret_ops, struct pst_err *err)
{
	const struct rect all = { 0, 0, e->tiles.width, e->tiles.height };
	int rc;

	if (screen->width != e->tiles.width || screen->height != e->tiles.height)
		return pst_err_set(err, PST_EINVAL,
			"encoder: the screen is %dx%d pixels and the encoder is set up for %dx%d",
			screen->width, screen->height, e->tiles.width, e->tiles.height);

	e->ops_len = 0;
	rc = plan_frame(e, screen, now_ns, budget);
	if (rc < 0) {
		/* Half a plan was made: nothing of it is sent, so nothing is known of the client's picture
		 * any more. */
		e->ops_len = 0;
		encoder_invalidate(e, &all);
		return pst_err_set(err, rc, "encoder: a frame could not be planned: %s", pst_strerror(rc));
	}

	if (e->words)
		words_find(e);
	count_refined(e);
	weigh(e, budget->rate_kbps);
	e->stats.frames += e->ops_len > 0;
	e->sequence += e->ops_len > 0;
	*ret_ops =
		(struct op_list){ e->ops, e->ops_len, e->sequence, is_exact(e), encoder_has_work(e, now_ns) };
	return 0;
}

void encoder_note_cost(struct encoder *e, uint64_t bytes, uint64_t cpu_ns)
{
	cost_learn(&e->cost, bytes, cpu_ns);
}

const struct pixmap *encoder_sent(const struct encoder *e)
{
	return &e->sent_view;
}

void encoder_stats(const struct encoder *e, struct encoder_stats *ret)
{
	*ret = e->stats;
}
