/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a user feels beside a video, over paths of different rate and delay, in simulated time: a worker's turns over the real encoder and window, with bytes
 * as the wires have them. Keys are echoed by a marker, in front of the video or beside it.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "encoder/encoder.h"
#include "encoder/quality.h"
#include "path.h"
#include "protocol/front/window.h"

#define MS 1000000ull
#define HEADERS 32 /* of a message: TLS, WebSocket and FRAME */
#define W 640
#define H 448
#define NOISE 48 /* makes the video dearer than the path of 10 Mbit/s can carry */
#define KEYS_MAX 512
#define VIDEO_OPS (OP_BIT(OP_COPY) | OP_BIT(OP_FILL) | OP_BIT(OP_LOSSLESS) | OP_BIT(OP_LOSSY) | OP_BIT(OP_VIDEO))
#define JPEG_OPS (VIDEO_OPS & ~OP_BIT(OP_VIDEO))
#define JPEG_BYTES 36000 /* a film of a full screen at quality 40 */
#define FILM_H (H - 48)
#define MEASURED_MIN 6144 /* as the RDP front measures */
#define MEASURED_EACH (100 * MS)

/* An answer of the client's that is on its way. */
struct answer {
	uint64_t comes_ns, bytes, took_ns; /* the first is 0 when none is */
	bool was_idle;
};

struct run {
	struct encoder *enc;
	struct window window;
	struct path path;
	struct pixmap screen;
	uint32_t *px;
	uint64_t now, busy_until, plan_at, held_until, sequence;
	uint64_t video_shown, freeze, queued;   /* of the video: last shown, longest gap; most bytes before the link */
	uint64_t pressed[KEYS_MAX], shown[KEYS_MAX];
	uint64_t video_bytes;
	uint64_t film_area; /* of the film that goes as pictures: sent since it was shown whole last */
	uint64_t film_shown, qualities, pieces;
	int keys, frames, films, drawn, drawn_measured;
	uint32_t rate_max;
	uint64_t pictures_ns; /* from one to the next */
	bool is_measuring, has_pictures, has_no_video, has_video;
	bool is_rdp, is_asked; /* a client that does not tell its own time; one that is asked for the path */
	struct answer echo, rate;
	uint64_t rate_asked;
};

static uint32_t noise(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 24;
}

/* A soft picture that moves, with as much noise as makes it dear. */
static void draw_video(struct run *r, int frame, int32_t h)
{
	uint32_t seed = (uint32_t)frame;

	for (int32_t y = 0; y < h; y++)
		for (int32_t x = 0; x < W; x++)
			r->px[y * W + x] = ((uint32_t)((x + frame * 3) % 200) << 16 | (uint32_t)((y + frame * 2) % 200) << 8 | 40) +
				noise(&seed) % NOISE * 0x010101;
}

static struct rect marker_of(int key)
{
	return (struct rect){ 296, key & 1 ? H - 32 : 192, 16, 16 };
}

static void draw_marker(struct run *r, int key)
{
	struct rect at = marker_of(key);

	for (int32_t y = at.y; y < at.y + at.h; y++)
		for (int32_t x = at.x; x < at.x + at.w; x++)
			r->px[y * W + x] = key & 2 ? 0x101010 : 0xf0f0f0;
}

static uint64_t op_bytes(const struct op *op)
{
	uint64_t area = (uint64_t)rect_area(&op->rect);

	switch (op->kind) {
	case OP_VIDEO:
		return 23 + op->video.len;
	case OP_LOSSY:
		return 350 + area * JPEG_BYTES / (W * FILM_H) * quality_weight(op->quality) / quality_weight(40);
	case OP_LOSSLESS:
		return 13 + (op->klass == OP_CLASS_PICTURE ? area * 2 : area / 8);
	default:
		return 13;
	}
}

