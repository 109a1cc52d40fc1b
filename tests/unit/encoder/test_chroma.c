/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Coloured strokes lose what a film and grey letters do not. */
#include <criterion/criterion.h>

#include "encoder/chroma.h"

#define W 130
#define H 259

static uint32_t px[W * H];
static const struct pixmap picture = { (const uint8_t *)px, W, H, W * 4 };

static uint32_t grey_letters(int x, int y)
{
	return (x * 7 + y * 3) % 5 < 2 ? 0x000000 : (uint32_t)(x & 127) * 0x010101;
}

static uint32_t slopes(int x, int y)
{
	return (uint32_t)(x * 2 & 255) << 16 | (uint32_t)(y * 3 & 255) << 8 | ((uint32_t)(x + y) & 255);
}

static uint32_t coloured_strokes(int x, int y)
{
	uint32_t stroke = (uint32_t)(x * 7 + y * 3) % 11;

	return stroke < 2 ? 0xd02020 : stroke < 4 ? 0x208820 : 0x606080;
}

static int pitch, phase;

/* Lines of coloured letters, each of ten rows. */
static uint32_t lines_of_letters(int x, int y)
{
	return (y + phase) % pitch < 10 && (x * 7 + y * 3) % 11 < 4 ? 0xd02020 : 0x606080;
}

static uint32_t loss_of(uint32_t (*draw)(int x, int y), const struct rect *r)
{
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			px[y * W + x] = draw(x, y) | 0xff000000;
	return chroma_loss(&picture, r);
}

Test(chroma, colours_count_and_light_does_not)
{
	const struct rect odd = { 1, 3, W - 1, 64 }, line = { 0, 0, W, 1 }, all = { 0, 0, W, H };

	cr_expect_eq(loss_of(grey_letters, &odd), 0);
	cr_expect_lt(loss_of(slopes, &odd), 40u);
	cr_expect_gt(loss_of(coloured_strokes, &odd), 400u);
	cr_expect_gt(loss_of(coloured_strokes, &all), 400u);
	cr_expect_eq(loss_of(coloured_strokes, &line), 0, "one row has no pairs");
}

Test(chroma, lines_of_text_are_seen_at_any_pitch)
{
	const struct rect all = { 0, 0, W, H };

	for (pitch = 12; pitch <= 24; pitch++)
		for (phase = 0; phase < pitch; phase++)
			cr_expect_gt(
				loss_of(lines_of_letters, &all), 120u, "%d rows from line to line", pitch);
}
