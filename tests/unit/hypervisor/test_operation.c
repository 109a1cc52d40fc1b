/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The broker's words and the driver's slots. */
#include "broker/hypervisor/operation.h"

#include "base/loop.h"
#include "base/mem.h"
#include "broker/hypervisor/fake.h"
#include "tests/unit/hypervisor/contract.h"

#include <criterion/criterion.h>
#include <string.h>

Test(operation, what_it_is_about_is_checked_before_the_driver_is_asked)
{
	static const struct {
		const char *op, *arg;
		int code;
	} cases[] = {
		{ "start", "", 0 }, { "start", "x", PST_EINVAL }, { "snapshot", "", PST_EINVAL }, { "snapshot", "a", 0 },
		{ "resize", "1024,200,0", 0 }, { "resize", "0,0,8192", 0 }, { "resize", "0,0,0", PST_EINVAL },
		{ "resize", "1,2", PST_EINVAL }, { "resize", "1,2,3,4", PST_EINVAL }, { "resize", "-1,2,3", PST_EINVAL },
		{ "resize", "99999999,0,0", PST_EINVAL }, { "resize", "", PST_EINVAL }, { "migrate", "", PST_EINVAL },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct pst_err err = PST_ERR_INIT;
		const struct operation *o = operation_find(cases[i].op);

		cr_assert_not_null(o);
		cr_expect_eq(operation_check(o, cases[i].arg, &err), cases[i].code, "%s \"%s\": %s", cases[i].op, cases[i].arg, err.text);
	}
	cr_expect_null(operation_find("create"));
	cr_expect_null(operation_find("destroy"));
}

Test(operation, each_reaches_its_slot)
{
	static const struct {
		const char *op, *arg;
		int code;
	} steps[] = {
		{ "stop", "", 0 }, { "start", "", 0 }, { "suspend", "", 0 }, { "start", "", 0 }, { "snapshot", "a", 0 },
		{ "revert", "a", 0 }, { "drop", "a", 0 }, { "revert", "a", PST_ENOTFOUND }, { "resize", "0,0,4096", 0 },
		{ "resize", "0,0,64", PST_EINVAL }, { "migrate", "two", 0 }, { "migrate", "nowhere", PST_ENOTFOUND },
	};
	struct driver_params p = { .name = "here", .data = "/", .libexec = "/" };
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;
	struct machine m;
	uv_loop_t loop;

	uv_loop_init(&loop);
	p.loop = &loop;
	struct driver *d = driver_open(&driver_fake, &p, &err);
	contract_request(&r, "/i");
	cr_assert_eq(driver_create(d, &r, &m, &err), 0);
	for (size_t i = 0; i < PST_ARRAY_LEN(steps); i++)
		cr_expect_eq(operation_run(operation_find(steps[i].op), d, r.desktop, steps[i].arg, &err), steps[i].code, "%zu: %s", i,
			err.text);
	driver_close(d);
	pst_loop_drain(&loop);
}
