/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Progress that comes in pieces, and words that are none. */
#include "broker/hypervisor/disk/progress.h"

#include <criterion/criterion.h>
#include <string.h>

Test(progress, values_rise_and_never_fall)
{
	static const struct {
		const char *text;
		uint32_t after;
		bool risen;
	} cases[] = {
		{ "    (0.00/100%)\r", 0, false },
		{ "    (1.01/100%)\r", 101, true },
		{ "    (12.34/100%)\r    (50.00/100%)\r", 5000, true },
		{ "    (49.99/100%)\r", 5000, false },
		{ "  (7", 5000, false }, /* cut */
		{ "5.5", 5000, false },
		{ "0/100%)\r", 7550, true },
		{ "(100.01/100%)", 7550, false },
		{ "(999999999999.00/100%)", 7550, false },
		{ "(80.0/100%)", 7550, false },
		{ "(80/100%)", 7550, false },
		{ "(-80.00/100%)", 7550, false },
		{ "(80.00/100)", 7550, false },
		{ "80.00/100%)", 7550, false },
		{ "((90.00/100%)", 9000, true },
		{ "(95.00\n/100%)", 9000, false },
		{ "(100.00/100%)\r", 10000, true },
	};
	struct progress p = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(progress_feed(&p, cases[i].text, strlen(cases[i].text)), cases[i].risen, "%s",
			cases[i].text);
		cr_assert_eq(p.basis_points, cases[i].after, "%s: %u", cases[i].text, p.basis_points);
	}
}
