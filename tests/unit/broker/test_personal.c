/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Users' own disks: brought before the session, taken away before the desktop is made new. */
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

TestSuite(personal_core, .fini = finish);

static void begin(int max, enum on_logoff on_logoff)
{
	fixture_init(&f, max, max, 0);
	fixture_pool(&f)->on_logoff = on_logoff;
	fixture_pool(&f)->personal_mb = 64;
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
}

static struct core_desktop *of(const char *user)
{
	return state_lease(&f.st, user, "pool");
}

static void answer(struct core_desktop *d, bool ok, bool retryable)
{
	char task[CORE_ID_SIZE];

	CORE_COPY(task, d->t.id);
	fixture_result(&f, task, ok, retryable);
}

static void says(const struct core_desktop *d, const char *word)
{
	char id[CORE_ID_SIZE];
	struct core_event ev = { .kind = EVENT_AGENT_REPORT, .desktop = id, .word = word, .epoch = d->epoch, .text = "the guest's reason" };

	CORE_COPY(id, d->id);
	fixture_run(&f, &ev);
}

static bool told(enum agent_tell tell)
{
	for (size_t i = 0; i < f.out.command_count; i++)
		if (f.out.commands[i].kind == COMMAND_AGENT && f.out.commands[i].tell == tell)
			return true;
	return false;
}

static void waits_for(const char *user, const char *code)
{
	const struct connect_answer *a = fixture_connect(&f, user);

	cr_assert_eq(a->state, CONNECT_WAITING);
	cr_assert_str_eq(a->reason.code, code, "%s", a->reason.en);
	cr_assert(a->reason.en[0] && a->reason.es[0]);
}

/* Up to the desktop in which ana works with her files. */
static struct core_desktop *brought(const char *user)
{
	struct core_desktop *d;

	fixture_connect(&f, user);
	d = of(user);
	cr_assert_not_null(d);
	cr_assert_eq(d->t.kind, TASK_ATTACH);
	answer(d, true, false);
	says(d, "mounted");
	cr_assert_eq(d->personal.phase, PERSONAL_MOUNTED);
	return d;
}

Test(personal_core, nobody_connects_before_his_files_are_there)
{
	struct core_desktop *d;

	begin(1, ON_LOGOFF_REFRESH);
	waits_for("ana", "personal_bring");
	d = of("ana");
	cr_assert(d->personal.held);
	cr_assert_eq(d->x.hygiene, HYGIENE_DIRTY);
	cr_assert_eq(fixture_grant(&f, "ana", d->id, 0), PST_EBUSY);
	answer(d, true, false);
	cr_assert(told(AGENT_TELL_MOUNT));
	cr_assert_eq(fixture_grant(&f, "ana", d->id, 0), PST_EBUSY);
	waits_for("ana", "personal_bring");
	says(d, "mounted");
	cr_assert_not_null(fixture_command(&f, COMMAND_WAITER));
	cr_assert_eq(fixture_connect(&f, "ana")->state, CONNECT_READY);
	cr_assert_not_null(fixture_work(&f, "ana"));
}

/* The agent of Windows knows nothing of mounts: it would be waited for in vain. */
Test(personal_core, an_agent_beside_the_machine_s_own_server_is_brought_nothing)
{
	begin(1, ON_LOGOFF_REFRESH);
	f.st.desktops[0]->beside = true;
	cr_assert_eq(fixture_connect(&f, "ana")->state, CONNECT_READY);
	cr_assert_eq(of("ana")->personal.phase, PERSONAL_NONE);
	cr_assert_eq(of("ana")->t.id[0], '\0');
}

Test(personal_core, the_disk_is_gone_before_the_desktop_is_made_new)
{
	struct core_desktop *d;

	begin(1, ON_LOGOFF_REFRESH);
	d = brought("ana");
	fixture_work(&f, "ana");
	cr_assert_eq(fixture_operate(&f, EVENT_LOGOFF, d->id), 0);
	says(d, "logoff");
	cr_assert_eq(d->x.lease, LEASE_FREE);
	cr_assert_eq(d->personal.phase, PERSONAL_LEAVING);
	cr_assert(told(AGENT_TELL_UNMOUNT));
	cr_assert_eq(d->t.id[0], '\0');
	says(d, "unmounted");
	cr_assert_eq(d->t.kind, TASK_DETACH);
	cr_assert(d->personal.held);
	answer(d, true, false);
	cr_assert_eq(d->t.kind, TASK_REFRESH);
	cr_assert(!d->personal.held);
	fixture_settle(&f);
	cr_assert(desktop_is_ready(d));
}

