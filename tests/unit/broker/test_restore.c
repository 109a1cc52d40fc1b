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

static struct core_desktop *back(void)
{
	cr_assert_eq(restore(GONE, ANA), 0);
	cr_assert_not_null(state_desktop(&f.st, GONE));
	return state_desktop(&f.st, GONE);
}

static void answer(struct core_desktop *d, bool ok)
{
	char task[CORE_ID_SIZE];

	CORE_COPY(task, d->t.id);
	fixture_result(&f, task, ok, false);
}

static bool is_coming_back(const struct core_desktop *d)
{
	return d->x.lifecycle == LIFECYCLE_CREATING && d->t.kind == TASK_CREATE && !strcmp(d->t.arg, TASK_ARG_RESTORE);
}

/* What is made of a version that is taken back is made of the one before; what comes back has the disk that it had. */
Test(restore, a_version_that_is_taken_back_takes_no_users_disk_with_it)
{
	struct core_rollout wish = { .plan = { .unavailable = 1, .failures = 3 } };
	struct core_event ev = { .kind = EVENT_PUBLISH, .rollout = &wish, .on = true };
	struct core_event revert = { .kind = EVENT_ROLLOUT, .word = "image", .act = ROLLOUT_REVERT };
	struct core_desktop *d;

	CORE_COPY(f.st.images[0].published, "0");
	CORE_COPY(wish.image_id, "image");
	CORE_COPY(wish.version, "1");
	d = back();
	fixture_run(&f, &ev);
	cr_assert_eq(f.st.rollouts[0].phase, ROLLOUT_DONE, "its desktops are of it already");
	fixture_run(&f, &revert);
	cr_assert_eq(f.st.rollouts[0].phase, ROLLOUT_REVERTED);
	cr_expect(is_coming_back(d), "it is %s", lifecycle_text(d->x.lifecycle));
}

Test(restore, whoever_loses_his_right_meanwhile_leaves_no_desktop_behind)
{
	struct core_event ev = { .kind = EVENT_USER_REVOKED, .user_id = ANA };
	struct core_desktop *d = back();

	fixture_run(&f, &ev);
	cr_expect_eq(d->x.lease, LEASE_FREE);
	cr_expect_eq(d->t.kind, TASK_DESTROY);
	fixture_settle(&f);
	cr_expect_null(state_desktop(&f.st, GONE));
}

Test(restore, nobody_can_be_logged_off_while_it_is_on_its_way)
{
	struct core_desktop *d = back();

	cr_expect_eq(fixture_operate(&f, EVENT_LOGOFF, GONE), PST_ECONFLICT);
	cr_expect(is_coming_back(d));
}

Test(restore, one_that_could_not_be_made_is_made_again_and_not_restarted)
{
	struct core_desktop *d = back();

	answer(d, false);
	cr_assert_eq(d->x.lifecycle, LIFECYCLE_FAILED);
	cr_assert_eq(d->x.lease, LEASE_HELD);
	cr_assert_eq(fixture_operate(&f, EVENT_RESTART, GONE), 0);
	cr_expect(is_coming_back(d), "%s %s", lifecycle_text(d->x.lifecycle), task_kind_text(d->t.kind));
	fixture_finish_task(&f, d);
	cr_expect(d->x.lifecycle == LIFECYCLE_LIVE && d->x.hygiene == HYGIENE_DIRTY);
	cr_assert_eq(fixture_operate(&f, EVENT_RESTART, GONE), 0);
	cr_expect_eq(d->t.kind, TASK_RESTART);
}

Test(restore, its_failures_are_no_fault_of_the_version)
{
	for (int i = 0; i < BREAKER_FAILURES; i++) {
		struct core_desktop *d = back();

		answer(d, false);
		cr_assert_eq(fixture_operate(&f, EVENT_DELETE, GONE), 0);
		fixture_settle(&f);
		cr_assert_null(state_desktop(&f.st, GONE));
	}
	cr_expect_eq(f.st.breaker_count, 0);
}

/* Two lists had its machine after it was deleted; so many of them that an administrator has to look. */
Test(restore, what_was_nobodys_is_somebodys_again)
{
	struct core_event allow = { .kind = EVENT_REAP_ALLOW };
	struct core_orphan *o = state_add_orphan(&f.st, GONE);
	struct core_desktop *d;

	o->sightings = 2;
	d = back();
	fixture_run(&f, &allow);
	cr_expect_null(fixture_command(&f, COMMAND_PROVISION), "it is destroyed as nobody's");
	cr_expect(is_coming_back(d));
	fixture_finish(&f);
	make();
	o = state_add_orphan(&f.st, GONE);
	CORE_COPY(o->t.id, "00000000-0000-4000-8000-0000000000aa");
	cr_expect_eq(restore(GONE, ANA), PST_ECONFLICT, "its machine is being removed");
	cr_expect_null(state_desktop(&f.st, GONE));
}

/* In a pool whose users have their own disks, one that nobody has claimed is given back; this one waits for its user. */
Test(restore, it_waits_for_its_user_also_where_he_has_a_disk_of_his_own)
{
	struct core_desktop *d;

	fixture_pool(&f)->kind = POOL_FLOATING;
	fixture_pool(&f)->on_logoff = ON_LOGOFF_REFRESH;
	fixture_pool(&f)->personal_mb = 64;
	d = back();
	fixture_finish_task(&f, d);
	cr_assert_eq(d->t.kind, TASK_ATTACH);
	answer(d, true);
	for (int restarted = 0; restarted < 2; restarted++) {
		struct core_event mounted = { .kind = EVENT_AGENT_REPORT, .desktop = GONE, .word = "mounted" };

		fixture_run(&f, &mounted);
		if (restarted) {
			core_state_resume(&f.st, &f.now);
			d->x.agent = AGENT_READY;
		}
		fixture_tick(&f, CLAIM_WAIT_MS + 1);
		cr_expect_eq(d->x.lease, LEASE_HELD);
		cr_expect_eq(d->personal.phase, PERSONAL_MOUNTED);
	}
}

/* An owner's desktop with his work on it is no vacant one, whatever version is on its way. */
Test(restore, a_version_on_its_way_waits_for_its_user)
{
	struct core_rollout wish = { .plan = { .unavailable = 1, .failures = 3 } };
	struct core_event ev = { .kind = EVENT_PUBLISH, .rollout = &wish, .on = true };
	struct core_desktop *d;

	fixture_pool(&f)->on_logoff = ON_LOGOFF_REFRESH;
	d = back();
	fixture_finish_task(&f, d);
	CORE_COPY(wish.image_id, "image");
	CORE_COPY(wish.version, "2");
	fixture_run(&f, &ev);
	cr_assert_eq(f.st.rollouts[0].phase, ROLLOUT_ROLLING);
	cr_expect_eq(d->t.id[0], '\0', "%s", task_kind_text(d->t.kind));
	cr_expect_eq(d->x.hygiene, HYGIENE_DIRTY);
	fixture_operate(&f, EVENT_LOGOFF, GONE);
	fixture_tick(&f, LOGOFF_WAIT_MS + 1);
	cr_expect_eq(d->t.kind, TASK_REFRESH, "he has logged off");
	cr_expect_str_eq(d->image_version, "2");
}
