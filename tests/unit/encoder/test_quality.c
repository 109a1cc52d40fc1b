/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Against a film whose pictures cost what the weights say: rates are kept, frames are kept before quality, and it does not swing. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "encoder/quality.h"

#define MS 1000000ull
#define FILM_PX (1280 * 720)
#define FILM_BYTES 35000 /* at quality 40 */

/* Ten seconds over a path; returns the quality in the end. */
static uint8_t settle(struct quality *q, uint32_t rate_kbps, uint32_t fps, int *ret_changes)
{
	uint8_t before = 0;

	*ret_changes = 0;
	for (uint64_t now = 1000 * MS; now < 11000 * MS; now += 33 * MS) {
		uint64_t bytes = (uint64_t)FILM_BYTES * quality_weight(q->now ? q->now : 75) / quality_weight(40);
		struct quality_load load = { (uint64_t)FILM_PX * fps, rate_kbps, (bytes << 16) / FILM_PX };
		uint8_t now_is = quality_next(q, 75, &load, now);

		*ret_changes += before && now_is != before;
		before = now_is;
	}
	return before;
}

Test(quality, it_follows_the_path)
{
	static const struct {
		uint32_t rate_kbps, fps;
		uint8_t least, most;
	} cases[] = { { 100000, 30, 75, 75 }, { 20000, 30, 60, 75 }, { 10000, 30, 30, 40 }, { 5000, 30, 20, 30 }, { 2000, 30, 15, 20 },
		{ 2000, 10, 20, 30 }, { 200, 30, QUALITY_MIN, QUALITY_MIN }, { 0, 30, 75, 75 }, { 1000, 0, 75, 75 } };

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct quality q = { 0 };
		int changes;
		uint8_t got = settle(&q, cases[i].rate_kbps, cases[i].fps, &changes);

		cr_expect(got >= cases[i].least && got <= cases[i].most, "%u kbit/s, %u fps: %d", cases[i].rate_kbps, cases[i].fps, got);
		cr_expect_leq(changes, 5, "%u kbit/s: it moves %d times", cases[i].rate_kbps, changes);
	}
}

Test(quality, it_falls_at_once_and_rises_by_steps)
{
	struct quality q = { 0 };
	struct quality_load load = { (uint64_t)FILM_PX * 30, 100000, 5000 };

	cr_assert_eq(quality_next(&q, 75, &load, 1000 * MS), 75);
	load.rate_kbps = 3000;
	cr_assert_leq(quality_next(&q, 75, &load, 1001 * MS), 25);
	uint8_t low = q.now;

	load.rate_kbps = 100000;
	cr_assert_eq(quality_next(&q, 75, &load, 1002 * MS), low);
	cr_assert_eq(quality_next(&q, 75, &load, 1600 * MS), low + QUALITY_STEP);
	load.px_per_s = 0;
	cr_assert_eq(quality_next(&q, 60, &load, 1601 * MS), 60, "what stands has what the front wants");
}

Test(quality, weights_rise_and_no_number_breaks_it)
{
	for (int i = 1; i <= 255; i++)
		cr_assert_geq(quality_weight((uint8_t)i), quality_weight((uint8_t)(i - 1)));
	struct quality q = { 0 };
	const struct quality_load huge = { (uint64_t)8192 * 8192 * 30, UINT32_MAX, 1 << 18 }, none = { 1, 1, 0 };

	for (int i = 0; i < 300; i++) {
		uint8_t got = quality_next(&q, (uint8_t)(i % 101), i % 2 ? &huge : &none, (uint64_t)i * 1000 * MS);

		cr_assert_leq(got, PST_MAX(i % 101, QUALITY_MIN));
	}
}
