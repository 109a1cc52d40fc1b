/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses of a range. */
#include "broker/hypervisor/libvirt/address.h"

#include "base/mem.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *const desks[] = { "1b4e28ba-2fa1-41d2-883f-0016d3cca427", "1b4e28ba-2fa1-41d2-883f-0016d3cca428",
	"00000001-2fa1-41d2-883f-0016d3cca429" };

Test(address, bad_ranges_are_refused)
{
	static const char *const bad[] = { "", "10.0.0.1", "10.0.0.9-10.0.0.1", "10.0.0.1-x", "10.0.0.1-10.0.0.2-10.0.0.3", "-10.0.0.1",
		"10.0.0.0-10.9.0.0", "::1-::2" };
	struct lv_addresses a = { 0 };
	struct pst_err err = PST_ERR_INIT;

	for (size_t i = 0; i < PST_ARRAY_LEN(bad); i++)
		cr_assert_lt(lv_addresses_init(&a, bad[i], &err), 0, "%s", bad[i]);
}

Test(address, nobody_shares_one_and_what_is_given_back_is_free)
{
	struct lv_addresses a = { 0 };
	struct pst_err err = PST_ERR_INIT;
	char one[LV_ADDRESS_SIZE], two[LV_ADDRESS_SIZE], again[LV_ADDRESS_SIZE];

	cr_assert_eq(lv_addresses_init(&a, "10.0.0.254-10.0.0.255", &err), 0, "%s", err.text);
	cr_assert_eq(lv_addresses_take(&a, desks[0], one, &err), 0, "%s", err.text);
	cr_assert_eq(lv_addresses_take(&a, desks[1], two, &err), 0, "%s", err.text);
	cr_assert_str_neq(one, two);
	cr_assert_eq(lv_addresses_take(&a, desks[0], again, &err), 0);
	cr_assert_str_eq(one, again);
	cr_assert_eq(lv_addresses_take(&a, desks[2], again, &err), PST_ELIMIT);
	lv_addresses_release(&a, desks[0]);
	lv_addresses_release(&a, desks[0]);
	cr_assert_eq(lv_addresses_take(&a, desks[2], again, &err), 0);
	cr_assert_str_eq(one, again);
	lv_addresses_mark(&a, desks[0], "10.0.0.1");
	lv_addresses_mark(&a, desks[0], "junk");
	lv_addresses_mark(&a, desks[0], two);
	cr_assert_eq(lv_addresses_take(&a, desks[1], again, &err), PST_ELIMIT, "a record has it");
	lv_addresses_finish(&a);
	cr_assert_eq(lv_addresses_take(&a, desks[0], one, &err), PST_ELIMIT);
}