/* Every second key has the same place: those of the last two were sent when their markers are in the sent picture. */
static void note_echoes(struct run *r, uint64_t shown)
{
	for (int k = PST_MAX(r->keys - 1, 1); k <= r->keys; k++) {
		struct rect at = marker_of(k);

		if (!r->shown[k] && *pixmap_at(encoder_sent(r->enc), at.x, at.y) == r->px[at.y * W + at.x])
			r->shown[k] = shown;
	}
}

/* A film that goes as pictures is shown when as many pixels as it has have been sent: its parts take turns. */
static void note_film(struct run *r, const struct op_list *list, uint64_t shown)
{
	for (size_t i = 0; i < list->len; i++) {
		r->film_area += list->ops[i].kind == OP_LOSSY ? (uint64_t)rect_area(&list->ops[i].rect) : 0;
		r->qualities += list->ops[i].kind == OP_LOSSY && r->is_measuring ? list->ops[i].quality : 0;
		r->pieces += list->ops[i].kind == OP_LOSSY && r->is_measuring;
	}
	if (r->has_video || r->film_area < W * FILM_H * 9 / 10)
		return;
	r->film_area = 0;
	r->films += r->is_measuring;
	r->freeze = r->is_measuring ? PST_MAX(r->freeze, shown - r->film_shown) : 0;
	r->film_shown = shown;
}

/* The RDP front's questions around a frame: see protocol/front/rdp/detect.h. */
static void ask_trip(struct run *r, uint64_t now)
{
	if (!r->is_asked || r->echo.comes_ns || !window_wants_probe(&r->window, now))
		return;
	r->path.free_ns = PST_MAX(r->path.free_ns, now) + HEADERS * 1000000000ull / r->path.bytes_per_s;
	r->echo = (struct answer){ .comes_ns = r->path.free_ns + 2 * r->path.delay_ns, .took_ns = r->path.free_ns + 2 * r->path.delay_ns - now,
		.was_idle = window_is_idle(&r->window) };
}

static void ask_rate(struct run *r, uint64_t bytes, uint64_t now)
{
	if (!r->is_asked || r->rate.comes_ns || bytes < MEASURED_MIN || now < r->rate_asked + MEASURED_EACH)
		return;
	r->rate_asked = now;
	r->rate = (struct answer){ .comes_ns = r->path.free_ns + 2 * r->path.delay_ns, .bytes = bytes,
		.took_ns = bytes * 1000000000 / r->path.bytes_per_s / MS * MS };
}

static void take_answers(struct run *r)
{
	if (r->echo.comes_ns && r->now >= r->echo.comes_ns) {
		window_echo(&r->window, r->echo.took_ns, r->echo.was_idle, r->now);
		r->echo.comes_ns = 0;
	}
	if (r->rate.comes_ns && r->now >= r->rate.comes_ns) {
		window_measured(&r->window, r->rate.bytes, r->rate.took_ns);
		r->rate.comes_ns = 0;
	}
}

