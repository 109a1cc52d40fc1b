/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Versions on their way to the pools: what the core decides in each phase.
 *
 * Covers: broker/core/rollout.c broker/core/rollout_act.c broker/core/rollout_view.c broker/core/verify.c
 * Covers: broker/core/share.c broker/core/renew.c
 */
#include "tests/unit/broker/rollout_fixture.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(rollout, .fini = finish);

/* ---- verify ---- */

Test(rollout, a_new_version_is_tried_on_a_desktop_that_nobody_gets)
{
	struct desktop_view dv;
	struct pool_view pv;
	struct core_desktop *d;

	world(1, 1, 1);
	cr_assert_eq(publish("2", false), 0);
	d = probe();
	cr_assert_not_null(d, "although the pool is at its maximum");
	cr_expect_str_eq(d->image_version, "2");
	cr_expect_str_eq(d->name, "demo-verify-0002");
	cr_expect_eq(now()->phase, ROLLOUT_VERIFY);
	cr_expect_str_eq(why(), "rollout_verify");
	cr_expect_eq(fixture_pool(&f)->total, 1);
	cr_assert(pool_view(&f.st, "pool", f.now.mono_ms, &pv));
	cr_expect_eq(pv.counts.total, 1);
	/* Its task is done, its agent has not come: somebody asks. */
	char task[CORE_ID_SIZE];
	CORE_COPY(task, d->t.id);
	fixture_result(&f, task, true, false);
	desktop_view(&f.st, d, f.now.mono_ms, &dv);
	cr_expect_str_eq(dv.reason.code, "probe");
	cr_expect_not_null(fixture_work(&f, "ana"));
	cr_expect_eq(fixture_connect(&f, "bea")->state, CONNECT_WAITING);
	fixture_agent(&f, d);
	cr_expect_null(probe(), "it has served");
	cr_expect_eq(d->x.lifecycle, LIFECYCLE_DELETING);
	cr_expect_eq(d->a.id[0], '\0');
	cr_expect_eq(now()->phase, ROLLOUT_ROLLING);
	cr_expect_not_null(fixture_change(&f, CHANGE_VERSION));
	cr_expect_str_eq(published(), "1", "until it is everywhere");
}

Test(rollout, a_version_that_cannot_be_made_ends_there_and_changes_nothing)
{
	world(2, 4, 1);
	publish("2", false);
	fail_task(probe());
	cr_expect_eq(now()->phase, ROLLOUT_FAILED);
	cr_expect_str_eq(why(), "verify_failed");
	cr_expect_not_null(strstr(now()->reason.en, "the image is broken"));
	cr_expect_str_eq(fixture_change(&f, CHANGE_VERSION)->code, "failed");
	fixture_settle(&f);
	cr_expect_null(probe());
	cr_expect_eq(count("1"), 2);
	cr_expect_eq(count("2"), 0);
	cr_expect_str_eq(published(), "1");
	/* It may be tried again. */
	cr_expect_eq(publish("2", false), 0);
	cr_expect_eq(now()->phase, ROLLOUT_VERIFY);
}

Test(rollout, an_agent_that_does_not_report_in_time_fails_it)
{
	char task[CORE_ID_SIZE];

	world(1, 2, 0);
	publish("2", false);
	CORE_COPY(task, probe()->t.id);
	fixture_result(&f, task, true, false);
	fixture_tick(&f, AGENT_WAIT_MS - 1);
	cr_expect_eq(now()->phase, ROLLOUT_VERIFY);
	fixture_tick(&f, 1);
	cr_expect_eq(now()->phase, ROLLOUT_FAILED);
	cr_expect_not_null(strstr(now()->reason.en, "did not report"));
}

Test(rollout, an_image_that_says_it_is_not_well_fails_it)
{
	struct core_event enrol = { .kind = EVENT_ENROLLED },
			  unfit = { .kind = EVENT_AGENT_REPORT, .word = "unfit", .text = "no licence" };
	char task[CORE_ID_SIZE];

	world(1, 2, 0);
	publish("2", false);
	CORE_COPY(task, probe()->t.id);
	enrol.desktop = unfit.desktop = probe()->id;
	fixture_run(&f, &enrol);
	fixture_run(&f, &unfit);
	cr_expect_eq(f.out.code, PST_EBUSY, "it has to say so again when its machine is there");
	fixture_result(&f, task, true, false);
	fixture_run(&f, &unfit);
	cr_expect_eq(f.out.code, 0);
	cr_expect_eq(now()->phase, ROLLOUT_FAILED);
	cr_expect_not_null(strstr(now()->reason.en, "no licence"));
}

