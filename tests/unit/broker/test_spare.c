/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The second tier of spare desktops. Covers: broker/core/spare.c */
#include "broker/core/core_priv.h"
#include "tests/unit/broker/core_fixture.h"

#include <criterion/criterion.h>
#include <string.h>

static struct fixture f;

static void finish(void)
{
	fixture_finish(&f);
}

TestSuite(spare, .fini = finish);

static int sleeping(void)
{
	int n = 0;

	for (size_t i = 0; i < f.st.desktop_count; i++)
		n += desktop_sleeps(f.st.desktops[i]) && !f.st.desktops[i]->t.id[0] && f.st.desktops[i]->x.power == POWER_OFF;
	return n;
}

static int ready(void)
{
	int n = 0;

	for (size_t i = 0; i < f.st.desktop_count; i++)
		n += desktop_is_ready(f.st.desktops[i]);
	return n;
}

static int doing(enum task_kind kind)
{
	int n = 0;

	for (size_t i = 0; i < f.st.desktop_count; i++)
		n += f.st.desktops[i]->t.id[0] && f.st.desktops[i]->t.kind == kind;
	return n;
}

static struct core_desktop *with(enum task_kind kind)
{
	for (size_t i = 0; i < f.st.desktop_count; i++)
		if (f.st.desktops[i]->t.id[0] && f.st.desktops[i]->t.kind == kind)
			return f.st.desktops[i];
	return NULL;
}

static struct core_desktop *sleeper(void)
{
	for (size_t i = 0; i < f.st.desktop_count; i++)
		if (desktop_sleeps(f.st.desktops[i]))
			return f.st.desktops[i];
	return NULL;
}

static void answer(struct core_desktop *d, bool ok, bool retryable)
{
	char task[CORE_ID_SIZE];

	CORE_COPY(task, d->t.id);
	fixture_result(&f, task, ok, retryable);
}

static void world(int max, int spare, int suspended)
{
	fixture_init(&f, 0, max, spare);
	fixture_pool(&f)->tier.want = suspended;
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
}

static void report(const char *state)
{
	struct machine_report m[32];
	struct core_event ev = { .kind = EVENT_INVENTORY, .machines = m, .machine_count = f.st.desktop_count };

	for (size_t i = 0; i < f.st.desktop_count; i++)
		m[i] = (struct machine_report){ .desktop = f.st.desktops[i]->id, .state = f.st.desktops[i]->x.power == POWER_OFF ? state : "running",
			                        .reason = "the host" };
	fixture_run(&f, &ev);
}

static const char *state_of(const struct core_desktop *d)
{
	struct desktop_view v;

	desktop_view(&f.st, d, f.now.mono_ms, &v);
	cr_expect_neq(v.reason.es[0], '\0');
	return v.state;
}

static const char *tier_why(void)
{
	static struct pool_view v;

	cr_assert(pool_view(&f.st, "pool", f.now.mono_ms, &v));
	return v.tier.code;
}

static void reload(void)
{
	core_state_resume(&f.st, &f.now);
}

Test(spare, those_beyond_the_first_tier_are_made_seen_ready_and_suspended)
{
	struct pool_view v;

	world(8, 1, 3);
	cr_expect_eq(ready(), 1);
	cr_expect_eq(sleeping(), 3);
	cr_expect_eq(f.st.desktop_count, 4);
	cr_expect_str_eq(state_of(sleeper()), "suspended");
	cr_assert(pool_view(&f.st, "pool", f.now.mono_ms, &v));
	cr_expect_eq(v.counts.suspended, 3);
	cr_expect_eq(v.counts.ready, 1);
	cr_expect_eq(v.counts.starting, 0);
	cr_expect_str_eq(v.tier.code, "");
	fixture_tick(&f, SURPLUS_MS);
	fixture_tick(&f, SURPLUS_MS);
	cr_expect_eq(doing(TASK_DESTROY), 0, "they are not too many");
}

Test(spare, the_first_tier_alone_fills_a_small_pool)
{
	world(3, 2, 5);
	cr_expect_eq(ready(), 2);
	cr_expect_eq(sleeping(), 1, "the pool's maximum holds");
	cr_expect_str_eq(tier_why(), "");
}