/* The worker's budget_of and send_frame, and what the web front does with them. */
static bool send_frame(struct run *r, bool is_full)
{
	uint32_t backlog_us = window_backlog_us(&r->window, r->now);
	uint64_t since = encoder_video_since(r->enc);
	bool video_first = since < r->now && r->now - since > 40 * MS;
	uint32_t limit_us = video_first ? 2000 : 10000;
	struct encoder_budget budget = { .bytes = video_first ? 2048 : window_room(&r->window), .rate_kbps = window_rate_kbps(&r->window),
		.rtt_us = window_rtt_us(&r->window), .is_small = is_full || backlog_us > limit_us, .hold_video = backlog_us > 2000 };
	struct path_unit unit = { .bytes = HEADERS };
	struct pst_err err = PST_ERR_INIT;
	struct op_list list;

	cr_assert_eq(encoder_plan(r->enc, &r->screen, r->now, &budget, &list, &err), 0, "%s", err.text);
	r->held_until = backlog_us > limit_us ? r->now + (backlog_us - limit_us) * 1000ull : budget.hold_video ? r->now + (backlog_us - 2000) * 1000ull : 0;
	uint64_t pictures = 0;

	for (size_t i = 0; i < list.len; i++) {
		unit.bytes += op_bytes(&list.ops[i]);
		unit.has_video |= list.ops[i].kind == OP_VIDEO;
		pictures += list.ops[i].kind == OP_LOSSY ? (uint64_t)rect_area(&list.ops[i].rect) : 0;
	}
	encoder_note_cost(r->enc, unit.bytes, 0);
	/* What the processor takes: a video unit of a full screen, its part as pictures, or next to nothing. */
	r->busy_until = unit.sent_ns = r->now + (unit.has_video ? 8 * MS : MS / 4) + pictures * 8 * MS / (W * FILM_H);
	if (!list.len)
		return false;
	ask_trip(r, unit.sent_ns);
	if (!r->is_rdp && unit.bytes >= 8192 && window_wants_probe(&r->window, unit.sent_ns)) {
		window_sent(&r->window, ++r->sequence, HEADERS, unit.sent_ns);
		path_send(&r->path, &(struct path_unit){ .sequence = r->sequence, .bytes = HEADERS, .sent_ns = unit.sent_ns });
	}
	unit.sequence = ++r->sequence;
	unit.is_quiet = !r->is_rdp && window_may_be_quiet(&r->window, unit.bytes, unit.sent_ns);
	if (unit.is_quiet)
		window_quiet(&r->window, unit.sequence, unit.bytes);
	else
		window_sent(&r->window, unit.sequence, unit.bytes, unit.sent_ns);
	uint64_t shown = path_send(&r->path, &unit);

	ask_rate(r, unit.bytes, unit.sent_ns);
	r->queued = r->is_measuring ? PST_MAX(r->queued, path_queued(&r->path, unit.sent_ns)) : 0;
	r->frames += unit.has_video && r->is_measuring;
	r->video_bytes += unit.has_video && r->is_measuring ? unit.bytes : 0;
	if (unit.has_video && r->is_measuring)
		r->freeze = PST_MAX(r->freeze, shown - r->video_shown);
	r->video_shown = unit.has_video ? shown : r->video_shown;
	note_film(r, &list, shown);
	note_echoes(r, shown);
	return true;
}

static void turn(struct run *r)
{
	bool is_open = window_is_open(&r->window);

	r->plan_at = UINT64_MAX;
	if (!encoder_has_work(r->enc, r->now) || (!is_open && !window_is_open_small(&r->window)))
		return;
	send_frame(r, !is_open);

	if (is_open && !r->held_until && encoder_has_work(r->enc, r->now))
		r->plan_at = r->busy_until + MS;
	else if (is_open && r->held_until)
		r->plan_at = r->held_until;
}

static void take_acks(struct run *r)
{
	uint64_t sequence;

	while (path_ack(&r->path, r->now, &sequence)) {
		cr_assert(window_acked_after(&r->window, sequence, r->is_rdp ? 0 : r->path.client_ns, r->now));
		r->plan_at = PST_MIN(r->plan_at, r->now);
		r->rate_max = r->is_measuring ? PST_MAX(r->rate_max, window_rate_kbps(&r->window)) : 0;
	}
}

static void damage(struct run *r, struct rect rect)
{
	encoder_damage(r->enc, &rect, 1);
	r->plan_at = PST_MIN(r->plan_at, r->now);
}

/* Odd keys echo beside the video and even ones in front of it; the video is drawn around the latter's marker. */
static void press(struct run *r)
{
	int key = ++r->keys;

	cr_assert_lt(key, KEYS_MAX);
	r->pressed[key] = r->now;
	draw_marker(r, key);
	damage(r, marker_of(key));
}

