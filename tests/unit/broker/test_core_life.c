/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The life of desktops in the core: log-off, tasks, machines, administrators.
 *
 * Covers: broker/core/deadline.c broker/core/hygiene.c
 * broker/core/machine.c broker/core/operate.c broker/core/out.c
 * broker/core/reaper.c broker/core/task.c broker/core/view.c
 */
#include "base/err.h"
#include "broker/core/core_priv.h"
#include "tests/unit/broker/core_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct fixture f;

static void finish(void)
{
	fixture_finish(&f);
}

TestSuite(core_life, .fini = finish);

/* ---- desktops without an agent ---- */

Test(core_life, a_desktop_shown_by_its_machine_s_own_server_waits_for_no_agent)
{
	struct provider_result res = { .ok = true, .endpoint = "{\"kind\":\"rfb\",\"host\":\"10.0.0.1\",\"port\":5900}" };
	struct core_event done = { .kind = EVENT_TASK_RESULT, .result = &res };
	struct core_desktop *d;
	char task[CORE_ID_SIZE];

	fixture_init(&f, 1, 1, 0);
	fixture_pool(&f)->on_logoff = ON_LOGOFF_REFRESH;
	fixture_hello(&f, NULL, 0);
	d = f.st.desktops[0];
	CORE_COPY(task, d->t.id);
	res.task = task;
	fixture_run(&f, &done);
	cr_assert(d->agentless && desktop_is_ready(d));
	fixture_work(&f, "ana");
	cr_assert_eq(d->x.hygiene, HYGIENE_DIRTY);
	/* After a restart of the broker nobody is awaited, and nothing is restarted. */
	core_state_resume(&f.st, &f.now);
	fixture_hello(&f, NULL, 0);
	fixture_tick(&f, AGENT_WAIT_MS + 1);
	cr_assert_eq(d->x.agent, AGENT_READY);
	/* There is no log-on to be closed: the disk is made new at once, and then it is ready. */
	cr_assert_eq(fixture_operate(&f, EVENT_LOGOFF, d->id), 0);
	cr_assert_eq(d->t.kind, TASK_REFRESH);
	cr_assert_eq(d->x.lease, LEASE_FREE);
	CORE_COPY(task, d->t.id);
	fixture_run(&f, &done);
	cr_assert(desktop_is_ready(d));
}

/* ---- log-off and hygiene ---- */

static void report(const char *desktop, const char *word, int64_t epoch)
{
	struct core_event ev = {
		.kind = EVENT_AGENT_REPORT, .desktop = desktop, .word = word, .epoch = epoch, .text = "the reason"
	};

	fixture_run(&f, &ev);
}

Test(core_life, what_becomes_of_a_desktop_at_log_off)
{
	static const struct {
		enum pool_kind kind;
		enum on_logoff on_logoff;
		bool task;
		enum task_kind expect;
		enum lease lease;
	} cases[] = {
		{ POOL_FLOATING, ON_LOGOFF_REFRESH, true, TASK_REFRESH, LEASE_FREE },
		{ POOL_FLOATING, ON_LOGOFF_DELETE, true, TASK_DESTROY, LEASE_FREE },
		{ POOL_FLOATING, ON_LOGOFF_KEEP, false, 0, LEASE_HELD },
		{ POOL_DEDICATED, ON_LOGOFF_REFRESH, true, TASK_REFRESH, LEASE_HELD },
		{ POOL_DEDICATED, ON_LOGOFF_KEEP, false, 0, LEASE_HELD },
		{ POOL_DEDICATED, ON_LOGOFF_DELETE, true, TASK_DESTROY, LEASE_FREE },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct core_desktop *d;

		fixture_init(&f, 1, 1, 0);
		fixture_pool(&f)->kind = cases[i].kind;
		fixture_pool(&f)->on_logoff = cases[i].on_logoff;
		fixture_hello(&f, NULL, 0);
		fixture_settle(&f);
		d = fixture_work(&f, "ana");
		cr_assert_eq(fixture_operate(&f, EVENT_LOGOFF, d->id), 0);
		cr_expect_eq(d->x.lease, LEASE_ENDING, "case %zu", i);
		cr_expect_eq(fixture_command(&f, COMMAND_AGENT)->tell, AGENT_TELL_LOGOFF);
		report(d->id, "logoff", d->epoch);
		cr_expect_eq(d->x.lease, cases[i].lease, "case %zu", i);
		cr_expect_eq(d->t.id[0] != '\0', cases[i].task, "case %zu", i);
		if (cases[i].task)
			cr_expect_eq(d->t.kind, cases[i].expect, "case %zu", i);
		fixture_connect(&f, "bea");
		cr_expect_neq(f.out.answer.state, CONNECT_READY, "case %zu: never to another before it is new", i);
		if (i + 1 < sizeof(cases) / sizeof(*cases))
			fixture_finish(&f);
	}
}

