/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Xft.dpi among the X resources, in place of any other. */
#include "agent/scale.h"

#include <criterion/criterion.h>

#include "base/mem.h"

Test(scale, resources_get_one_dpi_and_keep_the_rest)
{
	static const struct {
		const char *old;
		uint32_t scale_pct;
		const char *want;
	} cases[] = {
		{ NULL, 150, "Xft.dpi:\t144\n" },
		{ "", 100, "Xft.dpi:\t96\n" },
		{ "Xft.dpi:\t144\n", 125, "Xft.dpi:\t120\n" },
		{ "*foreground: red\nXft.dpi: 300\nXft.rgba: none", 200, "*foreground: red\nXft.rgba: none\nXft.dpi:\t192\n" },
		{ "\n\nXft.dpi:1\nXft.dpi:2\n", 500, "Xft.dpi:\t480\n" },
		{ "XTerm*Xft.dpi: 7\n", 110, "XTerm*Xft.dpi: 7\nXft.dpi:\t105\n" },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct pst_buf out;

		pst_buf_init(&out, SCALE_RESOURCES_MAX);
		scale_resources(cases[i].old, cases[i].scale_pct, &out);
		pst_buf_put_u8(&out, 0);
		cr_expect_str_eq((const char *)out.data, cases[i].want, "case %zu", i);
		pst_buf_finish(&out);
	}
}

Test(scale, resources_that_are_too_long_are_told)
{
	struct pst_buf out;

	pst_buf_init(&out, 16);
	scale_resources("*background: a long one\n", 100, &out);
	cr_expect(out.failed);
	pst_buf_finish(&out);
}
