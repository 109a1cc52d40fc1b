/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Power, snapshots, sizes and moves: what the core makes of them. */
#include "broker/core/core_priv.h"
#include "tests/unit/broker/core_fixture.h"

#include <criterion/criterion.h>
#include <string.h>

static struct fixture f;

static void finish(void)
{
	fixture_finish(&f);
}

TestSuite(operation, .fini = finish);

static struct core_desktop *ready(enum on_logoff on_logoff)
{
	fixture_init(&f, 1, 1, 0);
	fixture_pool(&f)->on_logoff = on_logoff;
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	return f.st.desktops[0];
}

static int operate(struct core_desktop *d, enum task_kind kind, const char *arg)
{
	struct core_actor by = { .kind = "user", .name = "root" };
	struct core_event ev = { .kind = EVENT_OPERATE, .desktop = d->id, .operation = kind, .word = arg, .by = &by };

	fixture_run(&f, &ev);
	return f.out.code;
}

static void answer(struct core_desktop *d, bool ok, bool retryable)
{
	char task[CORE_ID_SIZE];

	CORE_COPY(task, d->t.id);
	fixture_result(&f, task, ok, retryable);
}

static void report(struct core_desktop *d, const char *state)
{
	struct machine_report m = { .desktop = d->id, .state = state, .reason = "the host" };
	struct core_event ev = { .kind = EVENT_INVENTORY, .machines = &m, .machine_count = 1 };

	fixture_run(&f, &ev);
}

static const char *state_of(const struct core_desktop *d)
{
	struct desktop_view v;

	desktop_view(&f.st, d, f.now.mono_ms, &v);
	cr_expect_neq(v.reason.en[0], '\0');
	return v.state;
}

Test(operation, a_desktop_that_is_stopped_stays_so_and_goes_to_nobody)
{
	struct core_desktop *d = ready(ON_LOGOFF_REFRESH);

	cr_assert_eq(operate(d, TASK_STOP, ""), 0);
	cr_expect_eq(d->t.kind, TASK_STOP);
	cr_expect_not_null(fixture_command(&f, COMMAND_PROVISION));
	cr_expect_str_eq(state_of(d), "busy");
	answer(d, true, false);
	cr_expect_eq(d->x.power, POWER_OFF);
	cr_expect_str_eq(state_of(d), "stopped");
	report(d, "stopped");
	report(d, "failed");
	fixture_tick(&f, 2 * AGENT_WAIT_MS);
	cr_expect_eq(d->t.id[0], '\0', "nobody starts it");
	cr_expect_eq(d->failures, 0);
	cr_expect_eq(fixture_connect(&f, "ana")->state, CONNECT_WAITING);
	cr_expect_eq(d->x.lease, LEASE_FREE);
	cr_expect_eq(operate(d, TASK_STOP, ""), 0);
	cr_expect_eq(d->t.id[0], '\0', "it is stopped already");
	cr_assert_eq(operate(d, TASK_START, ""), 0);
	cr_expect_eq(d->t.kind, TASK_START);
	cr_expect_str_eq(state_of(d), "restarting");
	fixture_finish_task(&f, d);
	cr_expect_eq(fixture_connect(&f, "ana")->state, CONNECT_READY);
}

Test(operation, its_owner_starts_what_was_stopped)
{
	struct core_desktop *d = ready(ON_LOGOFF_KEEP);

	cr_assert_eq(fixture_work(&f, "ana"), d);
	cr_assert_eq(operate(d, TASK_SUSPEND, ""), 0);
	const struct core_change *end = fixture_change(&f, CHANGE_SESSION_END);
	cr_assert_not_null(end);
	cr_expect_str_eq(end->code, "stop");
	answer(d, true, false);
	cr_expect_eq(d->x.lease, LEASE_HELD);
	cr_expect_eq(fixture_connect(&f, "ana")->state, CONNECT_WAITING);
	cr_expect_eq(d->t.kind, TASK_START);
	cr_expect_eq(f.out.answer.stage, STAGE_START);
	fixture_finish_task(&f, d);
	cr_expect_eq(fixture_connect(&f, "ana")->state, CONNECT_READY);
}

Test(operation, what_cannot_be_stopped_runs_on)
{
	struct core_desktop *d = ready(ON_LOGOFF_REFRESH);

	operate(d, TASK_STOP, "");
	answer(d, false, false);
	cr_expect_eq(d->x.lifecycle, LIFECYCLE_LIVE);
	cr_expect(!d->x.parked);
	cr_expect_eq(d->last.state, TASK_FAILED);
	cr_expect_str_eq(d->last.error, "the image is broken");
	cr_expect_eq(d->x.agent, AGENT_READY, "its agent never left, and says no second hello");
	cr_expect_str_eq(state_of(d), "ready");
	fixture_tick(&f, 2 * AGENT_WAIT_MS);
	cr_expect_eq(d->t.id[0], '\0', "nobody restarts it");
	operate(d, TASK_STOP, "");
	answer(d, true, false);
	report(d, "running");
	cr_expect_eq(d->x.power, POWER_ON, "somebody started it on the host");
	cr_expect(!d->x.parked);
}

