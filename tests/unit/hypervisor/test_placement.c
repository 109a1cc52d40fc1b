/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Datastores side by side: who is out and why, who is best, and how it reads. */
#include "broker/hypervisor/disk/placement.h"

#include <criterion/criterion.h>
#include <string.h>

#define GIB (UINT64_C(1) << 30)
#define T (100 * GIB)

static struct placement_candidate fit(const char *name)
{
	return (struct placement_candidate){ .name = name, .is_online = true, .is_allowed = true, .has_image = true,
		.total = T, .free = 50 * GIB, .jobs_max = 4 };
}

static const struct placement_request overlay = { .needs = 2 * GIB, .promises = 20 * GIB, .keeps_free = 5 * GIB,
	.is_overlay = true };

Test(placement, each_filter_has_its_reason)
{
	static const struct {
		const char *what;
		struct placement_candidate c;
		enum placement_verdict verdict;
		int code;
	} cases[] = {
		/* online, in maintenance, allowed, with image, level, total, free, reserved, promised, overcommit */
		{ "fit", { "x", 1, 0, 1, 1, LEVEL_CALM, T, 50 * GIB, 0, 0, 0, 0, 4, 0 }, PLACEMENT_FITS, 0 },
		{ "offline", { "x", 0, 0, 1, 1, LEVEL_CALM, T, 50 * GIB, 0, 0, 0, 0, 4, 0 }, PLACEMENT_OFFLINE, PST_EBUSY },
		{ "offline first", { "x", 0, 1, 0, 0, LEVEL_CRITICAL, 0, 0, 0, 0, 0, 0, 4, 0 }, PLACEMENT_OFFLINE, PST_EBUSY },
		{ "maintenance", { "x", 1, 1, 1, 1, LEVEL_CALM, T, 50 * GIB, 0, 0, 0, 0, 4, 0 }, PLACEMENT_MAINTENANCE,
			PST_EBUSY },
		{ "not the pool's", { "x", 1, 0, 0, 1, LEVEL_CALM, T, 50 * GIB, 0, 0, 0, 0, 4, 0 }, PLACEMENT_NOT_ALLOWED,
			PST_EBUSY },
		{ "no image", { "x", 1, 0, 1, 0, LEVEL_CALM, T, 50 * GIB, 0, 0, 0, 0, 4, 0 }, PLACEMENT_NO_IMAGE, PST_EBUSY },
		{ "critical", { "x", 1, 0, 1, 1, LEVEL_CRITICAL, T, 50 * GIB, 0, 0, 0, 0, 4, 0 }, PLACEMENT_CRITICAL,
			PST_ENOSPC },
		{ "just enough", { "x", 1, 0, 1, 1, LEVEL_CALM, T, 7 * GIB, 0, 0, 0, 0, 4, 0 }, PLACEMENT_FITS, 0 },
		{ "a byte short", { "x", 1, 0, 1, 1, LEVEL_CALM, T, 7 * GIB - 1, 0, 0, 0, 0, 4, 0 }, PLACEMENT_NO_SPACE,
			PST_ENOSPC },
		{ "takes all at once", { "x", 1, 0, 1, 1, LEVEL_CALM, T, 25 * GIB, 0, 0, 0, 0, 4, 1 }, PLACEMENT_FITS, 0 },
		{ "all at once, a byte short", { "x", 1, 0, 1, 1, LEVEL_CALM, T, 25 * GIB - 1, 0, 0, 0, 0, 4, 1 }, PLACEMENT_NO_SPACE,
			PST_ENOSPC },
		{ "taken by others", { "x", 1, 0, 1, 1, LEVEL_CALM, T, 50 * GIB, 44 * GIB, 0, 0, 0, 4, 0 }, PLACEMENT_NO_SPACE,
			PST_ENOSPC },
		{ "reserved beyond all", { "x", 1, 0, 1, 1, LEVEL_CALM, T, 50 * GIB, UINT64_MAX, 0, 0, 0, 4, 0 },
			PLACEMENT_NO_SPACE, PST_ENOSPC },
		{ "unknown size", { "x", 1, 0, 1, 1, LEVEL_CALM, 0, 50 * GIB, 0, 0, 0, 0, 4, 0 }, PLACEMENT_NO_SPACE,
			PST_ENOSPC },
		{ "overcommitted", { "x", 1, 0, 1, 1, LEVEL_CALM, T, 50 * GIB, 0, 281 * GIB, 300, 0, 4, 0 },
			PLACEMENT_OVERCOMMITTED, PST_ENOSPC },
		{ "just not", { "x", 1, 0, 1, 1, LEVEL_CALM, T, 50 * GIB, 0, 280 * GIB, 300, 0, 4, 0 }, PLACEMENT_FITS, 0 },
		{ "no ceiling", { "x", 1, 0, 1, 1, LEVEL_CALM, T, 50 * GIB, 0, UINT64_MAX, 0, 0, 4, 0 }, PLACEMENT_FITS, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct placement_score s;

		cr_assert_eq(placement_choose(&overlay, &cases[i].c, &s, 1), cases[i].code, "%s", cases[i].what);
		cr_assert_eq(s.verdict, cases[i].verdict, "%s: %s", cases[i].what, placement_verdict_name(s.verdict));
	}
	cr_assert_eq(placement_choose(&overlay, NULL, NULL, 0), PST_EBUSY);
}

Test(placement, a_disk_of_its_own_needs_no_image)
{
	struct placement_request full = overlay;
	struct placement_candidate c = fit("x");
	struct placement_score s;

	full.is_overlay = false;
	c.has_image = false;
	cr_assert_eq(placement_choose(&full, &c, &s, 1), 0);
}

Test(placement, space_and_calm_decide_and_a_warning_halves)
{
	struct placement_candidate c[4] = { fit("a"), fit("b"), fit("c"), fit("d") };
	struct placement_score s[4];

	cr_assert_eq(placement_choose(&overlay, c, s, 4), 0, "the first of equals");
	c[1].free = 90 * GIB;
	cr_assert_eq(placement_choose(&overlay, c, s, 4), 1, "more space");
	c[1].jobs = 4;
	cr_assert_eq(placement_choose(&overlay, c, s, 4), 0, "but busy");
	cr_assert(s[1].calm == 0 && s[1].space == 88 && s[1].whole == 52, "%u %u", s[1].space, s[1].whole);
	c[0].jobs = c[2].jobs = c[3].jobs = 9;
	cr_assert_eq(placement_choose(&overlay, c, s, 4), 1);
	c[1].level = LEVEL_WARNING;
	cr_assert_eq(placement_choose(&overlay, c, s, 4), 0);
	cr_assert_eq(s[1].whole, 26);
	c[0].jobs_max = 0;
	c[0].jobs = 0;
	cr_assert_geq(placement_choose(&overlay, c, s, 4), 0, "no jobs at all is no division");
}

Test(placement, it_is_told_in_words)
{
	struct placement_candidate c[4] = { fit("slow"), fit("fast"), fit("full"), fit("café") };
	struct placement_score s[4];
	char text[200];

	c[0].jobs = 3;
	c[1].level = LEVEL_WARNING;
	c[2].free = 0;
	c[3].free = 80 * GIB;
	int best = placement_choose(&overlay, c, s, 4);
	placement_explain(c, s, 4, best, text, sizeof(text));
	cr_assert_str_eq(text, "café (86: 78 free, 100 idle) before slow (38: 48 free, 25 idle), "
		"fast (34: 48 free, 100 idle, warning); full: no_space");
	placement_explain(c, s, 1, placement_choose(&overlay, c, s, 1), text, sizeof(text));
	cr_assert_str_eq(text, "slow (38: 48 free, 25 idle)");
	c[2].free = 0;
	placement_explain(c + 2, s + 2, 1, placement_choose(&overlay, c + 2, s + 2, 1), text, sizeof(text));
	cr_assert_str_eq(text, "full: no_space");
	placement_explain(c, s, 0, PST_EBUSY, text, sizeof(text));
	cr_assert_str_eq(text, "");
	best = placement_choose(&overlay, c, s, 4);
	placement_explain(c, s, 4, best, text, sizeof(text));
	size_t whole = strlen(text);
	for (size_t size = 9; size < sizeof(text); size++) {
		memset(text, 'x', sizeof(text));
		placement_explain(c, s, 4, best, text, size);
		cr_assert_lt(strlen(text), size);
		cr_assert(size > whole || strstr(text, "…"), "%zu: %s", size, text);
	}
	placement_explain(c, s, 4, best, text, 9);
	cr_assert_str_eq(text, "café…");
}