static struct run *run_create(uint32_t kbps, uint32_t rtt_ms, uint32_t ops)
{
	struct run *r = calloc(1, sizeof(*r));
	struct encoder_params params = { .width = W, .height = H, .ops = ops, .video_align = 2, .max_video_regions = 4 };
	struct pst_err err = PST_ERR_INIT;

	r->px = calloc(W * H, 4);
	r->screen = (struct pixmap){ (const uint8_t *)r->px, W, H, W * 4 };
	r->enc = encoder_create(&params, &err);
	cr_assert_not_null(r->enc);
	r->has_video = ops & OP_BIT(OP_VIDEO);
	window_init(&r->window);
	r->now = 1000 * MS;
	r->pictures_ns = 130 * MS;
	r->path = (struct path){ .bytes_per_s = kbps * 125ull, .delay_ns = rtt_ms * MS / 2, .client_ns = 2 * MS };
	return r;
}

static void run_destroy(struct run *r)
{
	encoder_destroy(r->enc);
	free(r->px);
	free(r);
}

/* Pictures below the video, too seldom for one: dear as pixels. */
static void draw_pictures(struct run *r, uint32_t seed)
{
	for (int32_t y = H / 2; y < H; y++)
		for (int32_t x = 0; x < W; x++)
			r->px[y * W + x] = ((uint32_t)(x + (int32_t)seed) % 256 << 16 | (uint32_t)y % 256 << 8) + noise(&seed) % NOISE * 0x010101;
	damage(r, (struct rect){ 0, H / 2, W, H - H / 2 });
}