Test(operation, snapshots_become_rows_and_go_with_the_disk)
{
	struct core_desktop *d = ready(ON_LOGOFF_REFRESH);
	const struct core_change *ch;

	cr_assert_eq(fixture_work(&f, "ana"), d);
	cr_assert_eq(operate(d, TASK_SNAPSHOT, "before"), 0);
	cr_expect_null(fixture_change(&f, CHANGE_SESSION_END), "the user works on");
	cr_expect_str_eq(fixture_command(&f, COMMAND_PROVISION)->t.arg, "before");
	cr_expect_eq(operate(d, TASK_SNAPSHOT, "two"), PST_ECONFLICT);
	answer(d, true, false);
	answer(d, true, false); /* doubled: no task has no uuid */
	ch = NULL;
	cr_assert_eq(operate(d, TASK_SNAPSHOT, "again"), 0);
	answer(d, true, false);
	ch = fixture_change(&f, CHANGE_SNAPSHOT);
	cr_assert_not_null(ch);
	cr_expect_str_eq(ch->text, "again");
	cr_expect_str_eq(ch->code, "root");
	cr_assert_eq(operate(d, TASK_DROP, "again"), 0);
	answer(d, true, false);
	ch = fixture_change(&f, CHANGE_SNAPSHOT_GONE);
	cr_assert_not_null(ch);
	cr_expect_str_eq(ch->text, "again");
	cr_expect_eq(d->x.session, SESSION_CONNECTED);
	fixture_operate(&f, EVENT_REFRESH, d->id);
	answer(d, true, false);
	ch = fixture_change(&f, CHANGE_SNAPSHOT_GONE);
	cr_assert_not_null(ch);
	cr_expect_str_eq(ch->text, "", "all of them");
}

Test(operation, a_revert_ends_the_session_and_never_cleans)
{
	struct core_desktop *d = ready(ON_LOGOFF_KEEP);

	cr_assert_eq(fixture_work(&f, "ana"), d);
	cr_assert_eq(operate(d, TASK_REVERT, "before"), 0);
	cr_expect_str_eq(fixture_change(&f, CHANGE_SESSION_END)->code, "revert");
	fixture_finish_task(&f, d);
	cr_expect_eq(d->x.hygiene, HYGIENE_DIRTY);
	cr_expect_eq(d->x.lease, LEASE_HELD);
	cr_expect_eq(fixture_connect(&f, "ana")->state, CONNECT_READY);
	cr_expect_eq(fixture_connect(&f, "bea")->state, CONNECT_WAITING);
	operate(d, TASK_REVERT, "nothing");
	answer(d, false, false);
	cr_expect_eq(d->t.kind, TASK_RESTART, "with the disk that it has");
	cr_expect_eq(d->x.lifecycle, LIFECYCLE_LIVE);
}

Test(operation, a_start_of_what_runs_after_all_costs_nothing)
{
	static const char *const names[] = { "local" };
	struct core_event silent = { .kind = EVENT_INVENTORY, .unlisted = names, .unlisted_count = 1 };
	struct core_desktop *d = ready(ON_LOGOFF_REFRESH);

	cr_assert_eq(fixture_work(&f, "ana"), d);
	fixture_run(&f, &silent);
	cr_assert_eq(d->x.power, POWER_UNKNOWN);
	cr_assert_eq(operate(d, TASK_START, ""), 0);
	fixture_run(&f, &(struct core_event){ .kind = EVENT_AGENT_GONE, .desktop = d->id });
	fixture_run(&f, &(struct core_event){ .kind = EVENT_AGENT_HELLO, .desktop = d->id, .text = d->boot, .user_name = "ana" });
	answer(d, true, false);
	cr_expect_eq(d->x.agent, AGENT_READY, "its agent says no further hello");
	cr_expect_eq(d->x.session, SESSION_CONNECTED);
	cr_expect(desktop_is_usable(d));
}

Test(operation, an_agent_that_comes_back_meanwhile_is_heard)
{
	struct core_desktop *d = ready(ON_LOGOFF_REFRESH);
	struct core_event gone = { .kind = EVENT_AGENT_GONE, .desktop = d->id };
	struct core_event back = { .kind = EVENT_AGENT_HELLO, .desktop = d->id, .text = d->boot, .user_name = "" };

	operate(d, TASK_SNAPSHOT, "a");
	fixture_run(&f, &gone);
	fixture_run(&f, &back);
	cr_expect_eq(d->x.agent, AGENT_READY);
	fixture_run(&f, &gone);
	answer(d, true, false);
	cr_expect_gt(d->due.agent_ms, 0, "it is waited for again");
}

Test(operation, what_is_not_carried_or_not_possible_is_refused_in_words)
{
	struct core_desktop *d = ready(ON_LOGOFF_REFRESH);

	cr_expect_eq(operate(d, TASK_MIGRATE, "two"), PST_EUNSUPPORTED);
	cr_expect_str_eq(f.out.refusal.code, "not_carried");
	cr_expect_not_null(strstr(f.out.refusal.en, "migrate"));
	cr_expect_eq(operate(d, TASK_RESIZE, "0,0,4096"), 0);
	answer(d, false, true);
	cr_expect_eq(d->t.state, TASK_PENDING, "it is tried again");
	fixture_settle(&f);
	cr_expect_eq(d->last.state, TASK_DONE);
	fixture_operate(&f, EVENT_REFRESH, d->id);
	cr_expect_eq(operate(d, TASK_STOP, ""), PST_ECONFLICT);
	fixture_operate(&f, EVENT_DELETE, d->id);
	cr_expect_eq(operate(d, TASK_STOP, ""), PST_ENOTFOUND);
}

Test(operation, an_agent_that_is_lost_meanwhile_is_waited_for_whatever_comes_of_the_operation)
{
	for (int ok = 0; ok < 2; ok++) {
		struct core_desktop *d = ready(ON_LOGOFF_REFRESH);
		struct core_event gone = { .kind = EVENT_AGENT_GONE, .desktop = d->id };

		cr_assert_eq(operate(d, TASK_SNAPSHOT, "a"), 0);
		fixture_run(&f, &gone);
		cr_expect_eq(d->due.agent_ms, 0, "its task comes first");
		answer(d, ok, false);
		cr_expect_gt(d->due.agent_ms, f.now.mono_ms, "done: %d", ok);
		if (!ok)
			fixture_finish(&f);
	}
}
