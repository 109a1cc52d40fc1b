/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The decisions of the core, one rule a test.
 *
 * Covers: broker/core/agent_event.c broker/core/assign.c broker/core/axes.c
 * broker/core/breaker.c broker/core/deadline.c broker/core/hygiene.c
 * broker/core/idmap.c broker/core/lease.c broker/core/machine.c
 * broker/core/operate.c broker/core/out.c broker/core/pool_plan.c
 * broker/core/reaper.c broker/core/reason.c broker/core/reconcile.c
 * broker/core/session.c broker/core/state.c broker/core/task.c broker/core/view.c
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

TestSuite(core, .fini = finish);

/* ---- words ---- */

Test(core, every_axis_reads_back_its_own_words)
{
	enum lifecycle l;
	enum hygiene h;
	enum task_kind t;

	for (int i = LIFECYCLE_CREATING; i <= LIFECYCLE_DELETED; i++)
		cr_expect(lifecycle_parse(lifecycle_text(i), &l) && (int)l == i);
	for (int i = HYGIENE_CLEAN; i <= HYGIENE_CLEANING; i++)
		cr_expect(hygiene_parse(hygiene_text(i), &h) && (int)h == i);
	for (int i = TASK_CREATE; i <= TASK_REFRESH; i++)
		cr_expect(task_kind_parse(task_kind_text(i), &t) && (int)t == i);
	cr_expect_not(lifecycle_parse("lively", &l));
	cr_expect_not(lifecycle_parse(NULL, &l));
	cr_expect_str_eq(stage_text(STAGE_AGENT), "agent");
}

Test(core, every_reason_has_a_code_and_two_sentences)
{
	struct core_reason r;

	for (int i = 1; i < REASON_COUNT; i++) {
		reason_set(&r, i, "ä", "ñ");
		cr_expect(r.code[0] && r.en[0] && r.es[0], "reason %d", i);
		cr_expect_null(strchr(r.en, '{'), "%s", r.en);
		cr_expect_null(strchr(r.es, '{'), "%s", r.es);
		for (int j = 1; j < i; j++)
			cr_expect(strcmp(reason_code(i), reason_code(j)) != 0 || i == REASON_END_RESTART ||
			                  strcmp(r.code, "moved") != 0,
			          "%s twice", r.code);
	}
}

Test(core, a_long_reason_is_cut_between_characters)
{
	struct core_reason r;
	char text[800];

	for (size_t i = 0; i + 1 < sizeof(text); i += 2)
		memcpy(text + i, "ñ", 2);
	text[798] = '\0';
	reason_set(&r, REASON_MACHINE_DOWN, text, NULL);
	cr_expect_lt(strlen(r.en), sizeof(r.en));
	cr_expect_eq((unsigned char)r.en[strlen(r.en) - 1], 0xb1);
	core_copy(r.code, 4, "abñ");
	cr_expect_str_eq(r.code, "ab");
}

Test(core, the_map_finds_what_was_put_and_not_what_was_removed)
{
	struct idmap m = { 0 };
	static char keys[1000][8];

	for (int i = 0; i < 1000; i++) {
		snprintf(keys[i], sizeof(keys[i]), "%d", i);
		cr_assert_eq(idmap_put(&m, keys[i], keys[i]), 0);
		if (i % 3 == 0)
			idmap_remove(&m, keys[i]);
	}
	for (int i = 0; i < 1000; i++)
		cr_expect_eq(idmap_get(&m, keys[i]), i % 3 ? keys[i] : NULL);
	cr_expect_null(idmap_get(&m, "nobody"));
	idmap_finish(&m);
}

/* ---- growth ---- */