Test(personal_core, a_pool_that_deletes_at_log_off_waits_for_it_too)
{
	struct core_desktop *d;

	begin(1, ON_LOGOFF_DELETE);
	d = brought("ana");
	fixture_work(&f, "ana");
	fixture_operate(&f, EVENT_LOGOFF, d->id);
	says(d, "logoff");
	says(d, "unmounted");
	answer(d, true, false);
	cr_assert_eq(d->t.kind, TASK_DESTROY);
	cr_assert(!d->personal.held);
}

Test(personal_core, a_guest_that_does_not_let_go_is_removed_with_its_machine)
{
	struct core_desktop *d;

	begin(2, ON_LOGOFF_REFRESH);
	d = brought("ana");
	fixture_work(&f, "ana");
	fixture_operate(&f, EVENT_LOGOFF, d->id);
	says(d, "logoff");
	/* She comes again at once: another desktop, and the files are still with the old one. */
	waits_for("ana", "personal_elsewhere");
	cr_assert_neq(of("ana"), d);
	fixture_tick(&f, UNMOUNT_WAIT_MS + 1);
	cr_assert_eq(d->t.kind, TASK_DESTROY);
	cr_assert(d->personal.held);
	cr_assert_str_eq(fixture_change(&f, CHANGE_PERSONAL)->code, "unclean");
	waits_for("ana", "personal_elsewhere");
	answer(d, true, false);
	cr_assert_eq(of("ana")->t.kind, TASK_ATTACH);
	waits_for("ana", "personal_bring");
}

Test(personal_core, what_cannot_be_brought_is_tried_elsewhere_and_then_refused_with_the_reason)
{
	struct core_desktop *d;

	begin(2, ON_LOGOFF_REFRESH);
	for (int tries = 0; tries < 2; tries++) {
		fixture_connect(&f, "ana");
		d = of("ana");
		cr_assert_eq(d->t.kind, TASK_ATTACH);
		answer(d, false, true);
		waits_for("ana", "task_retry");
		fixture_tick(&f, BACKOFF_FIRST_MS + 1);
		answer(d, false, false);
		cr_assert_eq(d->t.kind, TASK_DESTROY);
		cr_assert_null(of("ana"));
		if (tries == 0)
			answer(d, true, false); /* until then nobody else may have it */
	}
	cr_assert_eq(fixture_connect(&f, "ana")->state, CONNECT_REFUSED);
	cr_assert_str_eq(f.out.answer.reason.code, "personal_failed");
	cr_assert(strstr(f.out.answer.reason.en, "the image is broken"), "%s", f.out.answer.reason.en);
	cr_assert_eq(fixture_connect(&f, "bea")->state, CONNECT_WAITING, "it is hers alone");
	fixture_tick(&f, SETBACK_FIRST_MS + 1);
	fixture_settle(&f);
	cr_assert_neq(fixture_connect(&f, "ana")->state, CONNECT_REFUSED);
}

Test(personal_core, a_guest_that_cannot_mount_or_says_nothing_is_given_up)
{
	for (int silent = 0; silent < 2; silent++) {
		struct core_desktop *d;

		begin(1, ON_LOGOFF_REFRESH);
		fixture_connect(&f, "ana");
		d = of("ana");
		answer(d, true, false);
		if (silent) {
			fixture_tick(&f, MOUNT_WAIT_MS / 2);
			fixture_connect(&f, "ana"); /* she still waits */
			fixture_tick(&f, MOUNT_WAIT_MS / 2 + 1);
		} else
			says(d, "unmountable");
		cr_assert_eq(d->t.kind, TASK_DESTROY);
		cr_assert_null(of("ana"));
		if (!silent)
			fixture_finish(&f);
	}
}

