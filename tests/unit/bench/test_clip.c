/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The number that a frame carries is read again from its pixels, and nothing else is taken for one. */
#include <criterion/criterion.h>

#include "tests/bench/clip.h"
#include "tests/bench/likeness.h"

#define W (BAR_CELLS * BAR_CELL + 9)
#define H 20

static void cells_of(const uint32_t *px, int32_t x, int32_t bottom, uint8_t cells[BAR_CELLS])
{
	for (int i = 0; i < BAR_CELLS; i++)
		cells[i] = (uint8_t)brightness(
			px[(bottom - BAR_CELL / 2) * W + x + i * BAR_CELL + BAR_CELL / 2]);
}

Test(clip, every_number_is_read_again)
{
	static uint32_t px[W * H];
	uint8_t cells[BAR_CELLS];

	for (int n = 0; n < 2 * BAR_NUMBERS; n += 7) {
		clip_number(px, W, 9, H - 1, n);
		cells_of(px, 9, H - 1, cells);
		cr_assert_eq(clip_number_of(cells), n % BAR_NUMBERS);
	}
}

Test(clip, a_spoilt_number_is_none)
{
	static uint32_t px[W * H];
	uint8_t cells[BAR_CELLS], dark[BAR_CELLS] = { 0 };

	cr_assert_eq(clip_number_of(dark), -1);
	for (int i = 0; i < BAR_CELLS; i++) {
		clip_number(px, W, 0, H, 1234);
		cells_of(px, 0, H, cells);
		cells[i] = (uint8_t)(255 - cells[i]);
		cr_assert_eq(clip_number_of(cells), -1, "cell %d", i);
	}
}

Test(clip, a_number_survives_what_a_codec_does_to_it)
{
	static uint32_t px[W * H];
	uint8_t cells[BAR_CELLS];

	clip_number(px, W, 0, H, 77);
	cells_of(px, 0, H, cells);
	for (int i = 0; i < BAR_CELLS; i++)
		cells[i] = (uint8_t)(cells[i] ? 255 - 60 : 60);
	cr_assert_eq(clip_number_of(cells), 77);
}

Test(clip, files_that_are_not_there_are_an_empty_clip)
{
	struct clip c;

	cr_assert(clip_open(&c, -1, -1));
	cr_assert_null(clip_frame(&c, 3));
}