Test(spare, who_comes_is_served_by_resuming_and_only_then_by_making)
{
	struct core_desktop *d;

	world(8, 0, 2);
	cr_expect_eq(sleeping(), 2);
	cr_expect_eq(fixture_connect(&f, "ana")->state, CONNECT_WAITING);
	cr_expect_str_eq(f.out.answer.reason.code, "resuming");
	cr_expect_eq(f.out.answer.stage, STAGE_START);
	cr_expect_eq(doing(TASK_START), 1);
	cr_expect_eq(doing(TASK_CREATE), 0, "the tier is filled up when nobody waits");
	d = with(TASK_START);
	cr_expect_str_eq(state_of(d), "starting");
	answer(d, true, false);
	cr_expect_eq(fixture_connect(&f, "ana")->state, CONNECT_WAITING, "its agent has not answered");
	cr_expect_eq(d->x.lease, LEASE_FREE);
	fixture_agent(&f, d);
	cr_expect_eq(d->x.lease, LEASE_HELD);
	cr_expect_eq(d->x.sleep, SLEEP_AWAKE);
	cr_expect_eq(fixture_connect(&f, "ana")->state, CONNECT_READY);
	cr_expect_eq(doing(TASK_CREATE), 1);
	fixture_settle(&f);
	cr_expect_eq(sleeping(), 2);
	fixture_connect(&f, "bob");
	fixture_connect(&f, "eva");
	fixture_connect(&f, "leo");
	cr_expect_eq(doing(TASK_START), 2);
	cr_expect_eq(doing(TASK_CREATE), 1);
}

Test(spare, the_first_tier_is_filled_by_resuming)
{
	world(8, 1, 2);
	cr_expect_eq(fixture_connect(&f, "ana")->state, CONNECT_READY);
	cr_expect_eq(doing(TASK_START), 1);
	cr_expect_eq(doing(TASK_CREATE), 1, "for the tier");
	fixture_settle(&f);
	cr_expect_eq(ready(), 1);
	cr_expect_eq(sleeping(), 2);
}

Test(spare, an_agent_that_answers_before_the_host_does_counts_when_the_host_has)
{
	struct core_desktop *d;

	world(4, 0, 1);
	fixture_connect(&f, "ana");
	d = with(TASK_START);
	fixture_agent(&f, d);
	cr_expect_eq(d->x.lease, LEASE_FREE);
	answer(d, true, false);
	cr_expect_eq(d->x.lease, LEASE_HELD);
	cr_expect_eq(d->x.sleep, SLEEP_AWAKE);
}

Test(spare, a_greeting_out_of_sleep_makes_nothing_ready)
{
	struct core_desktop *d;

	world(4, 0, 1);
	d = sleeper();
	fixture_agent(&f, d);
	cr_expect(!desktop_is_ready(d));
	cr_expect_leq(f.st.inventory_ms, f.now.mono_ms + INVENTORY_SOON_MS, "a list is to tell");
	fixture_connect(&f, "ana");
	cr_expect_eq(d->x.lease, LEASE_FREE);
	cr_expect_eq(d->t.kind, TASK_START);
	cr_expect_neq(d->x.agent, AGENT_READY, "what it said before does not count");
	answer(d, true, false);
	cr_expect_eq(d->x.lease, LEASE_FREE);
	fixture_agent(&f, d);
	cr_expect_eq(d->x.lease, LEASE_HELD);
}