Test(personal_core, a_machine_that_starts_again_gets_the_disk_again)
{
	struct machine_report m = { .state = "failed", .reason = "it fell" };
	struct core_event ev = { .kind = EVENT_MACHINE, .machines = &m, .machine_count = 1 };
	struct core_desktop *d;

	begin(2, ON_LOGOFF_REFRESH);
	d = brought("ana");
	fixture_work(&f, "ana");
	m.desktop = d->id;
	fixture_run(&f, &ev);
	cr_assert_eq(d->t.kind, TASK_RESTART);
	cr_assert(d->personal.held);
	fixture_finish_task(&f, d);
	cr_assert_eq(d->t.kind, TASK_ATTACH, "phase %d", d->personal.phase);
	answer(d, true, false);
	says(d, "mounted");
	cr_assert_eq(fixture_connect(&f, "ana")->state, CONNECT_READY);
	/* It falls for good: its disk is free when the machine is no more. */
	d->failures = MACHINE_TRIES - 1;
	fixture_run(&f, &ev);
	cr_assert_eq(d->t.kind, TASK_DESTROY);
	cr_assert(d->personal.held);
}

Test(personal_core, a_start_of_a_machine_that_runs_after_all_takes_no_disk_out_of_it)
{
	struct core_actor by = { .kind = "user", .name = "root" };
	struct core_event ev = { .kind = EVENT_OPERATE, .operation = TASK_START, .word = "", .by = &by };
	struct core_desktop *d;

	begin(2, ON_LOGOFF_REFRESH);
	d = brought("ana");
	fixture_work(&f, "ana");
	cr_assert_eq(d->personal.phase, PERSONAL_MOUNTED);
	d->x.power = POWER_UNKNOWN; /* a move failed, and nobody has looked since */
	ev.desktop = d->id;
	fixture_run(&f, &ev);
	cr_assert_eq(d->t.kind, TASK_START);
	answer(d, true, false);
	cr_assert_eq(d->personal.phase, PERSONAL_MOUNTED, "its guest has it still");
}

Test(personal_core, who_does_not_come_gives_it_back)
{
	struct core_desktop *d;

	begin(1, ON_LOGOFF_REFRESH);
	d = brought("ana");
	fixture_tick(&f, CLAIM_WAIT_MS + 1);
	cr_assert_eq(d->x.lease, LEASE_FREE);
	cr_assert_eq(d->personal.phase, PERSONAL_LEAVING);
	says(d, "unmounted");
	fixture_settle(&f);
	cr_assert(desktop_is_ready(d));
	/* And who leaves while it is on its way: what the provider was asked is taken back. */
	fixture_connect(&f, "ana");
	cr_assert_eq(d->t.kind, TASK_ATTACH);
	fixture_operate(&f, EVENT_LOGOFF, d->id);
	cr_assert_eq(d->t.kind, TASK_DETACH);
	answer(d, true, false);
	cr_assert_eq(d->t.kind, TASK_REFRESH);
}

Test(personal_core, a_restarted_broker_and_an_agent_that_comes_again_go_on)
{
	struct core_event hello = { .kind = EVENT_AGENT_HELLO, .user_name = "" };
	char boot[CORE_ID_SIZE];
	struct core_desktop *d;

	begin(1, ON_LOGOFF_REFRESH);
	fixture_connect(&f, "ana");
	d = of("ana");
	answer(d, true, false);
	core_state_resume(&f.st, &f.now);
	cr_assert_gt(d->due.personal_ms, f.now.mono_ms);
	CORE_COPY(boot, d->boot);
	hello.desktop = d->id;
	hello.text = boot;
	fixture_run(&f, &hello);
	cr_assert(told(AGENT_TELL_MOUNT), "the word may have been lost");
	says(d, "mounted");
	fixture_run(&f, &hello);
	cr_assert_eq(d->personal.phase, PERSONAL_MOUNTED, "the agent alone began anew");
	boot[0] = boot[0] == 'f' ? 'e' : 'f';
	fixture_run(&f, &hello);
	cr_assert_eq(d->t.kind, TASK_ATTACH, "the whole machine did");
}