Test(core, a_pool_grows_to_what_it_should_have_and_no_further)
{
	static const struct {
		int min, max, spare, capacity, expect;
	} cases[] = {
		{ 0, 5, 0, 0, 0 }, { 2, 5, 0, 0, 2 }, { 2, 5, 3, 0, 3 }, { 5, 5, 5, 0, 5 },
		{ 3, 5, 0, 2, 2 }, { 0, 0, 0, 0, 0 }, { 0, 2, 9, 0, 2 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		fixture_init(&f, cases[i].min, cases[i].max, cases[i].spare);
		f.st.providers[0].capacity = cases[i].capacity;
		fixture_tick(&f, 0);
		cr_expect_eq(f.st.desktop_count, 0, "case %zu: nothing without a provisioner", i);
		fixture_hello(&f, NULL, 0);
		cr_expect_eq((int)f.st.desktop_count, cases[i].expect, "case %zu", i);
		fixture_tick(&f, 1000);
		cr_expect_eq((int)f.st.desktop_count, cases[i].expect, "case %zu, again", i);
		if (i + 1 < sizeof(cases) / sizeof(*cases))
			fixture_finish(&f);
	}
}

Test(core, the_intent_is_a_row_before_it_is_a_command)
{
	const struct core_change *ch;
	const struct core_command *cmd;

	fixture_init(&f, 1, 1, 0);
	fixture_hello(&f, NULL, 0);
	ch = fixture_change(&f, CHANGE_TASK);
	cmd = fixture_command(&f, COMMAND_PROVISION);
	cr_assert(ch && cmd);
	cr_expect_str_eq(ch->t.id, cmd->t.id);
	cr_expect_str_eq(cmd->desktop_id, f.st.desktops[0]->id);
}

Test(core, waiting_users_make_a_pool_grow_and_learn_why_it_cannot)
{
	static const struct {
		const char *what, *code;
	} cases[] = {
		{ "provisioner", "no_provisioner" }, { "disabled", "provider_disabled" }, { "image", "no_image" },
		{ "unhealthy", "provider_unhealthy" }, { "host", "host_full" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct connect_answer *a;

		fixture_init(&f, 0, 3, 0);
		f.st.providers[0].enabled = strcmp(cases[i].what, "disabled") != 0;
		if (!strcmp(cases[i].what, "image"))
			f.st.images[0].published[0] = '\0';
		if (strcmp(cases[i].what, "provisioner") != 0)
			fixture_hello(&f, NULL, 0);
		if (!strcmp(cases[i].what, "unhealthy")) {
			f.st.providers[0].healthy = false;
			reason_set(&f.st.providers[0].reason, REASON_PROVIDER_UNHEALTHY, "local", "no disk");
		}
		if (!strcmp(cases[i].what, "host")) {
			f.st.providers[0].capacity = 1;
			fixture_connect(&f, "bea");
		}
		a = fixture_connect(&f, "ana");
		cr_expect_eq(a->state, CONNECT_WAITING);
		cr_expect_eq(a->stage, STAGE_QUEUE);
		cr_expect_str_eq(a->reason.code, cases[i].code);
		cr_expect(a->reason.en[0] && a->reason.es[0]);
		if (i + 1 < sizeof(cases) / sizeof(*cases))
			fixture_finish(&f);
	}
}

Test(core, a_boot_storm_is_spread)
{
	fixture_init(&f, 20, 20, 0);
	f.st.providers[0].max_creates = 2;
	f.st.providers[0].tokens = 4;
	fixture_hello(&f, NULL, 0);
	cr_expect_eq(f.st.desktop_count, 4);
	cr_expect_eq(f.out.command_count, 2, "two at a time");
	cr_expect_str_eq(fixture_pool(&f)->reason.code, "paced");
	cr_expect_gt(f.out.wake_ms, f.now.mono_ms);
	for (int i = 0; i < 100 && f.st.desktop_count < 20; i++) {
		fixture_settle(&f);
		fixture_tick(&f, 1000);
	}
	cr_expect_eq(f.st.desktop_count, 20);
}

Test(core, a_broken_image_opens_the_breaker_and_a_good_one_closes_it)
{
	struct pool_view v;
	int failures = 0;

	fixture_init(&f, 1, 2, 0);
	fixture_hello(&f, NULL, 0);
	for (int i = 0; i < 40; i++) {
		for (size_t j = 0; j < f.st.desktop_count; j++) {
			struct core_task t = f.st.desktops[j]->t;

			if (!t.id[0] || t.state != TASK_SENT)
				continue;
			failures += t.kind == TASK_CREATE;
			fixture_result(&f, t.id, t.kind == TASK_DESTROY, false);
			break;
		}
		fixture_tick(&f, 5000);
	}
	cr_expect_leq(failures, 8, "%d machines burnt in 200 s", failures);
	cr_assert(pool_view(&f.st, "pool", f.now.mono_ms, &v));
	cr_expect_str_eq(v.state, "failed");
	cr_expect(strstr(v.reason.en, "the image is broken"), "%s", v.reason.en);
	cr_expect(strstr(v.reason.es, "the image is broken"), "%s", v.reason.es);
	for (int i = 0; i < 400; i++) {
		fixture_settle(&f);
		fixture_tick(&f, 5000);
	}
	cr_expect_eq(fixture_pool(&f)->ready, 1);
	cr_expect_eq(f.st.breakers[0].until_ms, 0);
}

Test(core, a_surplus_goes_after_a_while_and_the_minimum_stays)
{
	fixture_init(&f, 3, 5, 0);
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	fixture_pool(&f)->min = 1;
	fixture_tick(&f, 1000);
	cr_expect_eq(fixture_count(&f, LIFECYCLE_LIVE), 3);
	fixture_tick(&f, SURPLUS_MS);
	fixture_settle(&f);
	cr_expect_eq(f.st.desktop_count, 1);
}

Test(core, a_new_image_version_replaces_free_desktops_one_by_one)
{
	fixture_init(&f, 2, 2, 0);
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	CORE_COPY(f.st.images[0].published, "2");
	fixture_tick(&f, 1000);
	cr_expect_eq(fixture_count(&f, LIFECYCLE_LIVE), 1);
	for (int i = 0; i < 10; i++) {
		fixture_settle(&f);
		fixture_tick(&f, 1000);
	}
	cr_assert_eq(fixture_count(&f, LIFECYCLE_LIVE), 2);
	cr_expect_str_eq(f.st.desktops[0]->image_version, "2");
	cr_expect_str_eq(f.st.desktops[1]->image_version, "2");
}

/* ---- assignment ---- */

Test(core, a_user_waits_then_gets_a_desktop_and_comes_back_to_the_same)
{
	const struct connect_answer *a;
	char first[CORE_ID_SIZE];
	struct core_desktop *d;

	fixture_init(&f, 0, 2, 0);
	fixture_hello(&f, NULL, 0);
	a = fixture_connect(&f, "ana");
	cr_expect_eq(a->state, CONNECT_WAITING);
	cr_expect_eq(a->stage, STAGE_CREATE);
	cr_expect_eq(a->position, 1);
	d = f.st.desktops[0];
	fixture_result(&f, d->t.id, true, false);
	a = fixture_connect(&f, "ana");
	cr_expect_eq(a->stage, STAGE_AGENT);
	fixture_agent(&f, d);
	cr_expect_not_null(fixture_command(&f, COMMAND_WAITER));
	d = fixture_work(&f, "ana");
	cr_assert_not_null(d);
	CORE_COPY(first, d->id);
	cr_expect_eq(d->x.hygiene, HYGIENE_DIRTY);
	cr_expect_eq(d->x.session, SESSION_CONNECTED);
	a = fixture_connect(&f, "ana");
	cr_expect_eq(a->state, CONNECT_READY);
	cr_expect_str_eq(a->desktop_id, first);
	cr_expect_eq(f.st.desktop_count, 1);
}

Test(core, first_come_is_first_served)
{
	fixture_init(&f, 0, 1, 0);
	fixture_hello(&f, NULL, 0);
	fixture_connect(&f, "ana");
	fixture_connect(&f, "bea");
	cr_expect_eq(f.out.answer.position, 2);
	cr_expect_str_eq(f.out.answer.reason.code, "pool_full");
	fixture_settle(&f);
	fixture_connect(&f, "bea");
	cr_expect_eq(f.out.answer.state, CONNECT_WAITING);
	fixture_connect(&f, "ana");
	cr_expect_eq(f.out.answer.state, CONNECT_READY);
}

Test(core, a_place_that_nobody_asks_about_is_given_up)
{
	fixture_init(&f, 0, 1, 0);
	fixture_connect(&f, "ana");
	fixture_tick(&f, WAITER_WAIT_MS - 1);
	cr_expect_eq(f.st.waiter_count, 1);
	fixture_tick(&f, 1);
	cr_expect_eq(f.st.waiter_count, 0);
}

Test(core, switches_of_a_pool_refuse_in_words)
{
	static const struct {
		size_t offset;
		bool value;
		const char *code;
		bool owner_too;
	} cases[] = {
		{ offsetof(struct core_pool, enabled), false, "pool_disabled", true },
		{ offsetof(struct core_pool, maintenance), true, "pool_maintenance", true },
		{ offsetof(struct core_pool, drain), true, "pool_drain", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		fixture_init(&f, 1, 2, 1);
		fixture_hello(&f, NULL, 0);
		fixture_settle(&f);
		cr_assert_not_null(fixture_work(&f, "ana"));
		*(bool *)((char *)fixture_pool(&f) + cases[i].offset) = cases[i].value;
		fixture_connect(&f, "bea");
		cr_expect_eq(f.out.answer.state, CONNECT_REFUSED);
		cr_expect_str_eq(f.out.answer.reason.code, cases[i].code);
		fixture_connect(&f, "ana");
		cr_expect_eq(f.out.answer.state, cases[i].owner_too ? CONNECT_REFUSED : CONNECT_READY);
		if (i + 1 < sizeof(cases) / sizeof(*cases))
			fixture_finish(&f);
	}
}

Test(core, an_assigned_desktop_that_nobody_comes_for_is_free_again)
{
	fixture_init(&f, 1, 1, 0);
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	fixture_connect(&f, "ana");
	cr_expect_eq(f.st.desktops[0]->x.lease, LEASE_HELD);
	fixture_tick(&f, CLAIM_WAIT_MS);
	cr_expect_eq(f.st.desktops[0]->x.lease, LEASE_FREE);
	cr_expect_eq(f.st.desktops[0]->x.hygiene, HYGIENE_CLEAN);
}

/* ---- epochs, sessions, tickets ---- */

Test(core, epochs_rise_and_the_generation_leads_them)
{
	struct core_desktop *d;
	int64_t lease, session;

	fixture_init(&f, 1, 1, 0);
	f.st.generation = 3;
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	d = fixture_work(&f, "ana");
	lease = d->a.epoch;
	session = d->s.epoch;
	cr_expect_gt(lease, (int64_t)3 << 32);
	cr_expect_gt(session, lease);
	fixture_grant(&f, "ana", d->id, lease);
	cr_expect_gt(d->s.epoch, session);
	cr_expect_eq(fixture_command(&f, COMMAND_END_SESSION)->reason.code[0], 'm', "the older viewer has moved");
}

Test(core, a_grant_needs_the_owner_a_ready_desktop_and_the_present_lease)
{
	struct core_desktop *d;

	fixture_init(&f, 1, 1, 0);
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	d = f.st.desktops[0];
	cr_expect_eq(fixture_grant(&f, "ana", d->id, 0), PST_EDENIED, "nobody's");
	fixture_connect(&f, "ana");
	cr_expect_eq(fixture_grant(&f, "bea", d->id, 0), PST_EDENIED, "another's");
	cr_expect_eq(fixture_grant(&f, "ana", d->id, d->a.epoch - 1), PST_EDENIED, "an older lease's");
	cr_expect_str_eq(f.out.refusal.code, "stale_ticket");
	cr_expect_eq(fixture_grant(&f, "ana", "nothing", 0), PST_ENOTFOUND);
	d->x.agent = AGENT_LOST;
	cr_expect_eq(fixture_grant(&f, "ana", d->id, 0), PST_EBUSY);
	d->x.agent = AGENT_READY;
	cr_expect_eq(fixture_grant(&f, "ana", d->id, d->a.epoch), 0);
	fixture_tick(&f, GRANT_WAIT_MS);
	cr_expect_eq(d->x.session, SESSION_DISCONNECTED, "the viewer never came");
	cr_expect_eq(d->x.hygiene, HYGIENE_DIRTY, "and might have");
}

Test(core, a_gateway_that_is_back_keeps_its_streams_and_ends_strangers)
{
	const char *sessions[] = { NULL, "11111111-0000-4000-8000-000000000000" };
	struct core_event hello = { .kind = EVENT_GATEWAY_HELLO, .gateway = "gw", .sessions = sessions, .session_count = 2 };
	struct core_desktop *d;

	fixture_init(&f, 1, 1, 0);
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	d = fixture_work(&f, "ana");
	sessions[0] = d->s.id;
	fixture_run(&f, &hello);
	cr_expect_eq(d->x.session, SESSION_CONNECTED);
	cr_expect_str_eq(fixture_command(&f, COMMAND_END_SESSION)->session_id, sessions[1]);
	hello.session_count = 0;
	fixture_run(&f, &hello);
	cr_expect_eq(d->x.session, SESSION_DISCONNECTED);
}

/* ---- log-off and hygiene ---- */

static void report(const char *desktop, const char *word, int64_t epoch)
{
	struct core_event ev = {
		.kind = EVENT_AGENT_REPORT, .desktop = desktop, .word = word, .epoch = epoch, .text = "the reason"
	};

	fixture_run(&f, &ev);
}

Test(core, what_becomes_of_a_desktop_at_log_off)
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

Test(core, an_agent_that_does_not_log_off_is_not_waited_for_for_ever)
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

Test(core, a_disconnected_user_keeps_the_desktop_for_the_pools_time)
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

Test(core, a_late_report_of_an_earlier_log_on_touches_nothing)
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
	cr_expect_eq(d->x.session, SESSION_CONNECTED);
	report(d->id, "logoff", d->s.epoch);
	cr_expect_eq(d->x.lease, LEASE_FREE);
}

Test(core, a_stranger_in_a_free_desktop_makes_it_dirty)
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

Test(core, lost_answers_are_asked_for_with_the_same_uuid_and_late_ones_ignored)
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

Test(core, a_new_connection_of_the_provisioner_gets_the_open_tasks_again)
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

Test(core, deleting_always_succeeds_in_the_end)
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

Test(core, retries_back_off_and_end)
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

Test(core, machines_that_stop_are_started_and_those_that_vanish_replaced)
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

Test(core, a_desktop_is_missing_after_two_lists_not_after_one)
{
	struct core_event list = { .kind = EVENT_INVENTORY };
	struct core_desktop *d;

	fixture_init(&f, 1, 1, 0);
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	d = f.st.desktops[0];
	fixture_run(&f, &list);
	cr_expect_eq(d->x.lifecycle, LIFECYCLE_LIVE);
	fixture_tick(&f, INVENTORY_SOON_MS);
	cr_expect_not_null(fixture_command(&f, COMMAND_INVENTORY), "it asks again soon");
	fixture_run(&f, &list);
	cr_expect_eq(d->x.lifecycle, LIFECYCLE_DELETING);
}

Test(core, orphans_go_after_two_sightings_and_never_many_at_once)
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

Test(core, an_agent_that_never_comes_makes_the_desktop_fail_and_go)
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

/* ---- administrators ---- */

Test(core, operations_say_why_they_cannot)
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

Test(core, a_deleted_pool_takes_its_desktops_along)
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

Test(core, a_revoked_user_is_out_at_once)
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

Test(core, an_undone_round_leaves_everything_as_it_was)
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

Test(core, what_people_see_of_a_pool)
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

Test(core, a_restart_of_the_broker_forgets_no_deadline)
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