Test(spare, what_cannot_be_suspended_stays_ready_and_the_reason_is_told)
{
	struct core_desktop *d;

	fixture_init(&f, 0, 4, 0);
	fixture_pool(&f)->tier.want = 1;
	fixture_hello(&f, NULL, 0);
	fixture_finish_task(&f, with(TASK_CREATE));
	d = with(TASK_SUSPEND);
	cr_assert_not_null(d);
	answer(d, false, false);
	cr_expect_eq(d->x.sleep, SLEEP_AWAKE);
	cr_expect(!desktop_is_ready(d), "perhaps it is suspended after all");
	cr_expect_eq(fixture_command(&f, COMMAND_AGENT)->tell, AGENT_TELL_HELLO);
	fixture_agent(&f, d);
	cr_expect(!desktop_is_ready(d), "its host has to say that it runs, too");
	cr_expect_leq(f.st.inventory_ms, f.now.mono_ms + INVENTORY_SOON_MS);
	report("running");
	cr_expect(desktop_is_ready(d));
	cr_expect_str_eq(tier_why(), "tier_not_suspended");
	cr_expect_not_null(strstr(fixture_pool(&f)->tier.why.en, "the image is broken"));
	cr_expect_eq(doing(TASK_SUSPEND) + doing(TASK_CREATE), 0);
	fixture_tick(&f, TIER_RETRY_MS);
	cr_expect_eq(doing(TASK_SUSPEND), 1);
	answer(d, false, false);
	fixture_agent(&f, d);
	report("running");
	fixture_tick(&f, TIER_RETRY_MS);
	cr_expect_eq(doing(TASK_SUSPEND), 0, "twice as long");
	fixture_tick(&f, TIER_RETRY_MS);
	answer(d, true, false);
	cr_expect_eq(sleeping(), 1);
	cr_expect_str_eq(tier_why(), "");
}

Test(spare, what_does_not_come_back_gets_a_new_disk)
{
	static const char *const how[] = { "refused", "silent", "stopped", "hangs" };

	for (int i = 0; i < 4; i++) {
		struct core_desktop *d;

		world(4, 0, 2);
		fixture_connect(&f, "ana");
		d = with(TASK_START);
		cr_assert_not_null(d, "%s", how[i]);
		if (i == 0) {
			answer(d, false, false);
		} else if (i == 1) {
			answer(d, true, false);
			fixture_tick(&f, WAKE_WAIT_MS - 1);
			cr_expect_eq(d->x.sleep, SLEEP_RESUMING);
			fixture_connect(&f, "ana");
			fixture_tick(&f, 1);
		} else if (i == 2) {
			struct machine_report m = { .desktop = d->id, .state = "stopped", .reason = "no memory" };
			struct core_event ev = { .kind = EVENT_MACHINE, .machines = &m, .machine_count = 1 };

			answer(d, true, false);
			fixture_run(&f, &ev);
		} else {
			fixture_tick(&f, RESUME_WAIT_MS);
		}
		cr_expect_eq(d->t.kind, TASK_REFRESH, "%s", how[i]);
		cr_expect_eq(d->x.sleep, SLEEP_AWAKE, "%s", how[i]);
		cr_expect_str_eq(tier_why(), "tier_not_resumed", "%s", how[i]);
		cr_expect_eq(doing(TASK_START), 0, "%s: nobody waits for the next one", how[i]);
		fixture_connect(&f, "ana");
		fixture_finish_task(&f, d);
		cr_expect_eq(fixture_connect(&f, "ana")->state, CONNECT_READY, "%s", how[i]);
		if (i < 3)
			fixture_finish(&f);
	}
}

Test(spare, a_tier_that_does_not_come_back_makes_place_for_users)
{
	struct core_desktop *d;

	world(2, 0, 2);
	fixture_connect(&f, "ana");
	answer(with(TASK_START), false, false);
	CORE_COPY(f.st.images[0].published, "2");
	fixture_connect(&f, "bob");
	cr_expect_eq(doing(TASK_DESTROY), 1, "its place is needed, and it is of no use");
	for (size_t i = 0; i < f.out.change_count; i++)
		cr_expect(f.out.changes[i].kind != CHANGE_AUDIT || strcmp(f.out.changes[i].word, "desktop.replaced") != 0, "no version is the cause");
	d = with(TASK_DESTROY);
	answer(d, true, false);
	cr_expect_eq(doing(TASK_CREATE), 1);
}