Test(personal_core, snapshots_and_saved_memory_have_no_users_files_in_them)
{
	static const enum task_kind kinds[] = { TASK_SNAPSHOT, TASK_REVERT, TASK_SUSPEND };
	struct core_desktop *d;

	begin(1, ON_LOGOFF_REFRESH);
	d = brought("ana");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct core_event ev = { .kind = EVENT_OPERATE, .desktop = d->id, .operation = kinds[i], .word = "a" };

		fixture_run(&f, &ev);
		cr_assert_eq(f.out.code, PST_ECONFLICT);
	}
	fixture_operate(&f, EVENT_LOGOFF, d->id);
	cr_assert_eq(d->personal.phase, PERSONAL_LEAVING);
	cr_assert_eq(fixture_operate(&f, EVENT_RESTART, d->id), PST_ECONFLICT);
}

Test(personal_core, pools_that_keep_the_desktop_and_dedicated_ones_bring_nothing)
{
	begin(1, ON_LOGOFF_KEEP);
	cr_assert_eq(fixture_connect(&f, "ana")->state, CONNECT_READY);
	cr_assert_eq(of("ana")->personal.phase, PERSONAL_NONE);
	fixture_finish(&f);
	begin(1, ON_LOGOFF_REFRESH);
	fixture_pool(&f)->kind = POOL_DEDICATED;
	cr_assert_eq(fixture_connect(&f, "ana")->state, CONNECT_READY);
}

Test(personal_core, a_provider_that_does_not_carry_it_says_so)
{
	begin(1, ON_LOGOFF_REFRESH);
	CORE_COPY(f.st.served[0].can, "power");
	waits_for("ana", "not_carried");
	cr_assert(!of("ana")->personal.held);
}

Test(personal_core, a_pool_that_brings_no_files_any_more_lets_in_who_waited_for_them)
{
	begin(2, ON_LOGOFF_REFRESH);
	for (int tries = 0; tries < 2; tries++) {
		fixture_connect(&f, "ana");
		answer(of("ana"), false, false);
		fixture_settle(&f);
	}
	cr_assert_eq(fixture_connect(&f, "ana")->state, CONNECT_REFUSED);
	fixture_pool(&f)->personal_mb = 0;
	cr_assert_eq(fixture_connect(&f, "ana")->state, CONNECT_READY, "%s", f.out.answer.reason.en);
}

Test(personal_core, at_the_ceiling_the_setback_that_is_over_first_makes_room)
{
	struct core_setback *soon = NULL;

	begin(2, ON_LOGOFF_REFRESH);
	for (int i = 0; i < CORE_SETBACKS_MAX; i++) {
		struct core_setback *s = state_add_setback(&f.st);

		cr_assert_not_null(s);
		snprintf(s->user_id, sizeof(s->user_id), "user-%d", i);
		CORE_COPY(s->pool_id, "pool");
		s->failures = 3;
		s->until_ms = f.now.mono_ms + (i == 700 ? 100000 : 900000);
		if (i == 700)
			soon = s;
	}
	fixture_connect(&f, "ana");
	answer(of("ana"), false, false);
	cr_assert_str_eq(soon->user_id, "ana");
	cr_assert_gt(soon->until_ms, f.now.mono_ms, "it waits from the first time on");
	cr_assert_eq(f.st.setback_count, CORE_SETBACKS_MAX);
	fixture_settle(&f);
	cr_assert_eq(fixture_connect(&f, "ana")->state, CONNECT_REFUSED);
	cr_assert_eq(fixture_connect(&f, "user-1")->state, CONNECT_REFUSED, "the others' stay");
}

Test(personal_core, a_pool_that_brings_no_files_any_more_holds_up_nobody_who_waits_for_them)
{
	struct core_desktop *d;

	begin(2, ON_LOGOFF_REFRESH);
	d = brought("ana");
	fixture_work(&f, "ana");
	fixture_operate(&f, EVENT_LOGOFF, d->id);
	says(d, "logoff");
	waits_for("ana", "personal_elsewhere");
	fixture_pool(&f)->personal_mb = 0;
	cr_assert_eq(fixture_connect(&f, "ana")->state, CONNECT_READY, "%s", f.out.answer.reason.en);
	cr_assert_eq(of("ana")->personal.phase, PERSONAL_NONE);
	cr_assert(d->personal.held, "what was brought before is taken away as ever");
	says(d, "unmounted");
	cr_assert_eq(d->t.kind, TASK_DETACH);
}