Test(core_life, a_refresh_takes_the_version_that_the_pool_has_now)
{
	static const struct {
		enum pool_kind kind;
		bool by_admin;
		enum lifecycle after; /* an old floating desktop is replaced at log-off */
	} cases[] = {
		{ POOL_DEDICATED, false, LIFECYCLE_LIVE },
		{ POOL_DEDICATED, true, LIFECYCLE_LIVE },
		{ POOL_FLOATING, false, LIFECYCLE_DELETING },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct core_desktop *d;

		fixture_init(&f, 1, 1, 0);
		fixture_pool(&f)->kind = cases[i].kind;
		fixture_hello(&f, NULL, 0);
		fixture_settle(&f);
		d = fixture_work(&f, "ana");
		CORE_COPY(f.st.images[0].published, "2");
		fixture_operate(&f, EVENT_RESTART, d->id);
		cr_expect_str_eq(d->image_version, "1", "a restart keeps the disk");
		fixture_settle(&f);
		fixture_operate(&f, cases[i].by_admin ? EVENT_REFRESH : EVENT_LOGOFF, d->id);
		fixture_tick(&f, LOGOFF_WAIT_MS);
		cr_expect_eq(d->x.lifecycle, cases[i].after, "case %zu", i);
		if (cases[i].after == LIFECYCLE_LIVE) {
			cr_expect_eq(d->t.kind, TASK_REFRESH, "case %zu", i);
			cr_expect_str_eq(d->image_version, "2", "case %zu", i);
		}
		if (i + 1 < sizeof(cases) / sizeof(*cases))
			fixture_finish(&f);
	}
}

Test(core_life, an_agent_that_does_not_log_off_is_not_waited_for_for_ever)
{
	struct core_desktop *d;

	fixture_init(&f, 1, 1, 0);
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	d = fixture_work(&f, "ana");
	fixture_operate(&f, EVENT_LOGOFF, d->id);
	fixture_tick(&f, LOGOFF_WAIT_MS);
	cr_expect_eq(d->t.kind, TASK_REFRESH);
	cr_expect_eq(d->keyed, false);
	fixture_settle(&f);
	cr_expect(desktop_is_ready(d));
}

Test(core_life, a_disconnected_user_keeps_the_desktop_for_the_pools_time)
{
	struct core_desktop *d;
	struct core_event ended = { .kind = EVENT_SESSION_ENDED };

	fixture_init(&f, 1, 1, 0);
	fixture_pool(&f)->logoff_after_disconnect_s = 60;
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	d = fixture_work(&f, "ana");
	ended.session = d->s.id;
	fixture_run(&f, &ended);
	fixture_tick(&f, 59999);
	cr_expect_eq(d->x.lease, LEASE_HELD);
	fixture_tick(&f, 1);
	cr_expect_eq(d->x.lease, LEASE_ENDING);
}

/* The session.ended that the last round wrote into the audit, or "". */
static const char *audited_end(void)
{
	for (size_t i = 0; i < f.out.change_count; i++)
		if (f.out.changes[i].kind == CHANGE_AUDIT && !strcmp(f.out.changes[i].word, "session.ended"))
			return f.out.changes[i].text;
	return "";
}

