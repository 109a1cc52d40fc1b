/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Palettes: order, ceilings, and the packing of indices. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "encoder/palette.h"

Test(palette, colours_keep_the_order_in_which_they_were_seen)
{
	static const uint32_t px[] = { 5, 5, 0xff000005, 9, 0, 9, 0xffffff, 5 };
	const struct pixmap pm = { (const uint8_t *)px, 8, 1, 32 };
	static struct palette p;
	uint8_t indices[8];

	palette_clear(&p);
	cr_assert(palette_scan(&p, &pm, &(struct rect){ 0, 0, 8, 1 }, 4));
	cr_assert_eq(p.len, 4);
	palette_map_row(&p, px, 8, indices);
	cr_assert_eq(memcmp(indices, "\0\0\0\1\2\1\3\0", 8), 0);
	cr_assert_eq(palette_find(&p, 77), -1);
	cr_assert_eq(palette_add(&p, 77, 4), -1, "full");
	palette_clear(&p);
	cr_assert(!palette_scan(&p, &pm, &(struct rect){ 0, 0, 8, 1 }, 3));
}

Test(palette, all_256_places_can_be_used)
{
	static struct palette p;

	palette_clear(&p);
	for (uint32_t i = 0; i < 256; i++)
		cr_assert_eq(palette_add(&p, i * 0x10101, PALETTE_MAX), (int32_t)i);
	cr_assert_eq(palette_add(&p, 0x123456, PALETTE_MAX), -1);
	for (uint32_t i = 0; i < 256; i++)
		cr_assert_eq(palette_find(&p, i * 0x10101), (int32_t)i);
}

Test(palette, indices_are_packed_from_the_high_bits)
{
	const struct {
		int32_t colours, bits, n;
		const char *indices, *packed;
		size_t len;
	} table[] = {
		{ 2, 1, 9, "\1\0\1\1\0\0\0\1\1", "\xb1\x80", 2 },
		{ 4, 2, 5, "\3\0\1\2\3", "\xc6\xc0", 2 },
		{ 16, 4, 3, "\17\1\7", "\xf1\x70", 2 },
		{ 17, 8, 3, "\17\1\7", "\17\1\7", 3 },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(table); i++) {
		uint8_t out[16];

		cr_assert_eq(palette_bits(table[i].colours), table[i].bits);
		cr_assert_eq(
			palette_pack_row((const uint8_t *)table[i].indices, table[i].n, table[i].bits, out),
			table[i].len);
		cr_assert_eq(memcmp(out, table[i].packed, table[i].len), 0, "case %zu", i);
	}
}