Test(rollout, a_provider_that_never_answers_fails_it)
{
	world(1, 2, 0);
	publish("2", false);
	fixture_tick(&f, VERIFY_WAIT_MS);
	cr_expect_eq(now()->phase, ROLLOUT_FAILED);
	cr_expect_null(probe());
}

/* Windows gets its name first, and starts twice. */
Test(rollout, an_agent_beside_the_machine_s_own_server_gets_its_time)
{
	struct provider_result res = { .ok = true, .endpoint = "{\"kind\":\"rdp\",\"host\":\"10.0.0.1\",\"port\":3389,\"agent\":true}" };
	struct core_event done = { .kind = EVENT_TASK_RESULT, .result = &res };
	char task[CORE_ID_SIZE];

	world(1, 2, 0);
	publish("2", false);
	CORE_COPY(task, probe()->t.id);
	res.task = task;
	fixture_run(&f, &done);
	cr_assert(probe()->beside);
	fixture_tick(&f, BESIDE_WAIT_MS - 1000);
	cr_assert_not_null(probe());
	cr_expect_eq(now()->phase, ROLLOUT_VERIFY);
	fixture_agent(&f, probe());
	cr_expect_neq(now()->phase, ROLLOUT_VERIFY);
	cr_expect_neq(now()->phase, ROLLOUT_FAILED);
}

Test(rollout, a_machine_that_vanishes_is_tried_again_three_times)
{
	world(1, 2, 0);
	publish("2", false);
	for (int i = 0; i < VERIFY_TRIES; i++) {
		struct core_desktop *d = probe();
		char task[CORE_ID_SIZE];

		cr_assert_not_null(d, "try %d", i);
		fixture_operate(&f, EVENT_DELETE, d->id);
		CORE_COPY(task, d->t.id);
		fixture_result(&f, task, true, false);
	}
	fixture_tick(&f, 1);
	cr_expect_eq(now()->phase, ROLLOUT_FAILED);
}

Test(rollout, a_full_host_gives_up_a_free_desktop_for_the_trial)
{
	world(2, 2, 1);
	f.st.providers[0].capacity = 2;
	publish("2", false);
	cr_expect_null(probe());
	cr_expect_str_eq(why(), "host_full");
	cr_expect_eq(fixture_count(&f, LIFECYCLE_DELETING), 1);
	fixture_tick(&f, 1000);
	cr_expect_eq(fixture_count(&f, LIFECYCLE_DELETING), 1, "one is enough");
	char task[CORE_ID_SIZE];
	CORE_COPY(task, busy()->t.id);
	fixture_result(&f, task, true, false);
	cr_expect_not_null(probe(), "the place is not the pool's");
	cr_expect_geq(settle_watching(), 0);
	cr_expect_eq(now()->phase, ROLLOUT_DONE);
	cr_expect_eq(count("2"), 2);
}

Test(rollout, a_full_host_where_everybody_works_is_waited_for_with_its_reason)
{
	world(1, 1, 0);
	f.st.providers[0].capacity = 1;
	cr_assert_not_null(fixture_work(&f, "ana"));
	publish("2", false);
	fixture_tick(&f, 1000);
	cr_expect_null(probe());
	cr_expect_str_eq(why(), "host_full");
	cr_expect_eq(f.st.desktops[0]->x.session, SESSION_CONNECTED);
	f.st.providers[0].capacity = 2;
	fixture_tick(&f, 1000);
	cr_expect_not_null(probe());
}

Test(rollout, what_nobody_uses_is_published_at_once)
{
	world(0, 1, 0);
	CORE_COPY(fixture_pool(&f)->image_version, "1");
	publish("2", false);
	cr_expect_eq(now()->phase, ROLLOUT_DONE);
	cr_expect_str_eq(published(), "2");
	cr_expect_not_null(fixture_change(&f, CHANGE_PUBLISHED));
}

Test(rollout, the_first_version_of_an_image_is_tried_too)
{
	plan = (struct rollout_plan){ .canary = 10, .unavailable = 1, .failures = 3, .samples = 3 };
	fixture_init(&f, 1, 1, 0);
	f.st.images[0].published[0] = '\0';
	fixture_hello(&f, NULL, 0);
	cr_expect_eq(f.st.desktop_count, 0);
	publish("1", false);
	cr_expect_eq(count("1"), 0);
	fixture_settle(&f);
	cr_expect_eq(now()->phase, ROLLOUT_DONE, "there is nothing to compare it with");
	cr_expect_str_eq(published(), "1");
	fixture_settle(&f);
	cr_expect_eq(count("1"), 1);
}

