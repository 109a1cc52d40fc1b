/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RemoteFX tiles: a flat one has one coefficient, and edges repeat. tests/unit/rdp reads pictures of them with the library's decoder. */
#include "encoder/codec/rfx_tile.h"

#include <criterion/criterion.h>

static uint32_t screen[RFX_TILE_AREA];
static const struct pixmap pm = { (const uint8_t *)screen, RFX_TILE_SIDE, RFX_TILE_SIDE, RFX_TILE_SIDE * 4 };
static int16_t planes[3][RFX_TILE_AREA];

Test(rfx_tile, grey_has_no_colour_and_flat_has_one_coefficient)
{
	static const struct rfx_quant quant = { { 6, 6, 6, 6, 7, 7, 8, 8, 8, 9 } };
	const struct rect all = { 0, 0, RFX_TILE_SIDE, RFX_TILE_SIDE };
	for (int i = 0; i < RFX_TILE_AREA; i++)
		screen[i] = 0xff808080 + 0x404040;
	rfx_tile_planes(&pm, &all, planes);
	for (int i = 0; i < RFX_TILE_AREA; i++)
		cr_assert(planes[0][i] == 64 << 5 && planes[1][i] == 0 && planes[2][i] == 0, "pixel %d: %d %d %d", i, planes[0][i], planes[1][i], planes[2][i]);
	rfx_tile_bands(planes[0], &quant);
	for (int i = 0; i < RFX_TILE_AREA; i++)
		cr_assert_eq(planes[0][i], i == 4032 ? 64 : 0, "coefficient %d", i);
}

Test(rfx_tile, a_part_of_a_tile_repeats_its_edges)
{
	const struct rect part = { 2, 3, 5, 4 };
	for (int i = 0; i < RFX_TILE_AREA; i++)
		screen[i] = (uint32_t)i * 2654435761u;
	rfx_tile_planes(&pm, &part, planes);
	for (int k = 0; k < 3; k++)
		for (int y = 0; y < RFX_TILE_SIDE; y++)
			for (int x = 0; x < RFX_TILE_SIDE; x++)
				cr_assert_eq(planes[k][y * RFX_TILE_SIDE + x], planes[k][(y < 4 ? y : 3) * RFX_TILE_SIDE + (x < 5 ? x : 4)]);
}
