/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Joining pieces: what goes together, what must not, and that nothing is lost. */
#include <criterion/criterion.h>
#include <string.h>

#include "encoder/dsp/dsp.h"
#include "encoder/join.h"
#include "encoder/tiles.h"

static struct piece piece_at(int32_t column, int32_t row, enum op_kind kind)
{
	struct piece p = { .rect = { column * TILE_SIDE, row * TILE_SIDE, TILE_SIDE, TILE_SIDE },
		.kind = (uint8_t)kind,
		.column = column,
		.row = row };

	return p;
}

static void sketch_row(uint64_t sketch[SKETCH_WORDS], const uint32_t *row, int32_t n)
{
	uint8_t seen[DSP_SEEN] = { 0 };

	dsp_best()->see_colours(seen, row, n);
	sketch_make(sketch, seen);
}

Test(join, a_block_of_text_is_one_rectangle)
{
	struct piece p[12];
	size_t n = 0;

	for (int row = 0; row < 3; row++)
		for (int column = 0; column < 4; column++)
			p[n++] = piece_at(column, row, OP_LOSSLESS);
	cr_assert_eq(join_pieces(p, n), 1u);
	cr_assert_eq(rect_area(&p[0].rect), 12 * TILE_SIDE * TILE_SIDE);
}

Test(join, fills_join_only_in_one_colour_and_without_a_pixel_more)
{
	struct piece p[4] = { piece_at(0, 0, OP_FILL), piece_at(1, 0, OP_FILL), piece_at(2, 0, OP_FILL),
		piece_at(3, 0, OP_FILL) };

	p[2].fill = 7;
	p[3].rect.h--;
	cr_assert_eq(join_pieces(p, 4), 3u);
	cr_assert_eq(p[0].rect.w, 2 * TILE_SIDE);
}

Test(join, a_gap_between_words_goes_with_the_words)
{
	struct piece p[7];

	for (int i = 0; i < 7; i++)
		p[i] = piece_at(i, 0, i == 1 || i > 2 ? OP_FILL : OP_LOSSLESS);
	cr_assert_eq(join_pieces(p, 7), 2u, "text with its gap, and the long flat rest");
	cr_assert_eq(p[0].kind, OP_LOSSLESS);
	cr_assert_eq(p[0].rect.w, 3 * TILE_SIDE);
	cr_assert_eq(p[1].rect.w, 4 * TILE_SIDE);
}

Test(join, different_sorts_stay_apart)
{
	struct piece p[4] = { piece_at(0, 0, OP_LOSSLESS), piece_at(1, 0, OP_LOSSY),
		piece_at(2, 0, OP_LOSSLESS), piece_at(4, 0, OP_LOSSLESS) };

	cr_assert_eq(join_pieces(p, 4), 4u);
	cr_assert_eq(join_pieces(p, 0), 0u);
}

Test(join, pictures_and_text_stay_apart)
{
	struct piece p[3] = { piece_at(0, 0, OP_LOSSLESS), piece_at(1, 0, OP_LOSSLESS), piece_at(2, 0, OP_LOSSLESS) };

	p[0].klass = p[1].klass = OP_CLASS_PICTURE;
	p[2].klass = OP_CLASS_TEXT;
	cr_assert_eq(join_pieces(p, 3), 2u);
}

Test(join, any_colours_on_the_same_paper_go_together)
{
	struct piece p[3] = { piece_at(0, 0, OP_LOSSLESS), piece_at(1, 0, OP_LOSSLESS),
		piece_at(2, 0, OP_LOSSLESS) };

	for (int i = 0; i < 3; i++) {
		p[i].has_paper = true;
		p[i].paper = i < 2 ? 0xffffff : 0;
	}
	cr_assert_eq(join_pieces(p, 3), 2u);
	cr_assert(p[0].rect.w == 2 * TILE_SIDE && p[0].has_paper);
}

Test(join, the_sketch_knows_256_colours_from_300)
{
	for (uint32_t step = 1; step < 0x20000; step = step * 3 + 1) {
		uint64_t few[SKETCH_WORDS] = { 0 }, many[SKETCH_WORDS] = { 0 };
		uint32_t row[300];

		for (uint32_t i = 0; i < 300; i++)
			row[i] = i * step & 0xffffff;
		sketch_row(few, row, 230);
		sketch_row(many, row, 300);
		cr_assert(sketch_fits(few), "230 colours at step %u", step);
		cr_assert(!sketch_fits(many), "300 colours at step %u", step);
	}
}