Test(core_life, the_gateways_word_for_an_end_stands_in_the_audit_though_the_agent_hears_it_first)
{
	struct core_desktop *d;
	struct core_event ended = { .kind = EVENT_SESSION_ENDED, .word = "worker_crashed", .text = "ended by signal 9",
		.text_es = "terminada por la señal 9" };
	struct core_event vacated = { .kind = EVENT_AGENT_REPORT, .word = "vacated" };

	fixture_init(&f, 1, 1, 0);
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	d = fixture_work(&f, "ana");
	ended.session = d->s.id;
	vacated.desktop = d->id;
	vacated.epoch = d->s.epoch;
	fixture_run(&f, &vacated);
	cr_expect_eq(d->x.session, SESSION_CONNECTED);
	fixture_run(&f, &ended);
	cr_expect_eq(d->x.session, SESSION_DISCONNECTED);
	cr_expect_str_eq(audited_end(), "worker_crashed");
	cr_expect_str_eq(fixture_change(&f, CHANGE_SESSION_END)->text, "ended by signal 9");
	cr_expect_str_eq(fixture_change(&f, CHANGE_SESSION_END)->text_es, "terminada por la señal 9");
}

Test(core_life, a_viewer_that_only_the_agent_misses_is_gone_after_a_moment)
{
	struct core_desktop *d;
	struct core_event vacated = { .kind = EVENT_AGENT_REPORT, .word = "vacated" };

	fixture_init(&f, 1, 1, 0);
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	d = fixture_work(&f, "ana");
	vacated.desktop = d->id;
	vacated.epoch = d->s.epoch;
	fixture_run(&f, &vacated);
	fixture_tick(&f, VACATED_WAIT_MS - 1);
	cr_expect_eq(d->x.session, SESSION_CONNECTED);
	fixture_tick(&f, 1);
	cr_expect_eq(d->x.session, SESSION_DISCONNECTED);
	cr_expect_str_eq(audited_end(), "viewer_left");
	cr_expect(fixture_command(&f, COMMAND_END_SESSION));
}

Test(core_life, a_late_report_of_an_earlier_log_on_touches_nothing)
{
	struct core_desktop *d;
	int64_t old;

	fixture_init(&f, 1, 1, 0);
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	d = fixture_work(&f, "ana");
	old = d->s.epoch;
	fixture_operate(&f, EVENT_LOGOFF, d->id);
	fixture_tick(&f, LOGOFF_WAIT_MS);
	fixture_settle(&f);
	cr_assert_eq(fixture_work(&f, "bea"), d);
	report(d->id, "logoff", old);
	report(d->id, "logoff", 0); /* of an agent that had no log-on */
	cr_expect_eq(d->x.session, SESSION_CONNECTED);
	report(d->id, "logoff", d->s.epoch);
	cr_expect_eq(d->x.lease, LEASE_FREE);
}

Test(core_life, a_stranger_in_a_free_desktop_makes_it_dirty)
{
	struct core_event hello = { .kind = EVENT_AGENT_HELLO, .text = "boot", .user_name = "mallory" };
	struct core_desktop *d;

	fixture_init(&f, 1, 1, 0);
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	d = f.st.desktops[0];
	hello.desktop = d->id;
	fixture_run(&f, &hello);
	cr_expect_eq(d->x.hygiene, HYGIENE_CLEANING);
}

/* ---- tasks and machines ---- */

Test(core_life, lost_answers_are_asked_for_with_the_same_uuid_and_late_ones_ignored)
{
	char task[CORE_ID_SIZE];
	struct core_desktop *d;

	fixture_init(&f, 1, 1, 0);
	fixture_hello(&f, NULL, 0);
	d = f.st.desktops[0];
	CORE_COPY(task, d->t.id);
	fixture_tick(&f, TASK_RESEND_MS);
	cr_expect_str_eq(fixture_command(&f, COMMAND_PROVISION)->t.id, task);
	cr_expect_eq(d->t.attempts, 2);
	fixture_result(&f, task, true, false);
	fixture_result(&f, task, false, false);
	cr_expect_eq(d->x.lifecycle, LIFECYCLE_LIVE);
	fixture_result(&f, "what", true, false);
}

