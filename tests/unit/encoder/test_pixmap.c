/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A pixmap's numbers against the memory they claim. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "encoder/pixmap.h"

Test(pixmap, a_pixmap_must_lie_in_its_memory)
{
	static const uint32_t px[16];
	const struct {
		struct pixmap p;
		uint64_t bytes;
		bool ok;
	} table[] = {
		{ { (const uint8_t *)px, 4, 4, 16 }, 64, true },
		{ { (const uint8_t *)px, 4, 4, 16 }, 63, false },
		{ { (const uint8_t *)px, 3, 4, 16 }, 60, true },
		{ { (const uint8_t *)px, 4, 4, 12 }, 64, false },
		{ { (const uint8_t *)px, 0, 4, 16 }, 64, false },
		{ { (const uint8_t *)px, 4, 65535, 16 }, 64, false },
		{ { (const uint8_t *)px, 8192, 8192, 4294967292u }, 64, false },
		{ { (const uint8_t *)px, 4, 4, 17 }, 100, false },
		{ { (const uint8_t *)px + 1, 3, 3, 16 }, 60, false },
		{ { NULL, 4, 4, 16 }, 64, false },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(table); i++)
		cr_assert_eq(pixmap_is_valid(&table[i].p, table[i].bytes), table[i].ok, "case %zu", i);
}
