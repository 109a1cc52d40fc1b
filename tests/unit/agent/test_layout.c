/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of layouts end in file names of the X server's: only harmless ones pass. */
#include <criterion/criterion.h>
#include <string.h>

#include "agent/inject/layout.h"
#include "base/mem.h"

Test(layout, names_are_split_or_refused)
{
	static const struct {
		const char *name, *layout, *variant; /* NULL: refused */
	} cases[] = {
		{ "es", "es", "" },
		{ "de(nodeadkeys)", "de", "nodeadkeys" },
		{ "us(altgr-intl)", "us", "altgr-intl" },
		{ "", NULL, NULL },
		{ "(x)", NULL, NULL },
		{ "es(", NULL, NULL },
		{ "es()", NULL, NULL },
		{ "es(a", NULL, NULL },
		{ "es(a)b", NULL, NULL },
		{ "es,us", NULL, NULL },
		{ "../x", NULL, NULL },
		{ "-x", NULL, NULL },
		{ "a b", NULL, NULL },
		{ "es(-x)", NULL, NULL },
		{ "this-name-is-far-too-long-for-a-layout", NULL, NULL },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		char layout[32], variant[32];
		bool is_good = layout_split(cases[i].name, layout, variant, sizeof(layout));
		cr_assert_eq(is_good, cases[i].layout != NULL, "case %zu", i);
		if (is_good)
			cr_assert(strcmp(layout, cases[i].layout) == 0 &&
				  strcmp(variant, cases[i].variant) == 0);
	}
}