/* A video of 30 frames a second for so long, and keys; what happens in the first two seconds is not judged. */
static void play(struct run *r, uint32_t seconds, bool has_keys)
{
	uint64_t start = r->now, next_video = start, next_key = start + 2100 * MS, next_pictures = start;
	int32_t height = r->has_pictures ? H / 2 - 16 : FILM_H;
	uint32_t seed = 7;

	r->plan_at = start;
	for (; r->now < start + seconds * 1000 * MS; r->now += MS / 4) {
		r->is_measuring = r->now > start + 2000 * MS;
		if (!r->has_no_video && r->now >= next_video) {
			draw_video(r, ++r->drawn, height);
			r->drawn_measured += r->is_measuring;
			draw_marker(r, r->keys & ~1);
			next_video += 33333 * MS / 1000;
			damage(r, (struct rect){ 0, 0, W, height });
		}
		if (r->has_pictures && r->now >= next_pictures) {
			draw_pictures(r, (uint32_t)(r->now / MS));
			next_pictures += r->pictures_ns;
		}
		if (has_keys && r->now >= next_key) {
			press(r);
			next_key += (60 + noise(&seed) / 2) * MS;
		}
		take_acks(r);
		take_answers(r);
		if (r->now >= r->busy_until && r->now >= r->plan_at)
			turn(r);
	}
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* From the key to its echo's being shown and back: what a probe beside the keyboard would see. */
static double echo_p95_ms(const struct run *r, int parity)
{
	uint64_t list[KEYS_MAX];
	int n = 0;

	for (int k = 1 + parity; k < r->keys - 1; k += 2)
		list[n++] = r->shown[k] ? r->shown[k] - r->pressed[k] + r->path.delay_ns : UINT64_MAX;
	qsort(list, (size_t)n, sizeof(*list), compare);
	return (double)list[n * 95 / 100] / 1e6;
}

Test(schedule, keys_are_echoed_beside_a_video_that_fills_the_path)
{
	struct run *r = run_create(10000, 40, VIDEO_OPS);
	uint64_t bdp = 10000 * 125ull * 40 / 1000;

	play(r, 10, true);
	cr_log_info("echo p95 %.1f ms beside and %.1f ms in front, video %llu KB, longest freeze %.0f ms, queue %llu bytes, %d of %d frames, rate %u kbit/s, rtt %u us", echo_p95_ms(r, 0), echo_p95_ms(r, 1),
		(unsigned long long)(r->video_bytes / 1000), (double)r->freeze / 1e6, (unsigned long long)r->queued, r->frames, r->drawn_measured, window_rate_kbps(&r->window), window_rtt_us(&r->window));
	cr_expect_gt(r->keys, 50);
	cr_expect_lt(echo_p95_ms(r, 0), 40 + 30);
	cr_expect_lt(echo_p95_ms(r, 1), 40 + 30);
	cr_expect_lt(r->freeze, 250 * MS);
	cr_expect_lt(r->queued, 16 * 1024 + bdp);
	run_destroy(r);
}

/* Its acknowledgements come when a picture is decoded, and it does not say how long that took. */
static struct run *run_create_rdp(uint32_t kbps, uint32_t rtt_ms, bool is_asked)
{
	struct run *r = run_create(kbps, rtt_ms, VIDEO_OPS);

	r->is_rdp = true;
	r->is_asked = is_asked;
	r->path.client_ns = MS;
	r->path.video_ns = 27 * MS;
	r->window.client_ns = 30 * MS;
	return r;
}

Test(schedule, an_rdp_client_that_measures_has_its_keys_echoed_too)
{
	const uint32_t rates[] = { 3000, 10000 };

	for (size_t i = 0; i < PST_ARRAY_LEN(rates); i++) {
		struct run *r = run_create_rdp(rates[i], 40, true);

		play(r, 6, true);
		cr_log_info("at %u kbit/s: echo p95 %.1f ms beside and %.1f ms in front, video %llu KB, longest freeze %.0f ms, queue %llu bytes, %d of %d frames, rate %u kbit/s, rtt %u us", rates[i],
			echo_p95_ms(r, 0), echo_p95_ms(r, 1), (unsigned long long)(r->video_bytes / 1000), (double)r->freeze / 1e6, (unsigned long long)r->queued, r->frames, r->drawn_measured,
			window_rate_kbps(&r->window), window_rtt_us(&r->window));
		cr_expect_lt(echo_p95_ms(r, 0), 40 + 30);
		cr_expect_lt(echo_p95_ms(r, 1), 40 + 30 + 27, "in front of the video it is shown with a picture of it");
		cr_expect_lt(r->queued, 16 * 1024 + rates[i] * 125ull * 40 / 1000);
		cr_expect_lt(r->freeze, 250 * MS);
		cr_expect(window_rate_kbps(&r->window) > rates[i] * 8 / 10 && window_rate_kbps(&r->window) < rates[i] * 11 / 10);
		run_destroy(r);
	}
}

Test(schedule, a_long_way_keeps_the_frame_rate)
{
	struct run *near = run_create(100000, 1, VIDEO_OPS), *far = run_create(100000, 200, VIDEO_OPS);

	play(near, 4, false);
	play(far, 4, false);
	cr_log_info("near %d, far %d frames of %d; rates %u and %u kbit/s", near->frames, far->frames, near->drawn_measured, window_rate_kbps(&near->window),
		window_rate_kbps(&far->window));
	cr_expect_geq(near->frames, near->drawn_measured * 95 / 100);
	cr_expect_geq(far->frames * 100, near->frames * 95);
	cr_expect_lt(far->freeze, 250 * MS);
	run_destroy(near);
	run_destroy(far);
}

Test(schedule, pictures_beside_a_video_do_not_starve_it)
{
	struct run *r = run_create(2000, 40, VIDEO_OPS);

	r->has_pictures = true;
	play(r, 5, false);
	cr_log_info("%d of %d frames, longest freeze %.0f ms, queue %llu bytes", r->frames, r->drawn_measured, (double)r->freeze / 1e6,
		(unsigned long long)r->queued);
	cr_expect_gt(r->frames, 20);
	cr_expect_lt(r->freeze, 250 * MS);
	run_destroy(r);
}

Test(schedule, a_path_that_becomes_narrow_is_noticed_and_one_that_becomes_wide_too)
{
	struct run *r = run_create(50000, 20, VIDEO_OPS);

	play(r, 2, false);
	uint32_t wide = window_rate_kbps(&r->window);

	r->path.bytes_per_s = 5000 * 125;
	play(r, 3, false);
	uint32_t narrow = window_rate_kbps(&r->window);

	r->path.bytes_per_s = 50000 * 125;
	play(r, 3, false);
	cr_log_info("%u, %u, then %u kbit/s", wide, narrow, window_rate_kbps(&r->window));
	cr_expect_gt(wide, 25000);
	cr_expect_lt(narrow, 8000);
	cr_expect_gt(window_rate_kbps(&r->window), 15000);
	run_destroy(r);
}

/* What real paths and machines do to what is measured: a few packets pass at once, and clients are late by some milliseconds. */
Test(schedule, bursts_and_late_clients_do_not_make_a_path_look_wide)
{
	struct run *r = run_create(10000, 40, VIDEO_OPS);

	r->path.burst = 3000;
	r->path.jitter_ns = 5 * MS;
	play(r, 6, true);
	cr_log_info("echo p95 %.1f ms beside and %.1f ms in front, longest freeze %.0f ms, queue %llu bytes, rate %u kbit/s, at most %u", echo_p95_ms(r, 0), echo_p95_ms(r, 1),
		(double)r->freeze / 1e6, (unsigned long long)r->queued, window_rate_kbps(&r->window), r->rate_max);
	cr_expect_lt(echo_p95_ms(r, 0), 40 + 30);
	cr_expect_lt(echo_p95_ms(r, 1), 40 + 30);
	cr_expect_lt(r->rate_max, 12000);
	run_destroy(r);
}

Test(schedule, keys_are_echoed_while_a_picture_becomes_exact)
{
	struct run *r = run_create(10000, 40, VIDEO_OPS);

	r->has_pictures = r->has_no_video = true;
	r->pictures_ns = 700 * MS;
	play(r, 8, true);
	cr_log_info("echo p95 %.1f ms, queue %llu bytes", echo_p95_ms(r, 1), (unsigned long long)r->queued);
	cr_expect_lt(echo_p95_ms(r, 1), 40 + 30);
	run_destroy(r);
}

static void judge_film_of_pictures(uint32_t kbps, uint32_t rtt_ms, int fps_min)
{
	struct run *r = run_create(kbps, rtt_ms, JPEG_OPS);
	uint64_t bdp = kbps * 125ull * rtt_ms / 1000;

	r->path.burst = 3000;
	play(r, 10, true);
	cr_log_info("%u kbit/s: echo p95 %.1f ms beside and %.1f ms in front, longest freeze %.0f ms, queue %llu bytes, %d of %d frames, mean quality %llu, rate %u kbit/s, rtt %u us",
		kbps, echo_p95_ms(r, 0), echo_p95_ms(r, 1), (double)r->freeze / 1e6, (unsigned long long)r->queued, r->films, r->drawn_measured,
		(unsigned long long)(r->qualities / PST_MAX(r->pieces, 1u)), window_rate_kbps(&r->window), window_rtt_us(&r->window));
	cr_expect_lt(echo_p95_ms(r, 0), rtt_ms + 30);
	cr_expect_lt(echo_p95_ms(r, 1), rtt_ms + 30);
	cr_expect_lt(r->freeze, 250 * MS);
	cr_expect_lt(r->queued, 16 * 1024 + bdp);
	cr_expect_geq(r->films, fps_min * 8);
	run_destroy(r);
}

Test(schedule, a_film_of_pictures_makes_room_for_keys)
{
	judge_film_of_pictures(10000, 40, 20);
}

Test(schedule, a_film_of_pictures_on_a_narrow_path_does_so_too)
{
	judge_film_of_pictures(2000, 40, 6);
}
