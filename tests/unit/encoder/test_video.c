/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Regions that move: begun, encoded, ended, refined. */
#include <criterion/criterion.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "desk.h"

Test(video, a_moving_picture_becomes_a_video_and_ends_exact)
{
	struct rect clip = { 101, 51, 323, 241 };
	struct encoder_stats stats;
	uint32_t region = 0;
	int units = 0, keys = 0;
	struct desk d;

	desk_open(&d, 9, 800, 600, ALL_OPS);
	draw_page(&d, 0);
	desk_settle(&d, 0);
	for (int frame = 0; frame < 60; frame++, d.now += 33 * MS) {
		draw_clip(&d, &clip, frame);
		encoder_damage(d.enc, &clip, 1);
		struct op_list list = desk_plan(&d, 0);

		for (size_t i = 0; i < list.len; i++) {
			if (list.ops[i].kind != OP_VIDEO)
				continue;
			cr_assert_eq(memcmp(list.ops[i].video.data, "\0\0\0\1", 4), 0, "Annex B");
			cr_assert(rect_contains(&list.ops[i].rect, &clip) || region == 0);
			region = list.ops[i].video.region;
			units++;
			keys += list.ops[i].video.is_key;
		}
	}
	cr_assert_gt(units, 30);
	cr_assert_leq(keys, 2);
	desk_settle(&d, 20000);
	encoder_stats(d.enc, &stats);
	cr_assert_gt(stats.refined_pixels, 0);
	desk_close(&d);
}

Test(video, moving_text_is_no_video)
{
	struct encoder_stats stats;
	struct rect r = { 100, 100, 320, 240 };
	struct desk d;

	desk_open(&d, 9, 800, 600, ALL_OPS);
	for (int frame = 0; frame < 40; frame++, d.now += 33 * MS) {
		draw_fill(&d, &r);
		draw_text(&d, &r);
		encoder_damage(d.enc, &r, 1);
		desk_plan(&d, 0);
	}
	encoder_stats(d.enc, &stats);
	cr_assert_eq(stats.ops[OP_VIDEO], 0u);
	desk_settle(&d, 0);
	desk_close(&d);
}

Test(video, a_distrusted_region_begins_again_with_a_key)
{
	struct rect clip = { 64, 64, 320, 240 };
	int keys = 0;
	struct desk d;

	desk_open(&d, 9, 640, 480, ALL_OPS);
	for (int frame = 0; frame < 60; frame++, d.now += 33 * MS) {
		struct op_list list;

		draw_clip(&d, &clip, frame);
		encoder_damage(d.enc, &clip, 1);
		if (frame == 40)
			encoder_invalidate(d.enc, &clip);
		list = desk_plan(&d, 0);
		for (size_t i = 0; i < list.len; i++)
			keys += list.ops[i].kind == OP_VIDEO && list.ops[i].video.is_key && frame >= 40;
	}
	cr_assert_eq(keys, 1);
	desk_settle(&d, 0);
	desk_close(&d);
}

Test(video, a_restarted_one_goes_on_with_a_key_and_ends_exact)
{
	struct rect clip = { 64, 64, 320, 240 };
	int units = 0, keys = 0, first = 0;
	struct desk d;

	desk_open(&d, 9, 640, 480, ALL_OPS);
	for (int frame = 0; frame < 60; frame++, d.now += 33 * MS) {
		struct op_list list;

		draw_clip(&d, &clip, frame);
		encoder_damage(d.enc, &clip, 1);
		if (frame == 40)
			encoder_restart_videos(d.enc);
		list = desk_plan(&d, 0);
		for (size_t i = 0; frame >= 40 && i < list.len; i++) {
			if (list.ops[i].kind != OP_VIDEO)
				continue;
			first += units++ == 0 && list.ops[i].video.is_key;
			keys += list.ops[i].video.is_key;
		}
	}
	cr_assert(first == 1 && keys == 1 && units > 10, "%d units, %d keys", units, keys);
	desk_settle(&d, 0);
	desk_close(&d);
}

/* A video of 320 × 240 that has begun, on a page. */
static void open_video(struct desk *d, const struct rect *clip)
{
	desk_open(d, 9, 800, 600, ALL_OPS);
	draw_page(d, 0);
	desk_settle(d, 0);
	for (int frame = 0; frame < 20; frame++, d->now += 33 * MS) {
		draw_clip(d, clip, frame);
		encoder_damage(d->enc, clip, 1);
		desk_plan(d, 0);
	}
}