Test(core_life, a_new_connection_of_the_provisioner_gets_the_open_tasks_again)
{
	char task[CORE_ID_SIZE];
	struct core_event gone = { .kind = EVENT_PROVISIONER_GONE };

	fixture_init(&f, 1, 1, 0);
	fixture_hello(&f, NULL, 0);
	CORE_COPY(task, f.st.desktops[0]->t.id);
	fixture_run(&f, &gone);
	fixture_tick(&f, 10 * TASK_RESEND_MS);
	cr_expect_null(fixture_command(&f, COMMAND_PROVISION), "nobody is there to ask");
	fixture_hello(&f, NULL, 0);
	cr_expect_str_eq(fixture_command(&f, COMMAND_PROVISION)->t.id, task);
}

Test(core_life, deleting_always_succeeds_in_the_end)
{
	struct core_desktop *d;

	fixture_init(&f, 1, 1, 0);
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	d = f.st.desktops[0];
	fixture_pool(&f)->min = 0;
	cr_expect_eq(fixture_operate(&f, EVENT_DELETE, d->id), 0);
	for (int i = 0; i < 50; i++) {
		cr_assert_eq(d->t.kind, TASK_DESTROY);
		fixture_result(&f, d->t.id, false, false);
		fixture_tick(&f, BACKOFF_MAX_MS);
	}
	cr_expect_eq(d->x.lifecycle, LIFECYCLE_DELETING);
	cr_expect(strstr(d->reason.en, "the image is broken"));
	fixture_result(&f, d->t.id, true, false);
	cr_expect_eq(f.st.desktop_count, 0);
}