Test(spare, a_provider_that_cannot_suspend_says_so)
{
	static const struct provider_report plain = { .name = "local", .kind = "local", .healthy = true, .reason = "", .can = "power,snapshot" };
	struct core_event ev = { .kind = EVENT_PROVISIONER_HELLO, .providers = &plain, .provider_count = 1 };

	fixture_init(&f, 0, 8, 1);
	fixture_pool(&f)->tier.want = 3;
	fixture_run(&f, &ev);
	fixture_settle(&f);
	cr_expect_eq(f.st.desktop_count, 1);
	cr_expect_str_eq(tier_why(), "tier_not_carried");
	cr_expect_str_eq(fixture_pool(&f)->reason.code, "", "that is no fault of the pool's");
}

Test(spare, lists_tell_what_sleeps_and_what_does_not)
{
	struct core_desktop *d;

	world(4, 0, 1);
	d = sleeper();
	report("stopped");
	report("failed");
	fixture_tick(&f, 2 * AGENT_WAIT_MS);
	cr_expect_eq(d->t.id[0], '\0');
	cr_expect_eq(d->failures, 0);
	cr_expect(desktop_sleeps(d));
	report("running");
	cr_expect_eq(d->x.sleep, SLEEP_AWAKE, "somebody has started it on the host");
	cr_expect(!desktop_is_ready(d));
	fixture_agent(&f, d);
	cr_expect_eq(d->t.kind, TASK_SUSPEND);
	answer(d, true, false);
	report("gone");
	cr_expect_eq(d->x.lifecycle, LIFECYCLE_DELETING);
	fixture_settle(&f);
	cr_expect_eq(sleeping(), 1);
}

Test(spare, an_agent_that_answers_while_its_host_is_silent_counts_when_a_list_has_it)
{
	struct core_desktop *d;

	world(4, 0, 1);
	d = sleeper();
	fixture_connect(&f, "ana");
	answer(d, true, false);
	d->x.power = POWER_UNKNOWN;
	fixture_agent(&f, d);
	cr_expect_eq(d->x.lease, LEASE_FREE);
	report("running");
	cr_expect_eq(d->x.sleep, SLEEP_AWAKE);
	fixture_connect(&f, "ana");
	cr_expect_eq(d->x.lease, LEASE_HELD);
}

Test(spare, a_broker_that_comes_back_lets_sleepers_sleep)
{
	struct core_desktop *d;

	world(4, 0, 1);
	d = sleeper();
	reload();
	fixture_tick(&f, AGENT_WAIT_MS);
	fixture_tick(&f, AGENT_WAIT_MS);
	cr_expect_eq(d->t.id[0], '\0');
	cr_expect(desktop_sleeps(d));
	fixture_connect(&f, "ana");
	reload();
	fixture_tick(&f, 1);
	cr_expect_eq(d->t.kind, TASK_START);
	answer(d, true, false);
	reload();
	fixture_tick(&f, AGENT_WAIT_MS);
	cr_expect_eq(d->t.kind, TASK_REFRESH, "it was to be resumed, and its agent is silent");
}

Test(spare, a_broker_that_comes_back_lets_stopped_desktops_rest)
{
	struct core_event ev = { .kind = EVENT_OPERATE, .operation = TASK_STOP, .word = "" };
	struct core_desktop *d;

	world(4, 1, 0);
	d = f.st.desktops[0];
	ev.desktop = d->id;
	fixture_run(&f, &ev);
	answer(d, true, false);
	reload();
	fixture_tick(&f, AGENT_WAIT_MS);
	fixture_tick(&f, AGENT_WAIT_MS);
	cr_expect(d->x.parked);
	cr_expect_eq(d->x.power, POWER_OFF);
}

Test(spare, an_administrators_words_reach_a_sleeper)
{
	struct core_event ev = { .kind = EVENT_OPERATE, .operation = TASK_SNAPSHOT, .word = "a" };
	struct core_desktop *d;

	world(4, 0, 1);
	d = sleeper();
	ev.desktop = d->id;
	fixture_run(&f, &ev);
	answer(d, false, false);
	fixture_tick(&f, 2 * AGENT_WAIT_MS);
	cr_expect(desktop_sleeps(d) && !d->t.id[0], "it sleeps on");
	fixture_operate(&f, EVENT_DRAIN, d->id);
	ev.operation = TASK_START;
	fixture_run(&f, &ev);
	cr_expect_eq(d->t.kind, TASK_START);
	answer(d, true, false);
	fixture_agent(&f, d);
	cr_expect_eq(d->x.sleep, SLEEP_AWAKE);
	cr_expect_eq(d->t.id[0], '\0', "kept from users, it is no spare");
	ev.operation = TASK_STOP;
	fixture_run(&f, &ev);
	answer(d, true, false);
	cr_expect(d->x.parked);
	cr_expect_str_eq(state_of(d), "stopped");
}

