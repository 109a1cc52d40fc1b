/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The screen file's header, true and hostile. */
#include <criterion/criterion.h>
#include <string.h>

#include "agent/capture/xwd.h"
#include "base/mem.h"

#define FILE_SIZE (160 + 256 * 12 + 6400 * 1200)

/* As Xvfb 21.1 writes it for 1600x1200x24. */
static const uint32_t good[25] = { 160, 7, 2, 24, 1600, 1200, 0, 0, 32, 0, 32, 32, 6400, 4, 0xff0000, 0xff00,
	0xff, 8, 256, 256, 1600, 1200, 0, 0, 0 };

static int parse(const uint32_t *words, size_t len, uint64_t size, struct xwd *ret)
{
	uint8_t bytes[100];
	struct pst_err err = PST_ERR_INIT;

	for (size_t i = 0; i < 25; i++)
		for (int b = 0; b < 4; b++)
			bytes[i * 4 + (size_t)b] = (uint8_t)(words[i] >> (24 - 8 * b));
	return xwd_parse(bytes, len, size, ret, &err);
}

Test(xwd, header_of_xvfb_is_understood)
{
	struct xwd x;

	cr_assert_eq(parse(good, 100, FILE_SIZE, &x), 0);
	cr_assert(x.width == 1600 && x.height == 1200 && x.stride == 6400 && x.offset == 160 + 256 * 12);
}

Test(xwd, wrong_fields_are_refused)
{
	static const struct {
		int at;
		uint32_t value;
	} cases[] = { { 0, 96 }, { 0, 0xffffffff }, { 0, 162 }, { 1, 6 }, { 2, 1 }, { 3, 16 }, { 4, 0 },
		{ 4, 8193 }, { 4, 1601 }, { 5, 0 }, { 5, 1201 }, { 5, 0xffffffff }, { 7, 1 }, { 11, 16 },
		{ 12, 6396 }, { 12, 6402 }, { 12, 0xfffffffc }, { 12, 32772 }, { 14, 0xff }, { 15, 0 },
		{ 16, 0xff0000 }, { 19, 257 }, { 19, 0xffffffff } };

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		uint32_t words[25];
		struct xwd x;
		memcpy(words, good, sizeof(words));
		words[cases[i].at] = cases[i].value;
		cr_assert_eq(parse(words, 100, FILE_SIZE, &x), PST_EINVAL, "case %zu", i);
	}
	struct xwd x;
	cr_assert_eq(parse(good, 99, FILE_SIZE, &x), PST_EINVAL);
	cr_assert_eq(parse(good, 100, FILE_SIZE - 1, &x), PST_EINVAL);
	cr_assert_eq(parse(good, 0, 0, &x), PST_EINVAL);
}
