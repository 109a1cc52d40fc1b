/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The decisions of the core: words, growth, assignment, sessions.
 *
 * Covers: broker/core/assign.c broker/core/axes.c broker/core/breaker.c
 * broker/core/idmap.c broker/core/lease.c broker/core/pool_plan.c
 * broker/core/reason.c broker/core/reconcile.c broker/core/session.c
 * broker/core/state.c
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

/* Every create that is asked for is refused, for so long. */
static void refuse_creates(int64_t ms)
{
	for (int64_t t = 0; t < ms; t += 1000) {
		for (size_t i = 0; i < f.st.desktop_count; i++) {
			struct core_task task = f.st.desktops[i]->t;

			if (task.id[0] && task.state == TASK_SENT)
				fixture_result(&f, task.id, task.kind == TASK_DESTROY, true);
		}
		fixture_tick(&f, 1000);
	}
}

/* How long until the pool has a ready desktop, when everything works again. */
static int64_t until_ready(void)
{
	int64_t began = f.now.mono_ms;

	while (!fixture_pool(&f)->ready && f.now.mono_ms - began < 3600000) {
		fixture_settle(&f);
		fixture_tick(&f, 1000);
	}
	return f.now.mono_ms - began;
}

Test(core, retries_of_one_outage_do_not_lengthen_the_pause)
{
	fixture_init(&f, 2, 2, 0);
	fixture_hello(&f, NULL, 0);
	refuse_creates(20000);
	cr_expect_eq(f.st.breakers[0].opened, 1, "opened %d times in 20 s", f.st.breakers[0].opened);
	cr_expect_leq(until_ready(), 60000);
}

Test(core, a_provisioner_or_a_provider_that_is_back_is_tried_at_once)
{
	static const struct provider_report sick = { .name = "local", .kind = "local", .reason = "no space" };
	struct core_event events[] = {
		{ .kind = EVENT_PROVISIONER_GONE },
		{ .kind = EVENT_PROVISIONER_HELLO, .providers = &sick, .provider_count = 1 },
	};

	for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++) {
		fixture_init(&f, 1, 1, 0);
		fixture_hello(&f, NULL, 0);
		refuse_creates(400000); /* the pause is minutes by now */
		cr_assert_gt(f.st.breakers[0].opened, 1);
		fixture_run(&f, &events[i]);
		fixture_tick(&f, 1000);
		fixture_hello(&f, NULL, 0);
		cr_expect_leq(until_ready(), 5000, "case %zu", i);
		if (i == 0)
			fixture_finish(&f);
	}
}

Test(core, a_sick_provider_is_not_asked_to_make_desktops_and_the_reason_is_its_own)
{
	static const struct provider_report sick = { .name = "local", .kind = "local", .reason = "no space" };
	struct core_event hello = { .kind = EVENT_PROVISIONER_HELLO, .providers = &sick, .provider_count = 1 };
	struct core_desktop *d;

	fixture_init(&f, 1, 1, 0);
	fixture_hello(&f, NULL, 0);
	d = f.st.desktops[0];
	fixture_result(&f, d->t.id, false, true);
	fixture_run(&f, &hello);
	fixture_tick(&f, BACKOFF_MAX_MS);
	cr_expect_null(fixture_command(&f, COMMAND_PROVISION));
	cr_expect(strstr(d->reason.en, "no space"), "%s", d->reason.en);
	fixture_hello(&f, NULL, 0);
	cr_expect_not_null(fixture_command(&f, COMMAND_PROVISION));
	cr_expect_str_empty(d->reason.code);
	fixture_settle(&f);
	cr_expect(desktop_is_ready(d));
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

/* ---- who has what ---- */

Test(core, a_lease_is_found_until_it_ends_and_after_an_undo)
{
	struct core_event ev = { .kind = EVENT_USER_REVOKED, .user_id = "ana" };
	struct core_desktop *d;
	struct core_out out;

	fixture_init(&f, 1, 1, 0);
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	cr_assert_eq(fixture_connect(&f, "ana")->state, CONNECT_READY);
	d = state_lease(&f.st, "ana", "pool");
	cr_assert_not_null(d);
	cr_expect_null(state_lease(&f.st, "ana", "other"));
	cr_expect_null(state_lease(&f.st, "eva", "pool"));
	reconcile(&f.st, &ev, &f.now, &f.ids, &out);
	cr_expect_null(state_lease(&f.st, "ana", "pool"));
	core_undo(&f.st, &out);
	core_out_finish(&out);
	cr_expect_eq(state_lease(&f.st, "ana", "pool"), d);
	fixture_run(&f, &ev);
	cr_expect_null(state_lease(&f.st, "ana", "pool"));
}
