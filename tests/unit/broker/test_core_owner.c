/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Desktops that somebody owns, when they fail. Covers: broker/core/lease.c */
#include "base/err.h"
#include "broker/core/core_priv.h"
#include "tests/unit/broker/core_fixture.h"

#include <criterion/criterion.h>

static struct fixture f;

static void finish(void)
{
	fixture_finish(&f);
}

TestSuite(core_owner, .fini = finish);

static void fail(struct core_desktop *d)
{
	struct core_event tick = { .kind = EVENT_TICK };
	struct core_round c = { .st = &f.st, .ev = &tick, .now = &f.now, .ids = &f.ids, .out = &f.out };
	struct core_reason why;

	reason_set(&why, REASON_MACHINE_DOWN, "it fell", NULL);
	core_out_finish(&f.out);
	desktop_fail(&c, d, &why);
}

/* "Log off" is no "delete": whatever became of the machine, the disk is its owner's. */
Test(core_owner, an_owner_who_is_logged_off_a_failed_desktop_keeps_it)
{
	static const struct {
		enum on_logoff on_logoff;
		enum lifecycle lifecycle;
		const char *task;
	} cases[] = { { ON_LOGOFF_KEEP, LIFECYCLE_FAILED, "" }, { ON_LOGOFF_REFRESH, LIFECYCLE_LIVE, "refresh" } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct core_desktop *d;

		fixture_init(&f, 1, 1, 0);
		fixture_pool(&f)->kind = POOL_DEDICATED;
		fixture_pool(&f)->on_logoff = cases[i].on_logoff;
		fixture_hello(&f, NULL, 0);
		fixture_settle(&f);
		d = fixture_work(&f, "ana");
		fail(d);
		cr_assert_eq(d->x.lease, LEASE_HELD);
		cr_assert_eq(fixture_operate(&f, EVENT_LOGOFF, d->id), 0);
		cr_expect_eq(d->x.lease, LEASE_HELD, "case %zu", i);
		cr_expect_eq(d->x.lifecycle, cases[i].lifecycle, "case %zu: %s", i, lifecycle_text(d->x.lifecycle));
		cr_expect_str_eq(d->t.id[0] ? task_kind_text(d->t.kind) : "", cases[i].task);
		fixture_finish(&f);
	}
	fixture_init(&f, 1, 1, 0);
}

Test(core_owner, one_that_has_failed_under_its_user_is_no_other_s_by_a_restart)
{
	static const enum hygiene states[] = { HYGIENE_DIRTY, HYGIENE_CLEANING };

	for (int i = 0; i < 2; i++) {
		struct core_desktop *d;

		fixture_init(&f, 1, 1, 0);
		fixture_hello(&f, NULL, 0);
		fixture_settle(&f);
		d = fixture_work(&f, "ana");
		fail(d);
		d->x.hygiene = states[i];
		cr_assert_eq(d->x.lease, LEASE_FREE);
		cr_assert_eq(fixture_operate(&f, EVENT_RESTART, d->id), 0);
		cr_expect_eq(d->t.kind, TASK_REFRESH, "%s", task_kind_text(d->t.kind));
		fixture_settle(&f);
		cr_expect(desktop_is_ready(d));
		fixture_finish(&f);
	}
	fixture_init(&f, 1, 1, 0);
}
