/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Limits and penalties of addresses, by a clock of our own. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "protocol/gate/limits.h"

#define SECOND UINT64_C(1000000000)

static struct limits_key key_of(const char *text)
{
	struct sockaddr_storage a = { 0 };

	if (strchr(text, ':')) {
		a.ss_family = AF_INET6;
		inet_pton(AF_INET6, text, &((struct sockaddr_in6 *)&a)->sin6_addr);
	} else {
		a.ss_family = AF_INET;
		inet_pton(AF_INET, text, &((struct sockaddr_in *)&a)->sin_addr);
	}
	return limits_key(&a);
}

static struct limits *make(uint32_t half_source, uint32_t open_source, uint32_t half_total, uint32_t open_total)
{
	struct limits_params p = limits_defaults;

	p.half_open_per_source = half_source;
	p.open_per_source = open_source;
	p.half_open_total = half_total;
	p.open_total = open_total;
	return limits_create(&p);
}

Test(limits, test_an_address_has_its_share_and_no_more)
{
	struct limits *l = make(2, 3, 100, 100);
	struct limits_key a = key_of("192.0.2.1"), b = key_of("192.0.2.2");

	cr_assert_eq(limits_accept(l, &a, 1), LIMITS_OK);
	cr_assert_eq(limits_accept(l, &a, 1), LIMITS_OK);
	cr_assert_eq(limits_accept(l, &a, 1), LIMITS_SOURCE_FULL);
	cr_assert_eq(limits_accept(l, &b, 1), LIMITS_OK);
	limits_opened(l, &a);
	cr_assert_eq(limits_accept(l, &a, 1), LIMITS_OK);
	limits_opened(l, &a);
	cr_assert_eq(limits_accept(l, &a, 1), LIMITS_SOURCE_FULL);
	limits_closed(l, &a, true);
	cr_assert_eq(limits_accept(l, &a, 1), LIMITS_OK);
	limits_destroy(l);
}

Test(limits, test_totals_hold_for_many_addresses)
{
	struct limits *l = make(10, 10, 5, 8);
	char text[32];
	int ok = 0;

	for (int i = 0; i < 20; i++) {
		struct limits_key k;

		snprintf(text, sizeof(text), "10.0.0.%d", i);
		k = key_of(text);
		if (limits_accept(l, &k, 1) == LIMITS_OK && ++ok)
			limits_opened(l, &k);
	}
	cr_assert_eq(ok, 8);
	limits_destroy(l);
}

Test(limits, test_addresses_of_one_network_count_together_where_one_owner_has_many)
{
	struct limits_key a = key_of("2001:db8:1:2::1"), b = key_of("2001:db8:1:2:ffff::9"), c = key_of("2001:db8:1:3::1");
	struct limits_key four = key_of("192.0.2.1"), mapped = key_of("::ffff:192.0.2.1");

	cr_assert_arr_eq(&a, &b, sizeof(a));
	cr_assert_arr_neq(&a, &c, sizeof(a));
	cr_assert_arr_eq(&four, &mapped, sizeof(four));
}

Test(limits, test_penalties_grow_and_are_forgotten)
{
	struct limits *l = make(10, 10, 10, 10);
	struct limits_key k = key_of("192.0.2.1"), other = key_of("192.0.2.2");
	uint64_t now = 1000 * SECOND, last = 0;

	limits_penalize(l, &k, LIMITS_CRASH, now);
	cr_assert_eq(limits_penalty(l, &k, now), 0, "the first one is free");
	for (int i = 0; i < 12; i++) {
		limits_penalize(l, &k, LIMITS_CRASH, now);
		cr_assert_geq(limits_penalty(l, &k, now), last);
		last = limits_penalty(l, &k, now);
	}
	cr_assert_eq(last, limits_defaults.penalty_max_ns);
	cr_assert_eq(limits_penalty(l, &other, now), 0);
	cr_assert_eq(limits_penalty(l, &k, now + last), 0);
	now += last + limits_defaults.penalty_max_ns + SECOND;
	limits_penalize(l, &k, LIMITS_CRASH, now);
	cr_assert_eq(limits_penalty(l, &k, now), 0);
	limits_destroy(l);
}

Test(limits, test_a_flood_of_addresses_neither_grows_nor_blocks_for_good)
{
	struct limits *l = make(10, 10, 100, 100);

	for (uint32_t i = 0; i < 100000; i++) {
		struct sockaddr_storage a = { .ss_family = AF_INET };
		struct limits_key k;

		((struct sockaddr_in *)&a)->sin_addr.s_addr = htonl(0x0a000000 + i);
		k = limits_key(&a);
		cr_assert_eq(limits_accept(l, &k, i), LIMITS_OK);
		limits_closed(l, &k, false);
	}
	limits_destroy(l);
}
