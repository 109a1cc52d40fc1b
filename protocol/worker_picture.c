/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The picture of a worker: damage gathered, frames planned when the viewer can take one, nothing done while all is still. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "protocol/worker_priv.h"

#define MS_NS UINT64_C(1000000)
#define QUIET_NS (5 * MS_NS) /* after so long without a frame the first damage goes out at once */
#define COALESCE_MS 1
#define FULL_MS 4 /* the same while the path takes nothing: looking for an echo in all that changed costs up to a millisecond */
#define BACKLOG_US 10000      /* what the path may still have to forward when more than something small follows */
#define BACKLOG_VIDEO_US 2000 /* …when a video does */
#define VIDEO_PATIENCE_NS (40 * MS_NS)

static void on_plan(void *arg);

int picture_init(struct worker *w)
{
	struct worker_picture *p = &w->picture;

	p->plan = pst_timer_create(w->params.loop);
	p->due = pst_timer_create(w->params.loop);
	p->cursor = calloc((size_t)CURSOR_SIDE_MAX * CURSOR_SIDE_MAX, sizeof(*p->cursor));
	return p->plan && p->due && p->cursor ? 0 : PST_ENOMEM;
}

void picture_finish(struct worker *w)
{
	struct worker_picture *p = &w->picture;

	if (p->plan)
		pst_timer_stop(p->plan);
	if (p->due)
		pst_timer_stop(p->due);
	encoder_destroy(p->encoder);
	p->encoder = NULL;
	p->screen.data = NULL;
}

static void fail(struct worker *w, const struct pst_err *err)
{
	worker_end(w, err->code, "encoder_failed", err->text, words_spanish(err->code, err->text));
}

static void schedule(struct worker *w)
{
	struct worker_picture *p = &w->picture;

	if (!p->encoder || pst_timer_is_active(p->plan))
		return;
	if (p->is_full)
		pst_timer_start(p->plan, FULL_MS, on_plan, w);
	else
		pst_timer_start(p->plan, pst_mono_ns() - p->last_frame_ns > QUIET_NS ? 0 : COALESCE_MS, on_plan, w);
}

/* Wakes us when time alone brings work (a refinement, a path that is free again), never otherwise. */
static void arm_due(struct worker *w, uint64_t now_ns, uint32_t held_us)
{
	struct worker_picture *p = &w->picture;
	uint64_t due = encoder_next_due(p->encoder);

	if (held_us)
		due = now_ns + held_us * UINT64_C(1000);
	if (due == UINT64_MAX)
		pst_timer_stop(p->due);
	else
		pst_timer_start(p->due, due > now_ns ? (due - now_ns + MS_NS - 1) / MS_NS : 0, on_plan, w);
}

/* The encoder learns what the wire made of its plan. False when the connection is dead. */
static bool write_frame(struct worker *w, const struct op_list *ops, uint64_t now_ns)
{
	struct worker_picture *p = &w->picture;
	struct front_path before, after;
	struct pst_err err = PST_ERR_INIT;
	uint64_t cpu_ns = pst_cpu_ns();

	front_path(w->front, &before);
	if (front_frame(w->front, ops, encoder_sent(p->encoder), &err) < 0)
		return false; /* closed follows */
	front_path(w->front, &after);
	encoder_note_cost(p->encoder, after.bytes_sent - before.bytes_sent, pst_cpu_ns() - cpu_ns);
	p->last_frame_ns = now_ns;
	worker_gate_count_frame(w, now_ns);
	return true;
}

/* One frame; false when nothing could be sent. */
static bool send_frame(struct worker *w, uint64_t now_ns, const struct encoder_budget *budget)
{
	struct worker_picture *p = &w->picture;
	struct op_list ops;
	struct pst_err err = PST_ERR_INIT;

	if (encoder_plan(p->encoder, &p->screen, now_ns, budget, &ops, &err) < 0) {
		fail(w, &err);
		return false;
	}
	if (ops.len && !write_frame(w, &ops, now_ns))
		return false;
	if (p->wants_ready && !worker_is_over(w)) {
		p->wants_ready = false;
		source_ready(w->source);
	}
	return ops.len > 0;
}

