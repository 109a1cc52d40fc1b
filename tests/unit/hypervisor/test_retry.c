/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which calls are made again. */
#include "broker/hypervisor/retry.h"

#include "base/err.h"

#include <criterion/criterion.h>

Test(retry, only_what_does_no_harm_twice_is_tried_again)
{
	static const struct {
		struct retry r;
		int64_t wait;
		const char *why;
	} cases[] = {
		{ { .tries = 1, .code = PST_ECLOSED, .left_ms = 9000 }, 100, "it was never sent" },
		{ { .tries = 1, .code = PST_ECLOSED, .sent = true, .left_ms = 9000 }, -1, "it may have been done" },
		{ { .tries = 1, .code = PST_ECLOSED, .sent = true, .repeatable = true, .left_ms = 9000 }, 100, "it may be done twice" },
		{ { .tries = 1, .code = PST_ETIMEOUT, .repeatable = true, .left_ms = 9000 }, -1, "its time is over" },
		{ { .tries = 1, .code = PST_ELIMIT, .repeatable = true, .left_ms = 9000 }, -1, "it would be too long again" },
		{ { .tries = 1, .code = PST_EAUTH, .repeatable = true, .left_ms = 9000 }, -1, "it is somebody else" },
		{ { .tries = 3, .code = PST_ECLOSED, .left_ms = 9000 }, 400, "each time later" },
		{ { .tries = 4, .code = PST_ECLOSED, .left_ms = 700 }, -1, "not past the deadline" },
		{ { .tries = RETRY_TRIES_MAX, .code = PST_ECLOSED, .left_ms = 9000 }, -1, "not for ever" },
		{ { .tries = 1, .status = 503, .asked = true, .left_ms = 9000 }, 100, "refused for now" },
		{ { .tries = 1, .status = 503, .repeatable = true, .left_ms = 9000 }, 100, "it may be done twice" },
		{ { .tries = 1, .status = 503, .left_ms = 9000 }, -1, "a gateway says so, too, when its backend went away in the middle" },
		{ { .tries = 1, .status = 429, .left_ms = 9000, .asked_ms = 3000 }, 3000, "as it was asked" },
		{ { .tries = 1, .status = 429, .left_ms = 2000, .asked_ms = 3000 }, -1, "asked for more than there is" },
		{ { .tries = 1, .status = 504, .left_ms = 9000 }, -1, "nobody knows what became of it" },
		{ { .tries = 1, .status = 502, .repeatable = true, .left_ms = 9000 }, 100, "nor does it matter" },
		{ { .tries = 1, .status = 500, .repeatable = true, .left_ms = 9000 }, -1, "it will not be better" },
		{ { .tries = 1, .status = 404, .repeatable = true, .left_ms = 9000 }, -1, "an answer" },
		{ { .tries = 1, .status = 200, .repeatable = true, .left_ms = 9000 }, -1, "an answer" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(retry_wait_ms(&cases[i].r), cases[i].wait, "%zu: %s", i, cases[i].why);
}
