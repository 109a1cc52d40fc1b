/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each desktop has its own, and none comes back soon. */
#include "broker/hypervisor/uids.h"

#include "tests/unit/fine.h"

#include <criterion/criterion.h>

Test(uids, are_given_once_and_the_longest_unused_first)
{
	struct pst_err err = PST_ERR_INIT;
	bool also[UIDS_MAX] = { false, true };
	struct uids u;
	uid_t uid;

	uids_init(&u, 5000, 3);
	FINE(uids_take(&u, also, &uid, &err));
	cr_assert_eq(uid, 5000);
	FINE(uids_take(&u, also, &uid, &err));
	cr_assert_eq(uid, 5002, "one that somebody else knows of is passed over");
	cr_assert_eq(uids_take(&u, also, &uid, &err), PST_EBUSY);
	cr_assert_str_eq(err.text, "all 3 places for desktops are taken");
	FINE(uids_take(&u, NULL, &uid, &err));
	cr_assert_eq(uid, 5001);
	uids_mark(&u, 5000, false);
	uids_mark(&u, 5001, false);
	uids_mark(&u, 4999, true); /* not ours */
	uids_mark(&u, 5003, true);
	cr_assert_eq(uids_take(&u, NULL, &uid, &err), 0);
	cr_assert_eq(uid, 5000, "after the last one");
	uids_finish(&u);
}

Test(uids, two_installations_begin_at_two_places)
{
	cr_assert_eq(uids_base_default("/a", 200000), uids_base_default("/a", 200000));
	cr_assert_neq(uids_base_default("/a", 200000), uids_base_default("/b", 200000));
	cr_assert_geq(uids_base_default("/a", 200000), 200000);
}
