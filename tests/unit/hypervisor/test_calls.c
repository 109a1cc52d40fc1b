/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who is told that nobody wants his command any more. */
#include "broker/hypervisor/calls.h"

#include "base/clock.h"

#include <criterion/criterion.h>

Test(calls, a_cancel_reaches_those_of_the_desktop)
{
	struct pst_err err = PST_ERR_INIT;
	struct call a, b, none;
	struct calls l;

	calls_init(&l);
	cr_assert_eq(call_begin(&l, &a, "a", 1000, &err), 0, "%s", err.text);
	cr_assert_eq(call_begin(&l, &b, "b", 1000, &err), 0, "%s", err.text);
	cr_assert_eq(call_begin(&l, &none, "", 1000, &err), 0, "%s", err.text);
	cr_assert_gt(a.end_ms, pst_mono_ms());
	calls_cancel(&l, "c");
	cr_assert(!call_is_cancelled(&a) && !call_is_cancelled(&b));
	calls_cancel(&l, "a");
	calls_cancel(&l, "a");
	cr_assert(call_is_cancelled(&a) && !call_is_cancelled(&b) && !call_is_cancelled(&none));
	call_end(&l, &a);
	calls_cancel(&l, "a");
	calls_cancel(&l, NULL);
	cr_assert(call_is_cancelled(&b) && call_is_cancelled(&none));
	call_end(&l, &b);
	call_end(&l, &none);
	cr_assert_null(l.first);
	calls_finish(&l);
}
