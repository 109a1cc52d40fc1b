/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of networks. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "protocol/gate/network.h"

Test(network, test_addresses_are_in_or_out)
{
	static const struct {
		const char *list, *address;
		bool is_in;
	} cases[] = {
		{ "10.1.0.0/16", "10.1.255.255", true }, { "10.1.0.0/16", "10.2.0.0", false }, { "", "10.1.0.1", false },
		{ "10.1.0.0/16, 192.168.4.0/22", "192.168.7.9", true }, { "192.168.4.0/22", "192.168.8.0", false },
		{ "0.0.0.0/0", "8.8.8.8", true }, { "0.0.0.0/0", "::1", false }, { "10.0.0.1/32", "10.0.0.1", true }, { "10.0.0.1/32", "10.0.0.2", false },
		{ "fd00::/8", "fd12::1", true }, { "fd00::/8", "fe80::1", false }, { "fd00::1/128", "fd00::1", true }, { "10.0.0.0/8", "host", false },
		{ "10.0.0.0/8", "", false },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++)
		cr_assert_eq(network_list_has(cases[i].list, cases[i].address), cases[i].is_in, "case %zu", i);
}

Test(network, test_mistakes_are_named)
{
	static const char *const bad[] = { "10.0.0.0", "10.0.0.0/33", "10.0.0.0/", "/8", "host/8", "fd00::/129", "10.0.0.0/8 x" };
	struct pst_err err;

	for (size_t i = 0; i < PST_ARRAY_LEN(bad); i++)
		cr_assert_eq(network_list_check(bad[i], &err), PST_EINVAL, "%s", bad[i]);
	cr_assert_eq(network_list_check(" 10.0.0.0/8,fd00::/8 ", &err), 0);
	cr_assert_eq(network_list_check("", &err), 0);
}