Test(video, another_change_goes_first_and_alone)
{
	const struct rect clip = { 64, 64, 320, 256 }, letter = { 600, 500, 9, 12 };
	struct desk d;
	struct op_list list;

	open_video(&d, &clip);
	draw_clip(&d, &clip, 20);
	draw_text(&d, &letter);
	encoder_damage(d.enc, &clip, 1);
	encoder_damage(d.enc, &letter, 1);
	list = desk_plan(&d, 0);
	cr_assert_eq(list.len, 1u);
	cr_assert_neq(list.ops[0].kind, OP_VIDEO);
	cr_assert(list.more);
	cr_assert_eq(encoder_video_since(d.enc), d.now);
	list = desk_plan(&d, 0);
	cr_assert_eq(list.len, 1u);
	cr_assert_eq(list.ops[0].kind, OP_VIDEO);
	cr_assert_eq(encoder_video_since(d.enc), UINT64_MAX);
	desk_settle(&d, 0);
	desk_close(&d);
}

Test(video, what_is_drawn_with_it_and_touches_it_goes_with_it)
{
	const struct rect clip = { 64, 64, 320, 256 }, caption = { 64, 320, 120, 14 };
	const uint32_t rates[] = { 0, 100000, 5000 };

	for (size_t i = 0; i < PST_ARRAY_LEN(rates); i++) {
		const struct encoder_budget budget = { .rate_kbps = rates[i] };
		struct desk d;
		struct op_list list;

		open_video(&d, &clip);
		draw_clip(&d, &clip, 20);
		draw_text(&d, &caption);
		encoder_damage(d.enc, &clip, 1);
		encoder_damage(d.enc, &caption, 1);
		list = desk_plan_for(&d, &budget);
		cr_assert_neq(list.ops[0].kind, OP_VIDEO);
		cr_assert_eq(list.ops[list.len - 1].kind == OP_VIDEO, rates[i] != 5000, "at %u kbit/s", rates[i]);
		desk_settle(&d, 0);
		desk_close(&d);
	}
}

Test(video, a_small_part_joins_the_video_beside_it)
{
	const struct rect clip = { 64, 64, 320, 256 }, taller = { 64, 64, 320, 272 };
	struct desk d;
	int64_t pictures = 0;

	open_video(&d, &clip);
	for (int frame = 0; frame < 60; frame++, d.now += 33 * MS) {
		struct op_list list;

		draw_clip(&d, &taller, frame);
		encoder_damage(d.enc, &taller, 1);
		list = desk_plan(&d, 0);
		for (size_t i = 0; frame >= 45 && i < list.len; i++)
			pictures += list.ops[i].kind == OP_VIDEO ? 0 : rect_area(&list.ops[i].rect);
	}
	cr_assert_eq(pictures, 0);
	desk_settle(&d, 0);
	desk_close(&d);
}

Test(video, other_changes_do_not_keep_it_waiting)
{
	const struct rect clip = { 64, 64, 320, 256 }, letter = { 600, 500, 9, 12 };
	struct desk d;
	int units = 0;

	open_video(&d, &clip);
	for (int i = 0; i < 100; i++, d.now += 5 * MS) {
		if (i % 7 == 0)
			draw_clip(&d, &clip, 20 + i);
		draw_text(&d, &letter);
		encoder_damage(d.enc, &clip, i % 7 == 0);
		encoder_damage(d.enc, &letter, 1);
		struct op_list list = desk_plan(&d, 0);

		for (size_t k = 0; k < list.len; k++)
			units += list.ops[k].kind == OP_VIDEO;
	}
	cr_assert_geq(units, 13);
	desk_settle(&d, 0);
	desk_close(&d);
}

Test(video, a_held_one_keeps_its_newest_picture_and_lets_an_echo_pass)
{
	const struct rect clip = { 64, 64, 320, 256 }, marker = { 100, 100, 16, 16 };
	const struct encoder_budget held = { .hold_video = true };
	struct desk d;
	struct op_list list;

	open_video(&d, &clip);
	for (int frame = 20; frame < 23; frame++) {
		draw_clip(&d, &clip, frame);
		encoder_damage(d.enc, &clip, 1);
		cr_assert_eq(desk_plan_for(&d, &held).len, 0u);
	}
	list = desk_plan(&d, 0);
	cr_assert_eq(list.len, 1u);
	cr_assert_eq(list.ops[0].kind, OP_VIDEO);
	draw_fill(&d, &marker);
	encoder_damage(d.enc, &marker, 1);
	list = desk_plan_for(&d, &held);
	cr_assert_eq(list.len, 1u);
	cr_assert_eq(list.ops[0].kind, OP_FILL, "it is painted over the video");
	desk_settle(&d, 0);
	desk_close(&d);
}