Test(personal_core, a_machine_that_is_started_again_is_not_late_with_the_disk_meanwhile)
{
	struct machine_report m = { .state = "failed", .reason = "it fell" };
	struct core_event ev = { .kind = EVENT_MACHINE, .machines = &m, .machine_count = 1 };
	struct core_desktop *d;

	begin(1, ON_LOGOFF_REFRESH);
	fixture_connect(&f, "ana");
	d = of("ana");
	answer(d, true, false);
	cr_assert_eq(d->personal.phase, PERSONAL_ATTACHED);
	m.desktop = d->id;
	fixture_run(&f, &ev);
	cr_assert_eq(d->t.kind, TASK_RESTART);
	fixture_connect(&f, "ana");
	fixture_tick(&f, MOUNT_WAIT_MS / 2);
	fixture_connect(&f, "ana");
	fixture_tick(&f, MOUNT_WAIT_MS / 2 + 1);
	cr_assert_eq(d->t.kind, TASK_RESTART, "%s", task_kind_text(d->t.kind));
	cr_assert_eq(f.st.setback_count, 0);
}

Test(personal_core, who_works_in_a_stopped_desktop_keeps_it_when_the_broker_starts_again)
{
	struct core_event stop = { .kind = EVENT_OPERATE, .operation = TASK_STOP, .word = "" };
	struct core_desktop *d;

	begin(1, ON_LOGOFF_REFRESH);
	d = brought("ana");
	fixture_work(&f, "ana");
	stop.desktop = d->id;
	fixture_run(&f, &stop);
	answer(d, true, false);
	cr_assert(d->x.parked && d->x.power == POWER_OFF);
	core_state_resume(&f.st, &f.now);
	fixture_tick(&f, CLAIM_WAIT_MS + 1);
	cr_assert_eq(of("ana"), d);
	cr_assert_eq(d->t.id[0], '\0');
}

Test(personal_core, what_is_being_logged_off_lets_go_of_the_disk_before_anything_else)
{
	static const enum core_event_kind kinds[] = { EVENT_RESTART, EVENT_REFRESH, EVENT_OPERATE };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct core_event ev = { .kind = kinds[i], .operation = TASK_STOP, .word = "" };
		struct core_desktop *d;

		begin(1, ON_LOGOFF_REFRESH);
		d = brought("ana");
		fixture_work(&f, "ana");
		fixture_operate(&f, EVENT_LOGOFF, d->id);
		cr_assert_eq(d->x.lease, LEASE_ENDING);
		ev.desktop = d->id;
		fixture_run(&f, &ev);
		cr_expect_eq(d->personal.phase, PERSONAL_LEAVING);
		cr_expect_eq(d->t.id[0], '\0', "%d: %s", kinds[i], task_kind_text(d->t.kind));
		cr_expect_not(d->x.parked);
		says(d, "unmounted");
		answer(d, true, false);
		cr_expect_eq(d->t.kind, TASK_REFRESH);
		if (i + 1 < sizeof(kinds) / sizeof(*kinds))
			fixture_finish(&f);
	}
}

Test(personal_core, who_owned_his_desktop_before_the_pool_was_floating_keeps_it_as_it_is)
{
	struct core_desktop *d;

	begin(1, ON_LOGOFF_REFRESH);
	fixture_pool(&f)->kind = POOL_DEDICATED;
	cr_assert_eq(fixture_connect(&f, "ana")->state, CONNECT_READY);
	d = of("ana");
	fixture_pool(&f)->kind = POOL_FLOATING;
	cr_assert_eq(fixture_operate(&f, EVENT_REFRESH, d->id), 0);
	fixture_settle(&f);
	cr_assert_eq(of("ana"), d);
	cr_assert_eq(d->personal.phase, PERSONAL_NONE);
	cr_assert_eq(fixture_connect(&f, "ana")->state, CONNECT_READY);
}