Test(spare, a_refresh_wakes_and_a_deletion_removes)
{
	struct core_desktop *d;

	world(4, 0, 1);
	d = sleeper();
	fixture_operate(&f, EVENT_REFRESH, d->id);
	cr_expect_eq(d->x.sleep, SLEEP_AWAKE);
	cr_expect_eq(d->t.kind, TASK_REFRESH);
	fixture_settle(&f);
	cr_expect_eq(sleeping(), 1);
	fixture_operate(&f, EVENT_DELETE, sleeper()->id);
	fixture_settle(&f);
	cr_expect_eq(sleeping(), 1);
	cr_expect_eq(f.st.desktop_count, 1);
}

Test(spare, a_smaller_tier_and_a_smaller_pool_lose_sleepers_first)
{
	world(8, 2, 4);
	fixture_pool(&f)->tier.want = 1;
	fixture_tick(&f, 1);
	fixture_settle(&f);
	cr_expect_eq(sleeping(), 1);
	cr_expect_eq(ready(), 2);
	fixture_pool(&f)->max = 2;
	fixture_tick(&f, 1);
	fixture_settle(&f);
	cr_expect_eq(sleeping(), 0);
	cr_expect_eq(ready(), 2);
}

Test(spare, sleepers_of_an_old_version_are_replaced_one_by_one)
{
	struct core_rollout wish = { .image_id = "image", .version = "2", .plan = { .unavailable = 1, .failures = 3, .samples = 3 } };
	struct core_event ev = { .kind = EVENT_PUBLISH, .rollout = &wish, .on = true };

	world(8, 1, 3);
	fixture_run(&f, &ev);
	for (int i = 0; i < 60; i++) {
		cr_expect_leq(doing(TASK_DESTROY), 1);
		for (size_t n = 0; n < f.st.desktop_count; n++)
			if (f.st.desktops[n]->t.id[0]) {
				fixture_finish_task(&f, f.st.desktops[n]);
				break;
			}
		fixture_tick(&f, 1);
	}
	cr_expect_eq(sleeping(), 3);
	cr_expect_eq(ready(), 1);
	for (size_t n = 0; n < f.st.desktop_count; n++)
		cr_expect_str_eq(f.st.desktops[n]->image_version, "2");
	cr_expect_eq(state_rollout(&f.st, "image")->phase, ROLLOUT_DONE);
}

Test(spare, who_waits_gets_an_old_version_rather_than_none)
{
	world(2, 0, 1);
	CORE_COPY(f.st.images[0].published, "2");
	fixture_pool(&f)->tier.want = 1;
	fixture_connect(&f, "ana");
	cr_expect_eq(doing(TASK_START), 1);
}

Test(spare, a_full_host_gives_up_a_sleeper_for_the_desktop_that_is_tried)
{
	struct core_rollout wish = { .image_id = "image", .version = "2", .plan = { .unavailable = 1, .failures = 3, .samples = 3 } };
	struct core_event ev = { .kind = EVENT_PUBLISH, .rollout = &wish };

	world(8, 1, 1);
	f.st.providers[0].capacity = 2;
	fixture_run(&f, &ev);
	fixture_tick(&f, 1);
	cr_expect_eq(doing(TASK_DESTROY), 1);
	cr_expect_eq(ready(), 1);
	cr_expect_eq(sleeping(), 0);
}

