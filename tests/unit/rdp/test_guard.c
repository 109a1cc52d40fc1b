/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a client may announce and send on its channels. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "protocol/front/rdp/guard.h"

#define FIRST 1u
#define LAST 2u

Test(guard, a_static_message_has_a_ceiling)
{
	struct guard g = { 0 };
	cr_expect_eq(guard_static(&g, 100, FIRST | LAST, 100), GUARD_TAKE);
	cr_expect_eq(g.held, 0);
	cr_expect_eq(guard_static(&g, GUARD_MESSAGE_MAX - 1, FIRST, GUARD_MESSAGE_MAX), GUARD_TAKE);
	cr_expect_eq(guard_static(&g, 1, 0, GUARD_MESSAGE_MAX), GUARD_TAKE);
	cr_expect_eq(guard_static(&g, 1, 0, GUARD_MESSAGE_MAX), GUARD_END);
	cr_expect_eq(guard_static(&g, 1, FIRST | LAST, 1), GUARD_TAKE, "a new message begins again");
	cr_expect_eq(guard_static(&g, SIZE_MAX, LAST, 1), GUARD_END);
}

Test(guard, a_static_message_that_says_it_is_too_long_is_left_out)
{
	struct guard g = { 0 };
	cr_expect_eq(guard_static(&g, 1600, FIRST, GUARD_MESSAGE_MAX + 1), GUARD_DROP);
	for (int i = 0; i < 5000; i++)
		cr_expect_eq(guard_static(&g, 1600, 0, 1), GUARD_DROP, "whatever later parts say");
	cr_expect_eq(guard_static(&g, 1600, LAST, GUARD_MESSAGE_MAX + 1), GUARD_DROP);
	cr_expect_eq(g.held, 0);
	cr_expect_eq(guard_static(&g, 1600, FIRST | LAST, 1600), GUARD_TAKE);
}

static const struct {
	const char *what;
	uint8_t bytes[12];
	size_t len;
	uint32_t flags;
	bool is_admitted;
} cases[] = {
	{ "data", { 0x30, 1, 'x' }, 3, FIRST | LAST, true },
	{ "first data of a little", { 0x20, 1, 200, 'x' }, 4, FIRST | LAST, true },
	{ "first data of 60000", { 0x24, 1, 0x60, 0xea, 'x' }, 5, FIRST | LAST, true },
	{ "first data of the most", { 0x28, 1, 0, 0, 0x40, 0, 'x' }, 7, FIRST | LAST, true },
	{ "first data of one more", { 0x28, 1, 1, 0, 0x40, 0, 'x' }, 7, FIRST | LAST, false },
	{ "first data of 4 GB", { 0x28, 1, 0xff, 0xff, 0xff, 0xff, 'x' }, 7, FIRST | LAST, false },
	{ "4 GB for a channel of two bytes", { 0x29, 1, 0, 0xff, 0xff, 0xff, 0xff }, 7, FIRST | LAST, false },
	{ "4 GB for a channel of four bytes", { 0x2a, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff }, 9, FIRST | LAST, false },
	{ "a length with a code that does not exist", { 0x2c, 1, 0xff, 0xff, 0xff, 0xff }, 6, FIRST | LAST, false },
	{ "a length cut short", { 0x28, 1, 0, 0 }, 4, FIRST | LAST, false },
	{ "a head in a part of its own", { 0x28 }, 1, FIRST, false },
	{ "the rest of it", { 1, 0xff, 0xff, 0xff, 0xff }, 5, LAST, false },
	{ "nothing", { 0 }, 0, FIRST | LAST, false },
};

Test(guard, dynamic_channels_announce_no_more_than_the_ceiling)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++)
		cr_expect_eq(guard_dynamic(cases[i].bytes, cases[i].len, cases[i].flags), cases[i].is_admitted, "%s", cases[i].what);
}
