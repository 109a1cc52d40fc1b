/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * New versions that are worse: what stops them, and what takes them back.
 *
 * Covers: broker/core/judge.c broker/core/timing.c
 */
#include "tests/unit/broker/rollout_fixture.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(judge, .fini = finish);

Test(judge, failures_stop_it_until_an_administrator_goes_on)
{
	world(2, 4, 1);
	plan.failures = 2;
	publish("2", true);
	for (int i = 0; i < 2; i++) {
		cr_assert_not_null(busy(), "failure %d", i);
		fail_task(busy());
	}
	cr_expect(now()->paused);
	cr_expect_str_eq(why(), "rollout_stopped");
	cr_expect_eq(now()->phase, ROLLOUT_ROLLING);
	fixture_tick(&f, FAILED_KEEP_MS);
	fixture_settle(&f);
	fixture_tick(&f, BREAKER_FIRST_MS);
	fixture_settle(&f);
	cr_expect_eq(count("2"), 0, "nothing more is made of it");
	cr_expect_eq(count("1"), 2);
	act(ROLLOUT_CONTINUE);
	cr_expect_eq(now()->failures, 0);
	settle_watching();
	cr_expect_eq(now()->phase, ROLLOUT_DONE);
}

/* A log-on that the gateway gives up before there is a picture. */
static void failed_logon(const char *user)
{
	struct core_event ended = { .kind = EVENT_SESSION_ENDED, .word = "worker", .text = "no picture" };
	char id[CORE_ID_SIZE];

	CORE_COPY(id, fixture_connect(&f, user)->desktop_id);
	cr_assert_eq(fixture_grant(&f, user, id, 0), 0);
	ended.session = state_desktop(&f.st, id)->s.id;
	fixture_run(&f, &ended);
}

Test(judge, log_ons_that_fail_take_it_back)
{
	static const char *const users[] = { "a", "b", "c" };

	world(6, 8, 3);
	plan.canary = 100;
	publish("2", true);
	settle_watching();
	cr_expect_geq(count("2"), 5);
	for (int i = 0; i < 3; i++) {
		cr_expect_eq(now()->phase, ROLLOUT_CANARY);
		failed_logon(users[i]);
	}
	cr_expect_eq(now()->phase, ROLLOUT_REVERTED);
	cr_expect_str_eq(why(), "logons_fail");
	cr_expect_str_eq(fixture_change(&f, CHANGE_VERSION)->code, "failed");
	cr_expect_str_eq(published(), "1");
	settle_watching();
	cr_expect_eq(count("2"), 3, "those whose users are still there");
}

Test(judge, a_version_that_takes_much_longer_is_taken_back_also_when_it_is_everywhere)
{
	for (int i = 0; i < 2; i++) {
		world(3, 6, 0);
		plan.slower = i ? 0 : 200;
		for (int n = 0; n < TIMING_SAMPLES; n++)
			timing_add(&f.st, "image", "1", TIMING_LOGON, 900),
				timing_add(&f.st, "image", "1", TIMING_CREATE, 60000);
		publish("2", true);
		settle_watching();
		cr_assert_eq(now()->phase, ROLLOUT_DONE);
		for (int n = 0; n < 3; n++)
			timing_add(&f.st, "image", "2", TIMING_LOGON, 1900 + n);
		fixture_tick(&f, 1);
		cr_expect_eq(now()->phase, i ? ROLLOUT_DONE : ROLLOUT_REVERTED);
		cr_expect_str_eq(published(), i ? "2" : "1");
		if (i)
			return;
		cr_expect_str_eq(why(), "logons_slower");
		settle_watching();
		cr_expect_eq(count("2"), 0);
		fixture_finish(&f);
	}
}

Test(judge, times_are_judged_by_enough_of_them_and_not_for_ever)
{
	static const struct {
		int old_ms, old_count, new_ms, new_count;
		int64_t later;
		bool reverts;
	} cases[] = {
		{ 2000, 3, 4001, 3, 1, true },
		{ 2000, 3, 4000, 3, 1, false },
		{ 2000, 2, 9000, 3, 1, false },
		{ 2000, 3, 9000, 2, 1, false },
		{ 100, 3, 900, 3, 1, false }, /* nobody is bothered */
		{ 2000, 3, 9000, 3, ROLL_WATCH_MS, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		world(1, 2, 0);
		plan.slower = 200;
		f.st.timing_count = 0;
		publish("2", true);
		settle_watching();
		f.st.timing_count = 0;
		for (int n = 0; n < cases[i].old_count; n++)
			timing_add(&f.st, "image", "1", TIMING_CREATE, cases[i].old_ms);
		for (int n = 0; n < cases[i].new_count; n++)
			timing_add(&f.st, "image", "2", TIMING_CREATE, cases[i].new_ms);
		fixture_tick(&f, cases[i].later);
		cr_expect_eq(now()->phase == ROLLOUT_REVERTED, cases[i].reverts, "case %zu", i);
		if (i + 1 < sizeof(cases) / sizeof(*cases))
			fixture_finish(&f);
	}
}

Test(judge, what_takes_time_is_noted)
{
	struct core_desktop *d;

	fixture_init(&f, 1, 1, 0);
	fixture_hello(&f, NULL, 0);
	f.now.mono_ms += 4000;
	fixture_settle(&f);
	cr_expect_eq(timing_median(&f.st, "image", "1", TIMING_CREATE, 1), 4000);
	cr_expect_eq(timing_median(&f.st, "image", "1", TIMING_LOGON, 1), -1);
	fixture_connect(&f, "ana");
	d = f.st.desktops[0];
	fixture_grant(&f, "ana", d->id, 0);
	f.now.mono_ms += 700;
	struct core_event started = { .kind = EVENT_SESSION_STARTED, .session = d->s.id };
	fixture_run(&f, &started);
	cr_expect_eq(timing_median(&f.st, "image", "1", TIMING_LOGON, 1), 700);
	cr_expect_eq(timing_median(&f.st, "image", "1", TIMING_REFRESH, 1), -1);
	fixture_operate(&f, EVENT_REFRESH, d->id);
	f.now.mono_ms += 300;
	fixture_settle(&f);
	cr_expect_eq(timing_median(&f.st, "image", "1", TIMING_REFRESH, 1), 300,
		"a new disk is not a new machine");
	cr_expect_eq(timing_median(&f.st, "image", "1", TIMING_CREATE, 1), 4000);
	for (int i = 0; i < 3 * TIMING_SAMPLES; i++)
		timing_add(&f.st, "image", "1", TIMING_LOGON, i);
	cr_expect_eq(timing_median(&f.st, "image", "1", TIMING_LOGON, TIMING_SAMPLES),
		2 * TIMING_SAMPLES + TIMING_SAMPLES / 2);
}
