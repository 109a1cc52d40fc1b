/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RFC 3339 both ways. */
#include "base/clock.h"

#include "base/err.h"
#include "base/mem.h"

#include <criterion/criterion.h>

Test(clock, rfc3339_both_ways)
{
	static const struct {
		const char *text;
		int64_t ms;
		const char *canonical; /* NULL: the same */
	} cases[] = {
		{ "1970-01-01T00:00:00.000Z", 0, NULL },
		{ "1969-12-31T23:59:59.999Z", -1, NULL },
		{ "2026-01-02T03:04:05.678Z", 1767323045678, NULL },
		{ "2024-02-29T12:00:00.000Z", 1709208000000, NULL },
		{ "0000-01-01T00:00:00.000Z", -62167219200000, NULL },
		{ "9999-12-31T23:59:59.999Z", 253402300799999, NULL },
		{ "2026-01-02t03:04:05z", 1767323045000, "2026-01-02T03:04:05.000Z" },
		{ "2026-01-02T03:04:05.6789Z", 1767323045678, "2026-01-02T03:04:05.678Z" },
		{ "2026-01-02T05:04:05.5+02:00", 1767323045500, "2026-01-02T03:04:05.500Z" },
		{ "2026-01-01T21:34:05-05:30", 1767323045000, "2026-01-02T03:04:05.000Z" },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		char out[PST_RFC3339_SIZE];
		int64_t ms;

		cr_assert_eq(pst_rfc3339_parse(cases[i].text, &ms), 0, "%s", cases[i].text);
		cr_assert_eq(ms, cases[i].ms, "%s: %lld", cases[i].text, (long long)ms);
		pst_rfc3339(ms, out);
		cr_assert_str_eq(out, cases[i].canonical ? cases[i].canonical : cases[i].text);
	}
}

Test(clock, rfc3339_refuses_what_is_no_time)
{
	static const char *const bad[] = { "", "2026", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
		"2026-02-29T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
		"2026-01-01T00:00:61Z", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z",
		"2026-01-01T00:00:00Zx", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+0100", "x" };
	int64_t ms;

	for (size_t i = 0; i < PST_ARRAY_LEN(bad); i++)
		cr_assert_eq(pst_rfc3339_parse(bad[i], &ms), PST_EINVAL, "%s", bad[i]);
	cr_assert_eq(pst_rfc3339_parse(NULL, &ms), PST_EINVAL);

	char out[PST_RFC3339_SIZE] = "x";
	pst_rfc3339(INT64_MAX, out);
	cr_assert_str_eq(out, "");
}

Test(clock, clocks_move_forward)
{
	uint64_t a = pst_mono_ns();

	cr_assert_geq(pst_mono_us(), a / 1000);
	cr_assert_geq(pst_mono_ms(), a / 1000000);
	cr_assert_gt(pst_wall_ms(), INT64_C(1700000000000));
}

Test(clock, processor_time_is_this_threads_and_rises_with_work)
{
	uint64_t begin = pst_cpu_ns();
	volatile uint32_t sum = 0;

	while (pst_cpu_ns() - begin < 1000000)
		sum += 1;
	cr_assert_gt(sum, 0u);
}
