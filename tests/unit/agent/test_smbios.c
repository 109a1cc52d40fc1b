/* SPDX-License-Identifier: GPL-3.0-or-later */
/* OEM strings, whole and cut. */
#include <criterion/criterion.h>
#include <string.h>

#include "agent/seed/smbios.h"
#include "base/mem.h"

/* A BIOS structure without strings, a system one with two, OEM strings, the end. */
static const char table[] = "\x00\x06\x00\x00zz\0\0"
			    "\x01\x05\x01\x00z" SMBIOS_SEED "notthis\0b\0\0"
			    "\x0b\x05\x02\x00\x02"
			    "hello\0" SMBIOS_SEED "YWJj\0\0"
			    "\x7f\x04\x03\x00\0\0";

Test(smbios, test_the_string_is_found_in_its_structure_only)
{
	const char *text = smbios_seed_find(table, sizeof(table) - 1);

	cr_assert_not_null(text);
	cr_assert_str_eq(text, "YWJj");
}

Test(smbios, test_a_table_that_is_cut_anywhere_has_none)
{
	const size_t whole = (size_t)((const char *)memmem(table, sizeof(table), "YWJj", 4) - table) + 5;
	char copy[sizeof(table)];

	for (size_t n = 0; n < whole; n++) {
		memcpy(copy, table, n);
		cr_assert_null(smbios_seed_find(copy, n), "%zu", n);
	}
}

Test(smbios, test_nothing_after_the_end_counts)
{
	static const char after[] = "\x7f\x04\x03\x00\0\0\x0b\x05\x02\x00\x01" SMBIOS_SEED "YWJj\0\0";
	static const char tiny[] = "\x0b\x03\x02\x00" SMBIOS_SEED "YWJj\0\0";

	cr_assert_null(smbios_seed_find(after, sizeof(after) - 1));
	cr_assert_null(smbios_seed_find(tiny, sizeof(tiny) - 1));
}
