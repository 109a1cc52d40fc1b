/* SPDX-License-Identifier: GPL-3.0-or-later */
/* First bytes of VNC viewers. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "protocol/gate/rfb_hello.h"

Test(rfb_hello, test_versions)
{
	static const struct {
		const char *text;
		int answer;
	} cases[] = {
		{ "", 0 },		 { "RFB 003.00", 0 },	  { "RFB 003.008\n", 8 }, { "RFB 003.889\n", 8 }, { "RFB 004.001\n", 8 },
		{ "RFB 003.003\n", -2 }, { "RFB 003.007\n", -2 }, { "GET ", -1 },	  { "RFB 03.0008\n", -1 }, { "RFB 003.008\r", -1 },
		{ "RFB 00a.008\n", -1 },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++)
		cr_assert_eq(rfb_hello_parse((const uint8_t *)cases[i].text, strlen(cases[i].text)), cases[i].answer, "%s", cases[i].text);
}