Test(spare, who_waits_is_told_how_long_a_resume_takes)
{
	world(8, 0, 2);
	for (int i = 0; i < 4; i++) {
		timing_add(&f.st, "image", "1", TIMING_CREATE, 90000);
		timing_add(&f.st, "image", "1", TIMING_RESUME, 4000);
	}
	cr_expect_eq(fixture_connect(&f, "ana")->estimate_s, 4);
	fixture_tick(&f, 3000);
	cr_expect_eq(fixture_connect(&f, "ana")->estimate_s, 1);
	fixture_connect(&f, "bob");
	cr_expect_geq(fixture_connect(&f, "eva")->estimate_s, 80, "the third has to be made");
	answer(with(TASK_START), true, false);
	fixture_agent(&f, f.st.desktops[0]);
	cr_expect_eq(timing_median(&f.st, "image", "1", TIMING_RESUME, 5), 4000);
}

/* Host "one" has room for four, "two" as much as is said. */
static void hello_hosts(int two_free_mb)
{
	static const struct provider_report local = { .name = "local", .kind = "fake", .healthy = true, .reason = "", .can = "power,suspend,migrate" };
	struct host_report hosts[] = { { .provider = "local", .name = "one", .reason = "", .memory_mb = 64000, .free_mb = 4000, .usable = true, .listed = true },
		                       { .provider = "local", .name = "two", .reason = "", .memory_mb = 64000, .free_mb = two_free_mb, .usable = true, .listed = true } };
	struct core_event ev = { .kind = EVENT_PROVISIONER_HELLO, .providers = &local, .provider_count = 1, .hosts = hosts, .host_count = 2 };

	fixture_run(&f, &ev);
}

Test(spare, a_sleeper_cannot_move_and_is_made_anew_elsewhere)
{
	struct core_event ev = { .kind = EVENT_HOST_MAINTENANCE, .provider = "provider", .word = "one", .on = true, .number = 1 };
	struct core_desktop *d;
	char id[CORE_ID_SIZE];

	fixture_init(&f, 0, 4, 0);
	fixture_pool(&f)->tier.want = 1;
	fixture_pool(&f)->memory_mb = 1000;
	hello_hosts(3000);
	fixture_settle(&f);
	d = sleeper();
	cr_assert_str_eq(d->place.host, "one");
	cr_expect_eq(state_host_of(&f.st, d)->free_mb, 4000, "asleep it takes no memory");
	CORE_COPY(id, d->id);
	fixture_run(&f, &ev);
	cr_expect_eq(d->x.lifecycle, LIFECYCLE_DELETING);
	fixture_settle(&f);
	d = sleeper();
	cr_assert_not_null(d);
	cr_expect_str_eq(d->place.host, "two");
	cr_expect_eq(sleeping(), 1);
	fixture_connect(&f, "ana");
	cr_expect_eq(state_host_of(&f.st, d)->free_mb, 2000, "awake it does");
	cr_expect_eq(doing(TASK_START), 1);
}

Test(spare, who_is_worked_on_while_it_wakes_is_awake_when_its_agent_answers)
{
	struct core_event ev = { .kind = EVENT_OPERATE, .operation = TASK_SNAPSHOT, .word = "a" };
	struct core_desktop *d;

	world(4, 0, 1);
	d = sleeper();
	fixture_connect(&f, "ana");
	answer(d, true, false);
	ev.desktop = d->id;
	fixture_run(&f, &ev);
	fixture_agent(&f, d);
	cr_expect_eq(d->x.sleep, SLEEP_AWAKE);
	answer(d, true, false);
	cr_expect_eq(d->x.lease, LEASE_HELD);
}

Test(spare, a_sleeper_stays_where_no_other_host_has_room_and_is_not_woken_there)
{
	struct core_event ev = { .kind = EVENT_HOST_MAINTENANCE, .provider = "provider", .word = "one", .on = true, .number = 1 };
	struct core_reason why;

	fixture_init(&f, 0, 4, 0);
	fixture_pool(&f)->tier.want = 1;
	fixture_pool(&f)->memory_mb = 1000;
	hello_hosts(300);
	fixture_settle(&f);
	fixture_run(&f, &ev);
	cr_expect_eq(sleeping(), 1);
	move_view(&f.st, sleeper(), &why);
	cr_expect_str_eq(why.code, "no_host");
	fixture_connect(&f, "ana");
	cr_expect_eq(doing(TASK_START), 0);
	cr_expect_str_eq(f.out.answer.reason.code, "no_host");
}
