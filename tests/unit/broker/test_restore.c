/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A deleted desktop comes back, dirty and for one user only. */
#include "broker/core/core_priv.h"
#include "tests/unit/broker/core_fixture.h"

#include <criterion/criterion.h>
#include <string.h>

#define GONE "40000000-0000-4000-8000-000000000001"
#define ANA "50000000-0000-4000-8000-000000000001"

static struct fixture f;

static void make(void)
{
	fixture_init(&f, 0, 2, 0);
	fixture_pool(&f)->kind = POOL_DEDICATED;
	fixture_pool(&f)->on_logoff = ON_LOGOFF_KEEP;
	fixture_hello(&f, NULL, 0);
}

static void finish(void)
{
	fixture_finish(&f);
}

TestSuite(restore, .init = make, .fini = finish);

static int restore(const char *desktop, const char *user)
{
	const struct core_pool *p = fixture_pool(&f);
	struct core_restored was = { "demo-0007", p->provider_id, p->image_id, "1", 41 };
	struct core_event ev = { .kind = EVENT_RESTORE, .desktop = desktop, .pool = p->id, .user_id = user, .user_name = "ana", .restored = &was };

	fixture_run(&f, &ev);
	return f.out.code;
}

Test(restore, it_is_made_from_the_bin_for_its_user_and_stays_dirty)
{
	struct core_desktop *d;
	const struct core_command *cmd;

	cr_assert_eq(restore(GONE, ANA), 0);
	d = state_desktop(&f.st, GONE);
	cr_assert(d);
	cr_expect_str_eq(d->name, "demo-0007");
	cr_expect_str_eq(d->a.user_id, ANA);
	cr_expect(d->x.lease == LEASE_HELD && d->x.hygiene == HYGIENE_DIRTY && d->x.lifecycle == LIFECYCLE_CREATING);
	cr_expect_gt(d->epoch, 41, "no earlier grant is good any more");
	cmd = fixture_command(&f, COMMAND_PROVISION);
	cr_assert(cmd);
	cr_expect(cmd->t.kind == TASK_CREATE && strcmp(cmd->t.arg, TASK_ARG_RESTORE) == 0);
	fixture_finish_task(&f, d);
	cr_expect(d->x.lifecycle == LIFECYCLE_LIVE && d->x.hygiene == HYGIENE_DIRTY, "its disk was used, and is no new one");
	fixture_tick(&f, CLAIM_WAIT_MS + 1);
	d = state_desktop(&f.st, GONE);
	cr_assert(d);
	cr_expect_eq(d->x.lease, LEASE_HELD, "nobody has to come for it at once");
}

Test(restore, nobody_gets_a_second_one)
{
	cr_assert_eq(restore(GONE, ANA), 0);
	cr_expect_eq(restore(GONE, ANA), PST_ECONFLICT, "it is there");
	cr_expect_eq(restore("40000000-0000-4000-8000-000000000002", ANA), PST_ECONFLICT, "she has one");
	cr_expect_str_eq(f.out.refusal.code, "has_desktop");
	fixture_pool(&f)->deleting = true;
	cr_expect_eq(restore("40000000-0000-4000-8000-000000000003", "50000000-0000-4000-8000-000000000002"), PST_ENOTFOUND);
}

Test(restore, one_that_cannot_come_back_says_why_and_is_nobody_elses)
{
	struct core_desktop *d;

	cr_assert_eq(restore(GONE, ANA), 0);
	d = state_desktop(&f.st, GONE);
	fixture_result(&f, fixture_command(&f, COMMAND_PROVISION)->t.id, false, false);
	cr_expect(d->x.lifecycle == LIFECYCLE_FAILED && d->x.lease == LEASE_HELD);
	cr_expect_neq(d->reason.en[0], '\0');
}