/* How long a video has waited for the path. Other pictures could fill it for ever: then they wait in turn. */
static bool is_starved(const struct worker_picture *p, uint64_t now_ns)
{
	uint64_t since = encoder_video_since(p->encoder);

	return since < now_ns && now_ns - since > VIDEO_PATIENCE_NS;
}

/* What a front's path can take now; *ret_held_us until more than that, 0 when nothing is held. */
static struct encoder_budget budget_of(const struct worker *w, bool is_full, uint64_t now_ns, uint32_t *ret_held_us)
{
	bool video_first = is_starved(&w->picture, now_ns);
	uint32_t limit_us = video_first ? BACKLOG_VIDEO_US : BACKLOG_US;
	struct front_path path;
	struct encoder_budget b = { 0 };

	front_path(w->front, &path);
	b.bytes = video_first ? PST_MIN(path.budget_bytes, (uint64_t)FRONT_SMALL) : path.budget_bytes;
	b.rate_kbps = path.rate_kbps;
	b.rtt_us = path.rtt_us;
	b.hold_video = path.backlog_us > BACKLOG_VIDEO_US;
	b.is_small = is_full || path.backlog_us > limit_us;
	*ret_held_us = path.backlog_us > limit_us ? path.backlog_us - limit_us : b.hold_video ? path.backlog_us - BACKLOG_VIDEO_US : 0;
	return b;
}

/*
 * A frame as the path allows; false when there is nothing more to do now. A full window opens by an acknowledgement, and ready brings us back; meanwhile
 * damage gathers in the encoder and the source, and the newest picture goes out then. A path that still forwards is free after *ret_held_us. In
 * both only what is small goes.
 */
static bool send_work(struct worker *w, uint64_t now_ns, uint32_t *ret_held_us)
{
	struct worker_picture *p = &w->picture;
	bool is_full = !front_can_send(w->front), was_sent;
	struct encoder_budget budget;

	if (is_full && !front_can_send_small(w->front))
		return false;
	budget = budget_of(w, is_full, now_ns, ret_held_us);
	was_sent = send_frame(w, now_ns, &budget);
	p->is_full = budget.is_small && !was_sent;
	if (is_full || worker_is_over(w) || !p->encoder)
		return false;
	if (!encoder_has_work(p->encoder, now_ns))
		*ret_held_us = 0;
	/* What is left goes at another turn of the loop: what the viewer and the desktop said meanwhile is read first. */
	else if (!budget.is_small && (was_sent || !budget.hold_video) && front_can_send(w->front))
		schedule(w);
	return true;
}

static void on_plan(void *arg)
{
	struct worker *w = arg;
	struct worker_picture *p = &w->picture;
	uint64_t now = pst_mono_ns();
	uint32_t held_us = 0;

	if (worker_is_over(w) || !p->encoder || !p->screen.data)
		return;
	if (encoder_has_work(p->encoder, now)) {
		if (!send_work(w, now, &held_us))
			return;
	} else if (p->wants_ready) {
		p->wants_ready = false;
		source_ready(w->source);
	}
	arm_due(w, now, held_us);
}

/* The encoder for the screen and for what the viewer can take. */
static void make_encoder(struct worker *w)
{
	struct worker_picture *p = &w->picture;
	struct pst_err err = PST_ERR_INIT;
	struct encoder_params params = {
		.width = p->screen.width,
		.height = p->screen.height,
		.ops = w->caps.ops,
		.video_align = w->caps.video_align,
		.max_video_regions = w->caps.max_video_regions,
		.chroma = w->caps.chroma,
	};

	encoder_destroy(p->encoder);
	p->encoder = encoder_create(&params, &err);
	if (!p->encoder)
		fail(w, &err);
	else if (front_surface(w->front, p->screen.width, p->screen.height, &err) < 0)
		fail(w, &err);
	else
		schedule(w);
}

