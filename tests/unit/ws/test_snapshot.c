/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The picture for those who come late: right at its end, whatever happened to the screen meanwhile. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "protocol/front/ws/message.h"
#include "protocol/front/ws/snapshot.h"
#include "tests/unit/encoder/decode.h"

#define W 1000
#define H 700 /* 44 blocks */

static uint32_t screen[W * H];
static const struct pixmap pixmap = { (const uint8_t *)screen, W, H, W * 4 };

static uint32_t be(const uint8_t *p, int n)
{
	uint32_t v = 0;

	for (int i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static void draw(const struct rect *r, uint32_t seed)
{
	for (int32_t y = r->y; y < r->y + r->h; y++)
		for (int32_t x = r->x; x < r->x + r->w; x++)
			screen[y * W + x] = ((uint32_t)x * seed ^ (uint32_t)y * 77) & 0xffffff;
}

static const struct rect all = { 0, 0, W, H };

/* Another picture in r, and a frame that says so. */
static void change(struct ws_snapshot *s, struct rect r, enum op_kind kind, uint32_t seed)
{
	const struct op op = { .kind = kind, .rect = r };

	draw(&r, seed);
	ws_snapshot_note(s, &(struct op_list){ .ops = &op, .len = 1 });
}

/* FRAME's body of FLAT operations into a picture. */
static void show(const struct pst_buf *body, uint32_t *ret)
{
	static uint32_t pixels[W * H];
	struct flat_decoder *flat = flat_decoder_create();
	const uint8_t *p = body->data + 7;

	for (uint32_t ops = be(body->data + 5, 2); ops > 0; ops--) {
		uint32_t x = be(p + 1, 2), y = be(p + 3, 2), w = be(p + 5, 2), h = be(p + 7, 2), size = be(p + 9, 4);

		cr_assert(p[0] == WS_OP_FLAT && x + w <= W && y + h <= H);
		cr_assert(flat_decode(flat, false, p + 13, size, (int)w, (int)h, pixels));
		for (uint32_t row = 0; row < h; row++)
			memcpy(ret + (y + row) * W + x, pixels + row * w, w * sizeof(*pixels));
		p += 13 + size;
	}
	cr_assert(p == body->data + body->len);
	flat_decoder_destroy(flat);
}

Test(snapshot, is_made_in_steps_and_shows_what_changed_meanwhile)
{
	static uint32_t shown[W * H];
	struct ws_snapshot *s = ws_snapshot_create(W, H);
	int steps = 0;

	cr_assert_not_null(s);
	draw(&all, 3);
	for (; !ws_snapshot_is_near(s); steps++) {
		cr_assert_eq(ws_snapshot_step(s, &pixmap), 0);
		if (steps == 3)
			change(s, (struct rect){ 10, 20, 300, 50 }, OP_LOSSLESS, 5);
		if (steps == 4)
			change(s, (struct rect){ 0, H - 100, W, 100 }, OP_COPY, 7);
	}
	cr_expect(steps >= 5 && steps < 10, "%d", steps);
	cr_assert_eq(ws_snapshot_finish(s, &pixmap, 42, false), 0);
	cr_expect_eq(be(ws_snapshot_body(s)->data, 4), 42);
	cr_expect_eq(ws_snapshot_body(s)->data[4], WS_FRAME_EXACT | WS_FRAME_ANEW);
	show(ws_snapshot_body(s), shown);
	cr_expect(memcmp(shown, screen, sizeof(shown)) == 0);
	ws_snapshot_destroy(s);
}

Test(snapshot, ends_although_all_changes_all_the_time)
{
	static uint32_t shown[W * H];
	struct ws_snapshot *s = ws_snapshot_create(W, H);
	uint32_t steps = 0;

	for (; !ws_snapshot_is_near(s); steps++) {
		cr_assert_eq(ws_snapshot_step(s, &pixmap), 0);
		change(s, all, OP_LOSSLESS, steps);
	}
	cr_expect_lt(steps, 20);
	cr_assert_eq(ws_snapshot_finish(s, &pixmap, 1, true), 0);
	cr_expect_eq(ws_snapshot_body(s)->data[4], WS_FRAME_EXACT | WS_FRAME_MORE | WS_FRAME_ANEW);
	show(ws_snapshot_body(s), shown);
	cr_expect(memcmp(shown, screen, sizeof(shown)) == 0);
	ws_snapshot_destroy(s);
}

Test(snapshot, leaves_what_a_video_changes_to_the_video)
{
	struct ws_snapshot *s = ws_snapshot_create(W, H);
	uint32_t steps = 0;

	for (; !ws_snapshot_is_near(s); steps++) {
		cr_assert_eq(ws_snapshot_step(s, &pixmap), 0);
		change(s, all, OP_VIDEO, steps);
	}
	cr_expect_eq(steps, 5);
	cr_assert_eq(ws_snapshot_finish(s, &pixmap, 1, false), 0);
	cr_expect_eq(ws_snapshot_body(s)->data[4], WS_FRAME_MORE | WS_FRAME_ANEW, "not exact, and more follows");
	cr_expect_eq(be(ws_snapshot_body(s)->data + 5, 2), 44, "each block once");
	ws_snapshot_destroy(s);
	ws_snapshot_destroy(NULL);
}