Test(core_life, retries_back_off_and_end)
{
	static const struct {
		int failures;
		int64_t ms;
	} cases[] = { { 1, 1000 }, { 2, 2000 }, { 5, 16000 }, { 7, 60000 }, { 1000, 60000 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		cr_expect_eq(task_backoff(cases[i].failures), cases[i].ms);
	fixture_init(&f, 1, 1, 0);
	fixture_hello(&f, NULL, 0);
	for (int i = 0; i < TASK_TRIES; i++) {
		cr_assert_eq(f.st.desktops[0]->x.lifecycle, LIFECYCLE_CREATING);
		fixture_result(&f, f.st.desktops[0]->t.id, false, true);
		fixture_tick(&f, BACKOFF_MAX_MS);
	}
	cr_expect_eq(f.st.desktops[0]->x.lifecycle, LIFECYCLE_FAILED);
}

Test(core_life, machines_that_stop_are_started_and_those_that_vanish_replaced)
{
	struct machine_report stopped = { .state = "stopped", .reason = "out of power" };
	struct core_event ev = { .kind = EVENT_MACHINE, .machines = &stopped, .machine_count = 1 };
	struct core_desktop *d;
	char id[CORE_ID_SIZE];

	fixture_init(&f, 1, 1, 0);
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	d = fixture_work(&f, "ana");
	CORE_COPY(id, d->id);
	stopped.desktop = id;
	fixture_run(&f, &ev);
	cr_expect_eq(d->t.kind, TASK_RESTART);
	cr_expect_eq(d->x.lease, LEASE_HELD);
	cr_expect(strstr(d->reason.en, "out of power"));
	fixture_settle(&f);
	cr_expect_eq(fixture_connect(&f, "ana")->state, CONNECT_READY);
	stopped.state = "gone";
	fixture_run(&f, &ev);
	cr_expect_eq(d->x.lifecycle, LIFECYCLE_DELETING);
	cr_expect_eq(d->x.lease, LEASE_FREE);
}

Test(core_life, orphans_go_after_two_sightings_and_never_many_at_once)
{
	static char ids[20][CORE_ID_SIZE];
	struct machine_report list[20];
	struct core_event ev = { .kind = EVENT_INVENTORY, .machines = list };
	struct core_event allow = { .kind = EVENT_REAP_ALLOW };

	for (int i = 0; i < 20; i++) {
		snprintf(ids[i], sizeof(ids[i]), "orphan-%d", i);
		list[i] = (struct machine_report){ .desktop = ids[i], .state = "running" };
	}
	fixture_init(&f, 0, 1, 0);
	fixture_hello(&f, list, 2);
	cr_expect_eq(f.out.command_count, 0, "one sighting");
	ev.machine_count = 2;
	fixture_run(&f, &ev);
	cr_expect_eq(f.out.command_count, 2);
	fixture_result(&f, f.st.orphans[0].t.id, true, false);
	cr_expect_eq(f.st.orphan_count, 1);

	ev.machine_count = 20;
	fixture_run(&f, &ev);
	fixture_run(&f, &ev);
	cr_expect(f.st.reap_paused);
	cr_expect_null(fixture_command(&f, COMMAND_PROVISION));
	fixture_run(&f, &allow);
	cr_expect_not(f.st.reap_paused);
	cr_expect_eq(f.out.command_count, 19);
}

Test(core_life, an_agent_that_never_comes_makes_the_desktop_fail_and_go)
{
	struct core_desktop *d;

	fixture_init(&f, 1, 1, 0);
	fixture_hello(&f, NULL, 0);
	d = f.st.desktops[0];
	fixture_result(&f, d->t.id, true, false);
	for (int i = 0; i < MACHINE_TRIES && d->x.lifecycle == LIFECYCLE_LIVE; i++) {
		fixture_tick(&f, AGENT_WAIT_MS);
		if (d->t.id[0])
			fixture_result(&f, d->t.id, true, false);
	}
	cr_assert_eq(d->x.lifecycle, LIFECYCLE_FAILED);
	cr_expect_str_eq(d->reason.code, "agent_silent");
	fixture_tick(&f, FAILED_KEEP_MS);
	cr_expect_eq(d->x.lifecycle, LIFECYCLE_DELETING);
}

Test(core_life, an_owners_failed_desktop_is_started_again_when_its_provider_is_back)
{
	struct core_event gone = { .kind = EVENT_PROVISIONER_GONE };
	struct core_desktop *d;

	fixture_init(&f, 1, 1, 0);
	fixture_pool(&f)->kind = POOL_DEDICATED;
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	d = fixture_work(&f, "ana");
	fixture_operate(&f, EVENT_RESTART, d->id);
	fixture_result(&f, d->t.id, false, false);
	cr_assert_eq(d->x.lifecycle, LIFECYCLE_FAILED);
	fixture_run(&f, &gone);
	fixture_hello(&f, &(struct machine_report){ .desktop = d->id, .state = "stopped" }, 1);
	cr_assert_eq(d->t.kind, TASK_RESTART);
	fixture_settle(&f);
	cr_expect_eq(fixture_connect(&f, "ana")->state, CONNECT_READY);
}

/* ---- administrators ---- */

Test(core_life, operations_say_why_they_cannot)
{
	struct core_desktop *d;

	fixture_init(&f, 1, 1, 0);
	fixture_hello(&f, NULL, 0);
	d = f.st.desktops[0];
	cr_expect_eq(fixture_operate(&f, EVENT_RESTART, d->id), PST_ECONFLICT, "being made");
	cr_expect_eq(fixture_operate(&f, EVENT_LOGOFF, d->id), PST_ECONFLICT, "nobody is on");
	cr_expect_eq(fixture_operate(&f, EVENT_REFRESH, "nothing"), PST_ENOTFOUND);
	fixture_settle(&f);
	cr_expect_eq(fixture_operate(&f, EVENT_DRAIN, d->id), 0);
	cr_expect_eq(fixture_connect(&f, "ana")->state, CONNECT_WAITING);
	cr_expect_eq(fixture_operate(&f, EVENT_RESTART, d->id), 0);
	cr_expect_eq(d->t.kind, TASK_RESTART);
}

Test(core_life, a_deleted_pool_takes_its_desktops_along)
{
	struct core_event ev = { .kind = EVENT_POOL_DELETE, .pool = "pool" };

	fixture_init(&f, 2, 2, 0);
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	fixture_work(&f, "ana");
	fixture_run(&f, &ev);
	cr_expect_eq(fixture_count(&f, LIFECYCLE_DELETING), 2);
	fixture_settle(&f);
	cr_expect_eq(f.st.pool_count, 0);
	cr_expect_not_null(fixture_change(&f, CHANGE_POOL_GONE));
}

Test(core_life, a_revoked_user_is_out_at_once)
{
	struct core_event ev = { .kind = EVENT_USER_REVOKED, .user_id = "ana" };
	struct core_desktop *d;

	fixture_init(&f, 1, 1, 0);
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	d = fixture_work(&f, "ana");
	fixture_run(&f, &ev);
	cr_expect_not_null(fixture_command(&f, COMMAND_END_SESSION));
	cr_expect_eq(d->x.lease, LEASE_FREE);
	cr_expect_eq(d->x.hygiene, HYGIENE_CLEANING);
}

/* ---- undo, purity, views ---- */

Test(core_life, an_undone_round_leaves_everything_as_it_was)
{
	struct core_event ev = { .kind = EVENT_LOGOFF };
	struct core_desktop before, *d;

	fixture_init(&f, 1, 2, 0);
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	d = fixture_work(&f, "ana");
	fixture_pool(&f)->min = 2; /* the same round makes a second one */
	before = *d;
	ev.desktop = d->id;
	core_out_finish(&f.out);
	reconcile(&f.st, &ev, &f.now, &f.ids, &f.out);
	cr_assert_eq(f.st.desktop_count, 2);
	core_undo(&f.st, &f.out);
	cr_expect_eq(f.st.desktop_count, 1);
	cr_expect_eq(memcmp(&before, d, sizeof(before)), 0);
}

Test(core_life, what_people_see_of_a_pool)
{
	struct pool_view v;
	struct user_pool_view u;

	fixture_init(&f, 1, 1, 0);
	pool_view(&f.st, "pool", f.now.mono_ms, &v);
	cr_expect_str_eq(v.state, "empty");
	fixture_hello(&f, NULL, 0);
	pool_view(&f.st, "pool", f.now.mono_ms, &v);
	cr_expect_str_eq(v.state, "starting");
	fixture_settle(&f);
	pool_view(&f.st, "pool", f.now.mono_ms, &v);
	cr_expect_str_eq(v.state, "ready");
	cr_expect_eq(v.counts.ready, 1);
	fixture_work(&f, "ana");
	pool_view(&f.st, "pool", f.now.mono_ms, &v);
	cr_expect_str_eq(v.state, "busy");
	cr_expect_eq(v.counts.connected, 1);
	user_pool_view(&f.st, "pool", "ana", f.now.mono_ms, &u);
	cr_expect(u.has_desktop);
	cr_expect_str_eq(u.state, "ready");
	cr_expect_str_eq(u.desktop_state, "connected");
	user_pool_view(&f.st, "pool", "bea", f.now.mono_ms, &u);
	cr_expect_not(u.has_desktop);
	cr_expect_str_eq(u.state, "busy");
	fixture_pool(&f)->maintenance = true;
	user_pool_view(&f.st, "pool", "ana", f.now.mono_ms, &u);
	cr_expect_str_eq(u.state, "maintenance");
	cr_expect_not(pool_view(&f.st, "none", f.now.mono_ms, &v));
}

Test(core_life, a_restart_of_the_broker_forgets_no_deadline)
{
	struct core_desktop *d;

	fixture_init(&f, 1, 1, 0);
	fixture_pool(&f)->logoff_after_disconnect_s = 5;
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	d = fixture_work(&f, "ana");
	d->x.session = SESSION_DISCONNECTED;
	memset(&d->s, 0, sizeof(d->s));
	memset(&d->due, 0, sizeof(d->due));
	core_state_resume(&f.st, &f.now);
	cr_expect_eq(d->x.agent, AGENT_LOST);
	cr_expect_gt(d->due.agent_ms, 0);
	fixture_tick(&f, 5000);
	cr_expect_neq(d->x.lease, LEASE_HELD);
}