Test(video, small_and_held_frames_end_exact)
{
	const struct rect clip = { 64, 64, 320, 256 };
	struct desk d;

	open_video(&d, &clip);
	for (int i = 0; i < 400; i++, d.now += 4 * MS) {
		struct encoder_budget budget = { .is_small = model_below(&d.seed, 3) == 0,
			.hold_video = model_below(&d.seed, 2) };
		struct rect r = random_rect(&d);

		if (i % 8 == 0) {
			draw_clip(&d, &clip, 20 + i);
			encoder_damage(d.enc, &clip, 1);
		}
		if (i % 16 == 3)
			draw_something(&d, &r);
		if (i % 61 == 0)
			encoder_invalidate(d.enc, &r);
		struct op_list list = desk_plan_for(&d, &budget);

		for (size_t k = 0; k < list.len && budget.is_small; k++)
			cr_assert(list.ops[k].kind == OP_VIDEO || list.ops[k].kind == OP_COPY ||
				  rect_area(&list.ops[k].rect) <= 4096 * 9 / 8 + 512); /* joined */
	}
	desk_settle(&d, 0);
	desk_close(&d);
}

/* A clip at rest, and beside it a change that crosses the region's border and goes out without loss. */
static size_t unit_after(bool has_crossing)
{
	struct rect clip = { 64, 64, 320, 240 }, crossing = { 370, 150, 40, 40 },
		    damage = { 64, 64, 400, 240 };
	struct desk d;
	size_t len = 0;

	desk_open(&d, 9, 640, 480, ALL_OPS);
	desk_settle(&d, 0);
	for (int frame = 0; frame < 71; frame++, d.now += 33 * MS) {
		bool is_last = frame == 70;
		struct op_list list;

		if (is_last && has_crossing)
			draw_picture(&d, &crossing);
		else if (frame >= 40)
			*px_at(&d, 70, 70) ^= 0xff; /* until the rest has its final quality */
		else
			draw_clip(&d, &clip, frame);
		encoder_damage(d.enc, &damage, 1);
		do { /* the video comes last */
			list = desk_plan(&d, 0);
			for (size_t i = 0; i < list.len; i++)
				if (is_last && list.ops[i].kind == OP_VIDEO)
					len = list.ops[i].video.len;
		} while (encoder_video_since(d.enc) != UINT64_MAX);
	}
	desk_settle(&d, 0);
	desk_close(&d);
	return len;
}

Test(video, still_blocks_cost_nothing_and_others_operations_do_not_hide)
{
	size_t alone = unit_after(false), crossing = unit_after(true);

	cr_assert(alone > 0 && alone < 120, "%zu bytes for one block", alone);
	cr_assert_gt(crossing, alone + 50, "%zu bytes where a lossless rectangle reached into the region",
		crossing);
}

Test(video, a_player_that_goes_on_begins_with_a_key)
{
	struct rect clip = { 64, 64, 320, 240 };
	struct desk d;
	int keys = 0;

	desk_open(&d, 9, 640, 480, ALL_OPS);
	for (int play = 0; play < 3; play++) {
		for (int frame = 0; frame < 30; frame++, d.now += 33 * MS) {
			struct op_list list;

			draw_clip(&d, &clip, frame + play);
			encoder_damage(d.enc, &clip, 1);
			list = desk_plan(&d, 0);
			for (size_t i = 0; i < list.len; i++)
				keys += list.ops[i].kind == OP_VIDEO && list.ops[i].video.is_key;
		}
		desk_settle(&d, 0);
		d.now +=
			(play ? 6000 : 500) * MS; /* a short pause, and one that outlasts the spare encoder */
	}
	cr_assert_eq(keys, 3);
	desk_close(&d);
}

/* Bytes that are allocated; zero under sanitizers, which have an allocator of their own. */
static size_t allocated(void)
{
	return mallinfo2().uordblks + mallinfo2().hblkhd;
}

static void step_until_nothing_is_due(struct desk *d, uint64_t *ret_last)
{
	while (encoder_next_due(d->enc) != UINT64_MAX || encoder_has_work(d->enc, d->now)) {
		*ret_last = d->now = PST_MAX(d->now, encoder_next_due(d->enc));
		desk_plan(d, 0);
	}
}

