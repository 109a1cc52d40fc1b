/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What machines say on their seed's port. */
#include "broker/hypervisor/port.h"

#include <criterion/criterion.h>
#include <string.h>

Test(port, tells_words_from_refusals_and_noise)
{
	static const struct {
		const char *line;
		int code;
		bool is_it;
		const char *reason;
	} cases[] = {
		{ "{\"seed\":\"waiting\"}", 0, true, "" },
		{ "{\"seed\":\"applied\"}", 0, false, "" },
		{ "{}", 0, false, "" },
		{ "{\"seed\":7}", 0, false, "" },
		{ "{\"seed\":\"refused\",\"reason\":\"broker: is missing\"}", PST_EINVAL, false, "the machine refuses its seed: broker: is missing" },
		{ "{\"seed\":\"refused\"}", PST_EINVAL, false, "it does not say why" },
		{ "boot: ", PST_EPROTO, false, "no JSON" },
		{ "", PST_EPROTO, false, "no JSON" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pst_err err = PST_ERR_INIT;
		bool is_it = false;

		cr_expect_eq(port_hear(cases[i].line, strlen(cases[i].line), "waiting", &is_it, &err), cases[i].code, "%s", cases[i].line);
		cr_expect_eq(is_it, cases[i].is_it, "%s", cases[i].line);
		cr_expect(strstr(err.text, cases[i].reason), "%s", err.text);
	}
}
