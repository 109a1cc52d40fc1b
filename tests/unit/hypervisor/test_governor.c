/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Jobs of several pools on one datastore: never too many, in a fair order, nobody for ever. */
#include "broker/hypervisor/disk/governor.h"

#include "base/err.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* Lets jobs run one after the other and writes their owners as letters. */
static void order(struct governor *g, char *out, uint64_t owner_of_id(uint64_t))
{
	uint64_t id;

	while (governor_next(g, &id)) {
		*out++ = (char)('a' + owner_of_id(id));
		cr_assert_eq(governor_end(g, id), 0);
	}
	*out = '\0';
}

static uint64_t hundreds(uint64_t id)
{
	return id / 100;
}

static void add(struct governor *g, uint64_t owner, unsigned n, uint32_t weight)
{
	static uint64_t next[8];

	for (unsigned i = 0; i < n; i++)
		cr_assert_eq(governor_add(g, owner * 100 + next[owner]++, owner, weight), 0);
}

Test(governor, tokens_are_a_ceiling)
{
	struct governor *g = governor_create(3);
	uint64_t id;

	for (uint64_t i = 0; i < 5; i++)
		cr_assert_eq(governor_add(g, i, 7, 1), 0);
	cr_assert_eq(governor_add(g, 3, 8, 1), PST_ECONFLICT);
	for (uint64_t i = 0; i < 3; i++)
		cr_assert(governor_next(g, &id) && id == i);
	cr_assert(!governor_next(g, &id));
	cr_assert(governor_working(g) == 3 && governor_waiting(g) == 2);
	cr_assert_eq(governor_end(g, 1), 0);
	cr_assert_eq(governor_end(g, 1), PST_ENOTFOUND);
	cr_assert(governor_next(g, &id) && id == 3);
	cr_assert(!governor_next(g, &id));
	cr_assert_eq(governor_end(g, 4), 0, "one that waits is not wanted any more");
	governor_set_tokens(g, 1);
	for (uint64_t i = 5; i < 8; i++)
		cr_assert_eq(governor_add(g, i, 7, 1), 0);
	governor_end(g, 0);
	governor_end(g, 2);
	cr_assert(!governor_next(g, &id), "one is at work still");
	governor_end(g, 3);
	cr_assert(governor_next(g, &id) && id == 5);
	governor_destroy(g);
	governor_destroy(NULL);
}

Test(governor, a_pool_with_many_jobs_does_not_hold_up_the_others)
{
	struct governor *g = governor_create(1);
	char text[64];

	add(g, 0, 6, 1);
	add(g, 1, 2, 1);
	add(g, 2, 1, 1);
	order(g, text, hundreds);
	cr_assert_str_eq(text, "abcabaaaa");
	add(g, 0, 3, 1);
	add(g, 1, 1, 1);
	order(g, text, hundreds);
	cr_assert_str_eq(text, "abaa", "what was before is forgotten");
	governor_destroy(g);
}

Test(governor, heavy_jobs_pay_and_are_not_passed_for_ever)
{
	struct governor *g = governor_create(4);
	uint64_t id, heavy = 1000, n = 0;
	size_t ahead;

	for (uint64_t i = 0; i < 4; i++)
		cr_assert_eq(governor_add(g, i, 0, 1), 0);
	while (governor_next(g, &id))
		n++;
	cr_assert_eq(n, 4);
	cr_assert_eq(governor_add(g, heavy, 1, 4), 0);
	for (uint64_t i = 4; i < 30; i++)
		cr_assert_eq(governor_add(g, i, 0, 1), 0);
	cr_assert_eq(governor_ahead(g, heavy, &ahead), 0);
	cr_assert_eq(ahead, 0);
	for (uint64_t i = 0; i < 3; i++) {
		governor_end(g, i);
		cr_assert(!governor_next(g, &id), "nothing slips by");
	}
	governor_end(g, 3);
	cr_assert(governor_next(g, &id) && id == heavy);
	cr_assert(!governor_next(g, &id));
	governor_end(g, heavy);
	cr_assert_eq(governor_add(g, heavy, 1, 100), 0, "more than there are");
	cr_assert_eq(governor_ahead(g, heavy, &ahead), 0);
	cr_assert_leq(ahead, 8);
	for (n = 0; n < 100 && !(governor_next(g, &id) && id == heavy); n++)
		governor_end(g, id);
	cr_assert_lt(n, 30);
	governor_destroy(g);
}

Test(governor, the_order_is_known_beforehand)
{
	struct governor *g = governor_create(1);
	uint64_t id, expected[9];
	size_t ahead, n = 0;

	add(g, 3, 5, 2);
	add(g, 4, 3, 1);
	add(g, 5, 1, 3);
	for (uint64_t i = 0; i < 600; i++) {
		if (governor_ahead(g, i, &ahead) < 0)
			continue;
		cr_assert_lt(ahead, 9);
		expected[ahead] = i;
		n++;
	}
	cr_assert_eq(n, 9);
	for (size_t i = 0; i < n; i++) {
		cr_assert(governor_next(g, &id) && id == expected[i], "place %zu", i);
		cr_assert(governor_ahead(g, id, &ahead) == 0 && ahead == 0);
		governor_end(g, id);
	}
	cr_assert_eq(governor_ahead(g, 1, &ahead), PST_ENOTFOUND);
	governor_destroy(g);
}

Test(governor, the_ceiling_of_jobs_holds)
{
	struct governor *g = governor_create(2000);
	uint64_t id;
	unsigned n = 0;

	for (uint64_t i = 0; i < 2000; i++)
		cr_assert_eq(governor_add(g, i, i % 7, 1), 0);
	while (governor_next(g, &id))
		n++;
	cr_assert_eq(n, 1024, "so many tokens at most");
	governor_destroy(g);
}

/* A storm with a seed: tokens hold, each job begins once, and after the storm all have begun. */
Test(governor, a_storm_leaves_nobody_behind)
{
	struct governor *g = governor_create(5);
	static uint32_t weights[4000];
	static bool begun[4000], ended[4000];
	uint32_t seed = 12345, taken = 0;
	uint64_t id, next = 0, done = 0;

	while (done < 4000) {
		seed = seed * 1103515245 + 12345;
		if (next < 4000 && (seed >> 16) % 3) {
			weights[next] = 1 + (seed >> 20) % 4;
			cr_assert_eq(governor_add(g, next, (seed >> 24) % 5, weights[next]), 0);
			next++;
		}
		while (governor_next(g, &id)) {
			cr_assert(id < next && !begun[id]);
			begun[id] = true;
			taken += weights[id];
		}
		cr_assert_leq(taken, 5);
		for (id = done; id < next; id++)
			if (begun[id] && !ended[id])
				break;
		cr_assert_eq(id < next, governor_working(g) > 0);
		cr_assert(id < next || governor_waiting(g) == 0, "somebody is always at work");
		if (id == next)
			continue;
		ended[id] = true;
		taken -= weights[id];
		cr_assert_eq(governor_end(g, id), 0);
		while (done < 4000 && ended[done])
			done++;
	}
	cr_assert(governor_working(g) == 0 && governor_waiting(g) == 0);
	governor_destroy(g);
}