Test(video, an_encoder_that_waits_in_vain_is_closed_and_nothing_more_is_due)
{
	const struct rect clip = { 64, 64, 320, 240 };
	uint64_t last = 0;
	struct desk d;

	open_video(&d, &clip);
	size_t playing = allocated();
	uint64_t end = d.now;

	step_until_nothing_is_due(&d, &last);
	cr_assert(last > end + 5000 * MS && last < end + 6000 * MS, "%d ms", (int)((last - end) / MS));
	cr_assert(!playing || allocated() + (1 << 20) < playing, "%zu bytes, then %zu", playing, allocated());
	desk_close(&d);
}

Test(video, one_that_does_not_fit_is_closed_for_another)
{
	const struct rect small = { 64, 64, 320, 240 }, large = { 64, 64, 640, 448 };
	struct desk d;
	size_t before, alone;

	open_video(&d, &large);
	alone = allocated();
	desk_close(&d);
	before = allocated();
	open_video(&d, &small);
	for (int frame = 0; frame < 40; frame++, d.now += 33 * MS) {
		draw_clip(&d, &large, frame);
		encoder_damage(d.enc, &large, 1);
		desk_plan(&d, 0);
	}
	cr_assert(!alone || allocated() < alone + before + (1 << 19), "%zu bytes, %zu alone", allocated() - before, alone);
	desk_settle(&d, 0);
	desk_close(&d);
}

/* A region is young when everything around it begins to move: it must not wait while that goes out as
 * pictures. */
Test(video, a_young_region_grows_for_what_is_much_larger)
{
	const struct rect small = { 64, 64, 128, 128 }, large = { 64, 64, 512, 320 };
	struct desk d;
	int covered = 0;

	desk_open(&d, 9, 640, 480, ALL_OPS);
	desk_settle(&d, 0);
	for (int frame = 0; frame < 30; frame++, d.now += 33 * MS) {
		const struct rect *r = frame < 8 ? &small : &large;
		struct op_list list;

		draw_clip(&d, r, frame);
		encoder_damage(d.enc, r, 1);
		do {
			list = desk_plan(&d, 0);
			for (size_t i = 0; i < list.len; i++)
				covered += list.ops[i].kind == OP_VIDEO &&
					   rect_contains(&list.ops[i].rect, &large);
		} while (encoder_video_since(d.enc) != UINT64_MAX);
	}
	cr_assert_gt(covered, 10, "%d frames of the whole", covered);
	desk_settle(&d, 0);
	desk_close(&d);
}

/* Milliseconds from a clip's last frame to when its region may end. */
static uint64_t rest_after(uint64_t interval_ms)
{
	const struct rect clip = { 64, 64, 320, 240 };
	uint64_t last = 0;
	struct desk d;

	desk_open(&d, 9, 640, 480, ALL_OPS);
	desk_settle(&d, 0);
	for (int frame = 0; frame < 60; frame++, d.now += interval_ms * MS) {
		draw_clip(&d, &clip, frame);
		encoder_damage(d.enc, &clip, 1);
		desk_plan(&d, 0);
		last = d.now;
	}
	while (encoder_has_work(d.enc, d.now))
		desk_plan(&d, 0);
	last = encoder_next_due(d.enc) - last;
	desk_settle(&d, 0);
	desk_close(&d);
	return last / MS;
}

Test(video, a_fast_clip_is_made_exact_sooner_than_a_slow_one)
{
	cr_assert_eq(rest_after(16), 150);
	cr_assert(rest_after(34) >= 160 && rest_after(34) <= 175, "%d ms", (int)rest_after(34));
	cr_assert_eq(rest_after(70), 300);
}

/* Red strokes over the moving picture, as letters on a photo are. */
static void draw_strokes(struct desk *d, const struct rect *r, int frame)
{
	draw_clip(d, r, frame);
	for (int32_t y = r->y; y < r->y + r->h; y++)
		for (int32_t x = r->x; x < r->x + r->w; x++)
			if ((x + y / 5 + frame) % 7 < 2)
				*px_at(d, x, y) = 0xe01010;
}

struct strokes {
	enum video_chroma chroma; /* what the front takes, until */
	int given_up;             /* this frame, 0 for never */
	uint32_t rate_kbps;
};

