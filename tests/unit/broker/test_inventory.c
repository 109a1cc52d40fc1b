/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of machines: what is believed of them, and what is not. */
#include "broker/core/core_priv.h"
#include "tests/unit/broker/core_fixture.h"

#include <criterion/criterion.h>
#include <string.h>

static struct fixture f;

static void finish(void)
{
	fixture_finish(&f);
}

TestSuite(inventory, .fini = finish);

Test(inventory, a_desktop_is_missing_after_two_lists_not_after_one)
{
	struct core_event list = { .kind = EVENT_INVENTORY };
	struct core_event agent_gone = { .kind = EVENT_AGENT_GONE };
	struct core_desktop *d;

	fixture_init(&f, 1, 1, 0);
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	d = f.st.desktops[0];
	agent_gone.desktop = d->id;
	fixture_run(&f, &agent_gone);
	fixture_run(&f, &list);
	cr_expect_eq(d->x.lifecycle, LIFECYCLE_LIVE);
	fixture_tick(&f, INVENTORY_SOON_MS);
	cr_expect_not_null(fixture_command(&f, COMMAND_INVENTORY), "it asks again soon");
	fixture_run(&f, &list);
	cr_expect_eq(d->x.lifecycle, LIFECYCLE_DELETING);
}

Test(inventory, who_cannot_be_asked_loses_nobody)
{
	static const char *const names[] = { "local" };
	struct core_event silent = { .kind = EVENT_INVENTORY, .unlisted = names, .unlisted_count = 1 };
	struct machine_report one = { .state = "running" };
	struct core_event back = { .kind = EVENT_INVENTORY, .machines = &one, .machine_count = 1 };
	struct core_event agent_gone = { .kind = EVENT_AGENT_GONE };
	struct desktop_view v;
	struct core_desktop *d;

	fixture_init(&f, 1, 1, 0);
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	d = f.st.desktops[0];
	agent_gone.desktop = d->id;
	fixture_run(&f, &agent_gone);
	for (int i = 0; i < 4; i++)
		fixture_run(&f, &silent);
	cr_expect_eq(d->x.lifecycle, LIFECYCLE_LIVE);
	cr_expect_eq(d->x.power, POWER_UNKNOWN);
	cr_expect_eq(d->missing, 0);
	desktop_view(&f.st, d, 0, &v);
	cr_expect_str_eq(v.state, "unreachable");
	cr_expect_str_eq(v.reason.code, "machine_unknown");
	cr_expect(!desktop_is_ready(d));
	fixture_tick(&f, AGENT_WAIT_MS + 1);
	cr_expect_eq(d->t.id[0], '\0', "no restart of what may not be there");
	one.desktop = d->id;
	fixture_run(&f, &back);
	cr_expect_eq(d->x.power, POWER_ON);
	cr_expect_str_eq(d->reason.code, "");
}

Test(inventory, an_owner_goes_on_with_a_machine_that_nobody_can_ask_about)
{
	static const char *const names[] = { "local" };
	struct core_event silent = { .kind = EVENT_INVENTORY, .unlisted = names, .unlisted_count = 1 };
	struct core_desktop *d;

	fixture_init(&f, 1, 1, 0);
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	d = fixture_work(&f, "ana");
	fixture_run(&f, &silent);
	cr_expect_eq(d->x.power, POWER_UNKNOWN);
	cr_expect(desktop_is_usable(d));
	cr_expect_eq(fixture_connect(&f, "ana")->state, CONNECT_READY);
}

/* A hypervisor that lists nothing for a minute costs no desktop; an administrator can say that it is true. */
Test(inventory, many_that_are_missing_at_once_are_not_believed)
{
	struct core_event list = { .kind = EVENT_INVENTORY };
	struct core_event allow = { .kind = EVENT_REAP_ALLOW };
	struct core_event agent_gone = { .kind = EVENT_AGENT_GONE };
	struct machine_report report = { .state = "running" };

	fixture_init(&f, 3, 3, 0);
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	cr_assert_eq(f.st.desktop_count, 3);
	fixture_run(&f, &list);
	cr_expect_eq(f.st.desktops[0]->x.power, POWER_ON, "their agents are connected: they run");
	for (int i = 0; i < 3; i++) {
		agent_gone.desktop = f.st.desktops[i]->id;
		fixture_run(&f, &agent_gone);
	}
	for (int i = 0; i < 5; i++)
		fixture_run(&f, &list);
	cr_expect(f.st.missing_paused);
	for (int i = 0; i < 3; i++) {
		cr_expect_eq(f.st.desktops[i]->x.lifecycle, LIFECYCLE_LIVE);
		cr_expect_str_eq(f.st.desktops[i]->reason.code, "machine_missing");
	}
	report.desktop = f.st.desktops[1]->id;
	list = (struct core_event){ .kind = EVENT_INVENTORY, .machines = &report, .machine_count = 1 };
	fixture_run(&f, &list);
	cr_expect(!f.st.missing_paused, "one is there, two are not: now it is credible");
	cr_expect_eq(f.st.desktops[0]->x.lifecycle, LIFECYCLE_DELETING);
	cr_expect_eq(f.st.desktops[1]->x.lifecycle, LIFECYCLE_LIVE);
	fixture_init(&f, 2, 2, 0);
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	for (int i = 0; i < 2; i++) {
		agent_gone.desktop = f.st.desktops[i]->id;
		fixture_run(&f, &agent_gone);
	}
	list = (struct core_event){ .kind = EVENT_INVENTORY };
	fixture_run(&f, &list);
	fixture_run(&f, &list);
	cr_expect(f.st.missing_paused);
	fixture_run(&f, &allow);
	cr_expect_eq(f.st.desktops[0]->x.lifecycle, LIFECYCLE_DELETING);
}
