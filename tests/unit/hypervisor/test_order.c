/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is said of a desktop while its command runs. */
#include "broker/hypervisor/storage/order.h"

#include <criterion/criterion.h>
#include <string.h>

#define A "1b4e28ba-2fa1-41d2-883f-0016d3cca427"
#define B "1b4e28ba-2fa1-41d2-883f-0016d3cca428"

Test(order, one_is_known_until_it_is_forgotten)
{
	struct order a = { .pool = "desk", .keep_ms = 5 }, b = { .pool = "lab" }, got;

	order_of(A, &got);
	cr_assert(!got.pool[0] && got.keep_ms == 0 && !got.is_restore);
	order_give(A, &a);
	order_give(B, &b);
	order_of(A, &got);
	cr_assert(strcmp(got.pool, "desk") == 0 && got.keep_ms == 5);
	a.keep_ms = 7;
	order_give(A, &a);
	order_of(A, &got);
	cr_assert_eq(got.keep_ms, 7);
	order_forget(A);
	order_forget(A);
	order_of(A, &got);
	cr_assert_eq(got.keep_ms, 0);
	order_of(B, &got);
	cr_assert_str_eq(got.pool, "lab");
	order_forget(B);
}