/* How many of 90 frames had all of their chroma, the first 45 with strokes, and the last that had. */
static int play_strokes(const struct strokes *s, int *ret_last)
{
	const struct encoder_budget budget = { .rate_kbps = s->rate_kbps };
	struct rect clip = { 64, 64, 320, 240 };
	struct pst_err err = PST_ERR_INIT;
	struct desk d;
	int full = 0;

	desk_open(&d, 9, 640, 480, ALL_OPS);
	d.params.video_align = 16;
	d.params.chroma = s->chroma;
	encoder_destroy(d.enc);
	d.enc = encoder_create(&d.params, &err);
	*ret_last = -1;
	for (int frame = 0; frame < 90; frame++, d.now += 33 * MS) {
		struct op_list list;

		if (s->given_up && frame == s->given_up)
			encoder_give_up_chroma(d.enc);
		(frame < 45 ? draw_strokes : draw_clip)(&d, &clip, frame);
		encoder_damage(d.enc, &clip, 1);
		list = desk_plan_for(&d, &budget);
		for (size_t i = 0; i < list.len; i++) {
			const struct op_video *v = &list.ops[i].video;

			if (list.ops[i].kind != OP_VIDEO)
				continue;
			cr_assert(v->chroma == VIDEO_420 || v->chroma == s->chroma);
			cr_assert_eq(v->view != NULL, v->chroma == VIDEO_444_VIEWS);
			cr_assert_eq(v->view_len > 0, v->view != NULL);
			cr_assert(v->is_key || full == 0 ||
					  (*ret_last == frame - 1) == (v->chroma != VIDEO_420),
				"it changes with a key unit");
			if (v->chroma == VIDEO_420)
				continue;
			full++;
			*ret_last = frame;
		}
	}
	desk_settle(&d, 0);
	desk_close(&d);
	return full;
}

Test(video, coloured_strokes_get_all_of_their_chroma_where_it_can_go)
{
	for (enum video_chroma c = VIDEO_444_VIEWS; c <= VIDEO_444; c++) {
		int last, full = play_strokes(&(struct strokes){ .chroma = c }, &last);

		cr_expect(full > 25 && full < 80 && last < 80, "%d, %d", full, last);
		full = play_strokes(&(struct strokes){ .chroma = c, .given_up = 30 }, &last);
		cr_expect(full > 10 && last == 29, "%d, %d", full, last);
		full = play_strokes(&(struct strokes){ .chroma = c, .rate_kbps = 10000 }, &last);
		cr_expect_eq(full, 0, "a narrow path");
	}
}

Test(video, strokes_are_in_half_of_their_chroma_for_others)
{
	int last;

	cr_expect_eq(play_strokes(&(struct strokes){ .chroma = VIDEO_420 }, &last), 0);
}

/* A photo without an end, of which r shows the part from left and top on. */
static void draw_pan(struct desk *d, const struct rect *r, int32_t left, int32_t top)
{
	for (int32_t y = r->y; y < r->y + r->h; y++) {
		for (int32_t x = r->x; x < r->x + r->w; x++) {
			uint32_t px = (uint32_t)(x + left), py = (uint32_t)(y + top);
			uint32_t grain = (px * 2654435761u ^ py * 2246822519u) * 3266489917u >> 28;

			*px_at(d, x, y) =
				(px * 2 & 255) << 16 | ((px + py) & 255) << 8 | ((py / 2 + grain) & 255);
		}
	}
}

/* Copies bring what moves, exactly and for little: a video would blur it, and its refinement cost all of it
 * once more. */
Test(video, a_photo_that_is_panned_is_none)
{
	const struct encoder_budget budget = { .rate_kbps = 100000 };
	const struct rect shown = { 70, 90, 450, 300 };
	struct encoder_stats stats, before;
	struct desk d;

	desk_open(&d, 9, 640, 480, ALL_OPS);
	draw_pan(&d, &shown, 0, 0);
	desk_settle(&d, 0);
	encoder_stats(d.enc, &before);
	for (int32_t step = 1; step <= 40; step++) {
		d.now += 33 * MS;
		draw_pan(&d, &shown, step * 6, step * 2);
		encoder_damage(d.enc, &shown, 1);
		desk_plan_for(&d, &budget);
	}
	desk_settle(&d, 0);
	encoder_stats(d.enc, &stats);
	cr_expect_eq(stats.ops[OP_VIDEO], 0u);
	cr_expect_gt(stats.ops[OP_COPY], 35u);
	cr_expect_lt(stats.refined_pixels - before.refined_pixels, (uint64_t)rect_area(&shown) / 4,
		"%llu pixels", (unsigned long long)(stats.refined_pixels - before.refined_pixels));
	desk_close(&d);
}
