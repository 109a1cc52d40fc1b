/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Filters and scores of hosts, and the sentence about them. Covers: broker/core/placement.c */
#include "broker/core/placement.h"

#include <criterion/criterion.h>
#include <string.h>

#define HOSTS(...) (struct placement_host[]){ __VA_ARGS__ }, sizeof((struct placement_host[]){ __VA_ARGS__ }) / sizeof(struct placement_host)

static int choose(const struct placement_host *hosts, size_t n, int memory_mb)
{
	struct placement p;

	placement_choose(hosts, n, memory_mb, &p);
	return p.index;
}

static struct placement_host host(const char *name, int free_mb)
{
	return (struct placement_host){ .name = name, .usable = true, .memory_mb = 10000, .free_mb = free_mb };
}

Test(placement, each_filter_closes_a_host)
{
	struct placement_host open = host("a", 5000), h;

	cr_expect_eq(choose(&open, 1, 1000), 0);
	h = open, h.usable = false;
	cr_expect_eq(choose(&h, 1, 1000), -1);
	h = open, h.maintenance = true;
	cr_expect_eq(choose(&h, 1, 1000), -1);
	h = open, h.excluded = true;
	cr_expect_eq(choose(&h, 1, 1000), -1);
	cr_expect_eq(choose(&open, 1, 5001), -1);
	h = open, h.machines = h.capacity = 4;
	cr_expect_eq(choose(&h, 1, 1000), -1);
	h = open, h.memory_mb = 0, h.free_mb = 0;
	cr_expect_eq(choose(&h, 1, 1000), 0, "what is not known is not held against it");
	cr_expect_eq(choose(NULL, 0, 1000), -1);
}

Test(placement, memory_then_spreading_then_the_name_decide)
{
	struct placement_host a = host("a", 8000), b = host("b", 4000), c;

	cr_expect_eq(choose(HOSTS(b, a), 1000), 1, "more memory");
	b.free_mb = a.free_mb;
	a.of_pool = 3;
	cr_expect_eq(choose(HOSTS(a, b), 1000), 1, "fewer of the pool");
	b.of_pool = 3;
	a.of_user = 1;
	cr_expect_eq(choose(HOSTS(a, b), 1000), 1, "fewer of the user");
	a.of_user = 0;
	cr_expect_eq(choose(HOSTS(b, a), 1000), 1, "by name");
	a.failed = true;
	cr_expect_eq(choose(HOSTS(a, b), 1000), 1, "the last move there failed");
	c = a;
	cr_expect_eq(choose(HOSTS(c), 1000), 0, "but there is no other");
}

Test(placement, ten_of_a_pool_are_spread)
{
	struct placement_host hosts[3] = { host("a", 10000), host("b", 10000), host("c", 10000) };

	for (int i = 0; i < 9; i++) {
		int at = choose(hosts, 3, 500);

		cr_assert_geq(at, 0);
		hosts[at].of_pool++;
		hosts[at].machines++;
		hosts[at].free_mb -= 500;
	}
	for (int i = 0; i < 3; i++)
		cr_expect_eq(hosts[i].of_pool, 3, "%s has %d", hosts[i].name, hosts[i].of_pool);
}

Test(placement, the_choice_is_told_in_both_languages)
{
	struct placement_host a = host("kvm1", 3000), b = host("kvm2", 7000), c = host("kvm3", 9000), d = host("kvm4", 100);
	struct placement p;

	b.of_pool = 3;
	c.maintenance = true;
	placement_choose(HOSTS(a, b, c, d), 1000, &p);
	cr_assert_eq(p.index, 1);
	cr_expect_str_eq(p.en, "kvm2 (54: 70 % memory free, 3 of this pool) before kvm1 (52: 30 % memory free, 0 of this pool); kvm3: maintenance; "
			       "kvm4: 100 MB free, 1000 needed");
	cr_expect_str_eq(p.es, "kvm2 (54: 70 % de memoria libre, 3 de este grupo) antes que kvm1 (52: 30 % de memoria libre, 0 de este grupo); "
			       "kvm3: en mantenimiento; kvm4: 100 MB libres, hacen falta 1000");
	a.usable = false;
	b.machines = b.capacity = 2;
	placement_choose(HOSTS(a, b), 1000, &p);
	cr_expect_str_eq(p.en, "kvm1: away; kvm2: 2 of 2 places taken");
}

Test(placement, many_hosts_and_long_names_are_cut_and_stay_whole)
{
	struct placement_host hosts[200];
	static char names[200][CORE_WORD_SIZE];
	struct placement p;

	for (int i = 0; i < 200; i++) {
		memset(names[i], 'x', CORE_WORD_SIZE - 1);
		hosts[i] = host(names[i], 2000 + 100 * i < 10000 ? 2000 + 100 * i : 10000);
	}
	placement_choose(hosts, 200, 1000, &p);
	cr_expect(p.index >= 62 && p.index < PLACEMENT_HOSTS_MAX, "%d", p.index);
	cr_expect_eq(strlen(p.en), CORE_TEXT_SIZE - 1u);
}