/* ---- canaries ---- */

Test(rollout, a_share_of_each_pool_gets_it_first_one_at_least)
{
	static const struct {
		int canary, size, want;
	} cases[] = { { 1, 4, 1 }, { 10, 10, 1 }, { 25, 8, 2 }, { 50, 5, 3 }, { 100, 4, 4 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		world(cases[i].size, 20, 0);
		plan.canary = cases[i].canary;
		publish("2", true);
		cr_expect_eq(now()->phase, ROLLOUT_CANARY);
		settle_watching();
		cr_expect_leq(count("2"), cases[i].want, "case %zu: %d", i, count("2"));
		cr_expect_geq(count("2"), 1, "case %zu", i);
		cr_expect_str_eq(why(), "rollout_canary");
		cr_expect_str_eq(published(), "1");
		if (i + 1 < sizeof(cases) / sizeof(*cases))
			fixture_finish(&f);
	}
}

Test(rollout, canaries_end_after_a_time_or_when_an_administrator_goes_on)
{
	world(4, 8, 0);
	plan.canary = 25;
	plan.canary_s = 60;
	publish("2", true);
	settle_watching();
	cr_expect_eq(now()->phase, ROLLOUT_CANARY);
	fixture_tick(&f, 60000);
	cr_expect_eq(now()->phase, ROLLOUT_ROLLING);
	act(ROLLOUT_REVERT);
	plan.canary_s = 0;
	publish("2", true);
	fixture_tick(&f, 1000000);
	cr_expect_eq(now()->phase, ROLLOUT_CANARY);
	cr_expect_eq(act(ROLLOUT_CONTINUE), 0);
	cr_expect_eq(now()->phase, ROLLOUT_ROLLING);
}

Test(rollout, a_refresh_counts_as_a_canary)
{
	struct core_desktop *d;

	world(1, 1, 0);
	d = fixture_work(&f, "ana");
	plan.canary = 10;
	publish("2", true);
	fixture_operate(&f, EVENT_REFRESH, d->id);
	cr_expect_str_eq(d->image_version, "2");
	cr_expect_eq(d->t.kind, TASK_REFRESH);
	/* Its owner is gone; of two, the second refresh keeps the old version. */
	fixture_settle(&f);
	fixture_pool(&f)->max = fixture_pool(&f)->min = 2;
	fixture_tick(&f, 1000);
	fixture_settle(&f);
	cr_expect_eq(count("1"), 1);
	cr_expect_eq(count("2"), 1);
}

/* ---- rolling ---- */

Test(rollout, users_keep_their_spare_desktops_while_it_rolls)
{
	static const struct {
		int min, max, spare, unavailable, fewest;
	} cases[] = {
		{ 4, 8, 4, 1, 4 },
		{ 4, 4, 2, 1, 3 },
		{ 4, 8, 4, 3, 4 },
		{ 4, 4, 4, 1, 3 },
		{ 6, 6, 2, 3, 3 },
		{ 1, 1, 1, 1, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		world(cases[i].min, cases[i].max, cases[i].spare);
		plan.unavailable = cases[i].unavailable;
		publish("2", true);
		cr_expect_geq(settle_watching(), cases[i].fewest, "case %zu", i);
		cr_expect_eq(count("1"), 0, "case %zu: %d left", i, count("1"));
		cr_expect_eq(count("2"), cases[i].min, "case %zu: %d", i, count("2"));
		cr_expect_eq(now()->phase, ROLLOUT_DONE, "case %zu", i);
		cr_expect_str_eq(published(), "2");
		cr_expect_str_eq(why(), "rollout_done");
		if (i + 1 < sizeof(cases) / sizeof(*cases))
			fixture_finish(&f);
	}
}

Test(rollout, it_waits_for_those_who_work)
{
	struct core_desktop *d;
	struct rollout_view v;

	world(1, 2, 0);
	d = fixture_work(&f, "ana");
	publish("2", true);
	settle_watching();
	cr_expect_eq(now()->phase, ROLLOUT_ROLLING);
	cr_assert(rollout_view(&f.st, "image", &v));
	cr_expect_eq(v.in_use, 1);
	cr_expect_eq(d->x.session, SESSION_CONNECTED);
	fixture_tick(&f, 86400000);
	cr_expect_eq(d->x.session, SESSION_CONNECTED);
	fixture_operate(&f, EVENT_LOGOFF, d->id);
	fixture_tick(&f, LOGOFF_WAIT_MS);
	settle_watching();
	cr_expect_eq(now()->phase, ROLLOUT_DONE);
	cr_expect_eq(count("1"), 0);
}

Test(rollout, at_the_time_given_users_are_told_and_logged_off_five_minutes_later)
{
	const struct core_command *cmd;
	struct core_desktop *d;

	world(1, 2, 0);
	d = fixture_work(&f, "ana");
	plan.force_wall = f.now.wall_ms + 3600000;
	publish("2", true);
	fixture_tick(&f, 3600000 - ROLL_NOTICE_MS - 1);
	cr_expect_null(fixture_command(&f, COMMAND_AGENT));
	cr_expect_leq(f.out.wake_ms, f.now.mono_ms + 1);
	fixture_tick(&f, 1);
	cmd = fixture_command(&f, COMMAND_AGENT);
	cr_assert_not_null(cmd);
	cr_expect_eq(cmd->tell, AGENT_TELL_MESSAGE);
	cr_expect_str_eq(cmd->reason.code, "version_notice");
	cr_expect_not_null(strstr(cmd->reason.en, "5 minutes"));
	fixture_tick(&f, ROLL_NOTICE_MS - 1);
	cr_expect_eq(d->x.session, SESSION_CONNECTED);
	fixture_tick(&f, 1);
	cr_expect_eq(d->x.lease, LEASE_ENDING);
	cr_expect_str_eq(fixture_change(&f, CHANGE_SESSION_END)->code, "new_version");
}

Test(rollout, who_was_told_before_a_pause_is_told_again)
{
	struct core_desktop *d;

	world(1, 2, 0);
	d = fixture_work(&f, "ana");
	plan.force_wall = f.now.wall_ms;
	publish("2", true);
	cr_expect_gt(d->due.roll_ms, f.now.mono_ms);
	act(ROLLOUT_PAUSE);
	fixture_tick(&f, ROLL_NOTICE_MS);
	cr_expect_eq(d->x.session, SESSION_CONNECTED);
	cr_expect(f.out.wake_ms > f.now.mono_ms, "a deadline that has passed wakes nobody");
	act(ROLLOUT_CONTINUE);
	cr_expect_eq(fixture_command(&f, COMMAND_AGENT)->tell, AGENT_TELL_MESSAGE);
	cr_expect_eq(d->x.session, SESSION_CONNECTED);
	/* The same from a broker that has just started: nobody is logged off without notice. */
	d->due.roll_ms = 0;
	core_state_resume(&f.st, &f.now);
	fixture_tick(&f, 1);
	cr_expect_eq(d->x.session, SESSION_CONNECTED);
	cr_expect_eq(d->due.roll_ms, f.now.mono_ms + ROLL_NOTICE_MS);
}

Test(rollout, disks_that_their_users_keep_are_left_alone_unless_asked_for)
{
	for (int kept = 0; kept < 2; kept++) {
		struct core_desktop *d;

		world(1, 1, 0);
		fixture_pool(&f)->kind = POOL_DEDICATED;
		fixture_pool(&f)->on_logoff = ON_LOGOFF_KEEP;
		d = fixture_work(&f, "ana");
		fixture_operate(&f, EVENT_LOGOFF, d->id);
		fixture_tick(&f, LOGOFF_WAIT_MS);
		cr_assert_eq(d->x.lease, LEASE_HELD);
		plan.kept = kept;
		publish("2", true);
		cr_expect_str_eq(d->image_version, kept ? "2" : "1");
		settle_watching();
		cr_expect_eq(now()->phase, ROLLOUT_DONE);
		cr_expect_eq(d->x.lease, LEASE_HELD, "it is still hers");
		if (!kept)
			fixture_finish(&f);
	}
}

/* ---- administrators ---- */

Test(rollout, a_pause_makes_nothing_more_of_the_new_version)
{
	world(2, 4, 1);
	publish("2", true);
	act(ROLLOUT_PAUSE);
	cr_expect_str_eq(why(), "rollout_paused");
	settle_watching();
	int made = count("2");
	cr_expect_leq(made, 1);
	fixture_pool(&f)->min = 4;
	fixture_tick(&f, 1000);
	settle_watching();
	cr_expect_eq(count("2"), made);
	cr_expect_eq(act(ROLLOUT_CONTINUE), 0);
	settle_watching();
	cr_expect_eq(now()->phase, ROLLOUT_DONE);
	cr_expect_eq(act(ROLLOUT_PAUSE), PST_ECONFLICT);
}

Test(rollout, it_is_taken_back_at_any_time_and_nothing_more_is_made)
{
	for (int phase = 0; phase < 4; phase++) {
		world(3, 6, 1);
		plan.canary = phase == 1 ? 30 : 0;
		publish("2", phase != 0);
		if (phase == 3)
			settle_watching();
		cr_expect_eq(act(ROLLOUT_REVERT), 0, "phase %d", phase);
		cr_expect_eq(now()->phase, ROLLOUT_REVERTED);
		cr_expect_str_eq(published(), "1");
		cr_expect_str_eq(why(), "taken_back");
		for (size_t i = 0; i < f.st.desktop_count; i++)
			cr_expect(f.st.desktops[i]->x.lifecycle != LIFECYCLE_CREATING ||
				  strcmp(f.st.desktops[i]->image_version, "2") != 0);
		settle_watching();
		cr_expect_eq(count("2"), 0, "phase %d", phase);
		cr_expect_eq(count("1"), 3, "phase %d: %d", phase, count("1"));
		cr_expect_null(probe());
		if (phase < 3)
			fixture_finish(&f);
	}
}

Test(rollout, a_refresh_that_has_not_begun_goes_back_too)
{
	struct core_desktop *d;

	world(1, 1, 0);
	fixture_pool(&f)->kind = POOL_DEDICATED;
	d = fixture_work(&f, "ana");
	publish("2", true);
	f.st.provisioner = false;
	fixture_operate(&f, EVENT_REFRESH, d->id);
	cr_assert_str_eq(d->image_version, "2");
	cr_assert_eq(d->t.attempts, 0);
	act(ROLLOUT_REVERT);
	cr_expect_str_eq(d->image_version, "1");
	cr_expect_eq(d->t.kind, TASK_REFRESH);
}

Test(rollout, one_version_at_a_time)
{
	world(2, 4, 0);
	publish("2", true);
	cr_expect_eq(publish("3", true), PST_ECONFLICT);
	cr_expect_str_eq(f.out.refusal.code, "rollout_live");
	plan.force_wall = f.now.wall_ms + 1000;
	cr_expect_eq(publish("2", true), 0, "the same again changes its plan");
	cr_expect_eq(now()->plan.force_wall, plan.force_wall);
	cr_expect_eq(publish("1", true), 0, "the one before takes it back");
	cr_expect_eq(now()->phase, ROLLOUT_REVERTED);
	cr_expect_eq(publish("1", true), 0, "it is published already");
	cr_expect_eq(now()->phase, ROLLOUT_REVERTED);
	struct core_rollout wish = { .image_id = "none", .version = "1" };
	struct core_event ev = { .kind = EVENT_PUBLISH, .rollout = &wish };
	fixture_run(&f, &ev);
	cr_expect_eq(f.out.code, PST_ENOTFOUND);
}

Test(rollout, there_is_no_way_back_to_a_version_that_is_no_more)
{
	struct core_event ev = { .kind = EVENT_ROLLOUT, .word = "image", .act = ROLLOUT_FORGET, .text = "1" };

	world(0, 2, 0);
	publish("2", true);
	cr_assert_eq(now()->phase, ROLLOUT_DONE);
	ev.text = "7";
	fixture_run(&f, &ev);
	cr_expect_str_eq(now()->previous, "1");
	ev.text = "1";
	fixture_run(&f, &ev);
	cr_expect_str_eq(now()->previous, "");
	cr_expect_eq(act(ROLLOUT_REVERT), PST_ECONFLICT);
	cr_expect_str_eq(published(), "2");
}

Test(rollout, a_round_that_is_undone_leaves_no_trace)
{
	struct core_rollout wish = {
		.image_id = "image", .version = "2", .plan = { .unavailable = 1, .failures = 1, .samples = 1 }
	};
	struct core_event ev = { .kind = EVENT_PUBLISH, .rollout = &wish, .on = true };

	world(0, 2, 0);
	core_out_finish(&f.out);
	reconcile(&f.st, &ev, &f.now, &f.ids, &f.out);
	cr_assert_not_null(now());
	cr_expect_str_eq(published(), "2", "there was nothing to replace");
	core_undo(&f.st, &f.out);
	cr_expect_null(now());
	cr_expect_str_eq(published(), "1");
}