void picture_opened(struct worker *w)
{
	struct worker_picture *p = &w->picture;

	if (!p->screen.data)
		return;
	make_encoder(w);
	if (p->has_cursor && !worker_is_over(w))
		front_cursor(w->front, &p->cursor_image);
}

void picture_source_gone(struct worker *w, const struct source *from)
{
	struct worker_picture *p = &w->picture;

	if (!from || p->source != from)
		return;
	p->source = NULL;
	p->screen.data = NULL;
	p->wants_ready = false;
}

/* The viewer first: where it cannot follow, the old picture stays, and the reason can be read on a screen of its size. */
static bool tell_size(struct worker *w, const struct source *from, const struct pixmap *screen)
{
	struct pst_err err = PST_ERR_INIT;

	if (front_surface(w->front, screen->width, screen->height, &err) == 0)
		return true;
	picture_source_gone(w, from);
	fail(w, &err);
	return false;
}

void picture_surface(struct worker *w, const struct source *from, const struct pixmap *screen)
{
	struct worker_picture *p = &w->picture;
	struct pst_err err = PST_ERR_INIT;
	const struct rect all = { 0, 0, screen->width, screen->height };
	bool is_same = p->screen.width == screen->width && p->screen.height == screen->height;
	/* A front that waits for the size before its client can say what it takes has no encoder yet. */
	bool is_told = !w->has_caps || (p->encoder && !is_same);

	if (is_told && !tell_size(w, from, screen))
		return;
	p->source = from;
	p->screen = *screen;
	p->wants_ready = from == w->source;
	if (!w->has_caps)
		return;
	if (!p->encoder) {
		picture_opened(w);
	} else if (is_same) {
		/* The viewer keeps its screen: a lobby gives way to a desktop without a blink. */
		encoder_damage(p->encoder, &all, 1);
		schedule(w);
	} else if (encoder_resize(p->encoder, screen->width, screen->height, &err) < 0) {
		fail(w, &err);
	} else {
		schedule(w);
	}
}

void picture_damage(struct worker *w, const struct rect *rects, size_t n)
{
	w->picture.wants_ready = w->picture.source == w->source;
	if (worker_is_over(w) || !w->picture.encoder)
		return;
	encoder_damage(w->picture.encoder, rects, n);
	schedule(w);
}

void picture_refresh(struct worker *w, const struct rect *r)
{
	if (worker_is_over(w) || !w->picture.encoder)
		return;
	encoder_invalidate(w->picture.encoder, r);
	schedule(w);
}

void picture_ready(struct worker *w)
{
	if (worker_is_over(w) || !w->picture.encoder)
		return;
	/* The way is free now: no waiting for more damage. */
	if (encoder_has_work(w->picture.encoder, pst_mono_ns()))
		pst_timer_start(w->picture.plan, 0, on_plan, w);
}

void picture_join(struct worker *w)
{
	if (worker_is_over(w) || !w->picture.encoder)
		return;
	if (front_join(w->front, encoder_sent(w->picture.encoder)))
		encoder_restart_videos(w->picture.encoder);
}

void picture_cursor(struct worker *w, const struct cursor_image *image)
{
	struct worker_picture *p = &w->picture;

	if (image->w > CURSOR_SIDE_MAX || image->h > CURSOR_SIDE_MAX)
		return;
	if (image->w && image->h)
		memcpy(p->cursor, image->pixels, (size_t)image->w * image->h * sizeof(*p->cursor));
	p->cursor_image = *image;
	p->cursor_image.pixels = p->cursor;
	p->has_cursor = true;
	if (w->has_caps && !worker_is_over(w))
		front_cursor(w->front, &p->cursor_image);
}
