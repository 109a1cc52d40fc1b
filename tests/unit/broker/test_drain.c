/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several hosts, and taking one of them out of service. Covers: broker/core/host.c broker/core/drain.c broker/core/host.h */
#include "base/err.h"
#include "tests/unit/broker/core_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define HOSTS 3
#define UNIX "{\"kind\":\"unix\"}"

static struct host_report hosts[HOSTS];

static void hosts_begin(void)
{
	static const char *const names[HOSTS] = { "kvm1", "kvm2", "kvm3" };

	for (int i = 0; i < HOSTS; i++)
		hosts[i] = (struct host_report){ .provider = "local", .name = names[i], .reason = "", .processors = 8, .memory_mb = 64000,
			                         .free_mb = 64000, .usable = true, .listed = true };
}

static void hello(struct fixture *f, const char *can, const struct machine_report *machines, size_t count, int n)
{
	struct provider_report local = { .name = "local", .kind = "fake", .healthy = true, .reason = "", .can = can };
	struct core_event ev = { .kind = EVENT_PROVISIONER_HELLO, .providers = &local, .provider_count = 1, .machines = machines,
		                 .machine_count = count, .hosts = hosts, .host_count = (size_t)n };

	fixture_run(f, &ev);
}

static void begin(struct fixture *f, int min, int max)
{
	hosts_begin();
	fixture_init(f, min, max, 0);
	fixture_pool(f)->memory_mb = 1000;
	hello(f, "power,migrate", NULL, 0, HOSTS);
}

/* Every machine as the hosts have it. */
static size_t list(struct fixture *f, struct machine_report *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < f->st.desktop_count; i++)
		ret[n++] = (struct machine_report){ .desktop = f->st.desktops[i]->id, .task = "", .state = "running", .reason = "", .endpoint = UNIX,
			                            .image = "", .uid = 200001, .host = f->st.desktops[i]->place.host };
	return n;
}

static int maintenance(struct fixture *f, const char *host, bool on, int at_once)
{
	struct core_event ev = { .kind = EVENT_HOST_MAINTENANCE, .provider = "provider", .word = host, .on = on, .number = at_once };

	fixture_run(f, &ev);
	return f->out.code;
}

static int on_host(const struct fixture *f, const char *host)
{
	int n = 0;

	for (size_t i = 0; i < f->st.desktop_count; i++)
		n += !strcmp(f->st.desktops[i]->place.host, host);
	return n;
}

static struct core_desktop *moving(const struct fixture *f)
{
	for (size_t i = 0; i < f->st.desktop_count; i++)
		if (f->st.desktops[i]->t.id[0] && f->st.desktops[i]->t.kind == TASK_MIGRATE)
			return f->st.desktops[i];
	return NULL;
}

static int moves(const struct fixture *f)
{
	int n = 0;

	for (size_t i = 0; i < f->st.desktop_count; i++)
		n += f->st.desktops[i]->t.id[0] && f->st.desktops[i]->t.kind == TASK_MIGRATE;
	return n;
}

static int operate(struct fixture *f, const struct core_desktop *d, const char *word)
{
	struct core_event ev = { .kind = EVENT_OPERATE, .desktop = d->id, .operation = TASK_MIGRATE, .word = word };

	fixture_run(f, &ev);
	return f->out.code;
}

Test(drain, new_desktops_are_spread_and_say_why)
{
	struct fixture f;

	begin(&f, 6, 6);
	fixture_settle(&f);
	for (int i = 0; i < HOSTS; i++)
		cr_expect_eq(on_host(&f, hosts[i].name), 2, "%s", hosts[i].name);
	cr_expect_not_null(strstr(f.st.desktops[0]->place.en, "kvm1 ("));
	cr_expect_not_null(strstr(f.st.desktops[0]->place.es, "antes que"));
	fixture_finish(&f);
}

Test(drain, the_command_names_the_host_and_keeps_it)
{
	struct fixture f;
	struct core_desktop *d;
	char host[CORE_WORD_SIZE], task[CORE_ID_SIZE];

	begin(&f, 1, 1);
	d = f.st.desktops[0];
	cr_assert_not_null(fixture_command(&f, COMMAND_PROVISION));
	CORE_COPY(host, d->place.host);
	CORE_COPY(task, d->t.id);
	cr_assert_str_neq(host, "");
	maintenance(&f, host, true, 1);
	fixture_result(&f, task, false, true);
	fixture_tick(&f, 2000);
	cr_expect_str_eq(d->place.host, host, "it may be half made there: nowhere else");
	cr_expect_eq(d->t.state, TASK_SENT);
	fixture_finish(&f);
}

Test(drain, what_was_never_asked_for_goes_elsewhere_when_its_host_closes)
{
	struct fixture f;
	struct core_desktop *d;

	begin(&f, 0, 9);
	f.st.providers[0].max_creates = 1;
	fixture_pool(&f)->min = 2;
	fixture_tick(&f, 1000);
	cr_assert_eq(f.st.desktop_count, 2);
	d = f.st.desktops[1];
	cr_assert_eq(d->t.attempts, 0);
	maintenance(&f, d->place.host, true, 1);
	fixture_finish_task(&f, f.st.desktops[0]);
	cr_expect_eq(d->t.attempts, 1);
	cr_expect_not(state_host_of(&f.st, d)->maintenance, "%s", d->place.host);
	fixture_finish(&f);
}

Test(drain, without_a_host_the_pool_says_which_and_why)
{
	struct fixture f;

	begin(&f, 0, 9);
	maintenance(&f, "kvm1", true, 1);
	hosts[1].usable = hosts[1].listed = false;
	hosts[1].reason = "it burns";
	hosts[2].free_mb = 10;
	hello(&f, "power", NULL, 0, HOSTS);
	fixture_connect(&f, "ana");
	cr_expect_eq(f.st.desktop_count, 0);
	cr_expect_str_eq(f.out.answer.reason.code, "no_host");
	cr_expect_str_eq(f.out.answer.reason.en, "No host of local can take the desktop: kvm1: maintenance; kvm2: away; kvm3: 10 MB free, 1000 needed.");
	cr_expect_not_null(strstr(f.out.answer.reason.es, "kvm1: en mantenimiento"));
	maintenance(&f, "kvm1", false, 1);
	cr_expect_eq(f.st.desktop_count, 1);
	fixture_finish(&f);
}

Test(drain, maintenance_moves_all_one_at_a_time_and_the_session_stays)
{
	struct fixture f;
	struct core_desktop *d;
	struct host_view v;
	char session[CORE_ID_SIZE], host[CORE_WORD_SIZE];

	begin(&f, 6, 6);
	fixture_settle(&f);
	d = fixture_work(&f, "ana");
	CORE_COPY(session, d->s.id);
	CORE_COPY(host, d->place.host);
	cr_assert_eq(maintenance(&f, host, true, 1), 0);
	cr_assert_not_null(fixture_change(&f, CHANGE_HOST));
	for (int left = 2; left > 0; left--) {
		cr_assert_eq(moves(&f), 1);
		host_view(&f.st, state_host(&f.st, "local", host), &v);
		cr_expect_str_eq(v.state, "draining");
		cr_expect(v.total == 2 && v.moved == 2 - left, "%d of %d", v.moved, v.total);
		cr_expect_str_neq(moving(&f)->t.arg, host);
		fixture_finish_task(&f, moving(&f));
	}
	cr_expect_eq(on_host(&f, host), 0);
	cr_expect_eq(moves(&f), 0);
	cr_expect_str_eq(d->s.id, session, "the stream goes on");
	cr_expect_eq(d->x.session, SESSION_CONNECTED);
	fixture_tick(&f, 1000);
	host_view(&f.st, state_host(&f.st, "local", host), &v);
	cr_expect_str_eq(v.state, "empty");
	maintenance(&f, host, false, 1);
	host_view(&f.st, state_host(&f.st, "local", host), &v);
	cr_expect_str_eq(v.state, "ready");
	cr_expect_str_eq(fixture_change(&f, CHANGE_HOST)->code, "", "the row goes");
	fixture_finish(&f);
}

Test(drain, so_many_at_once_as_were_asked_for)
{
	struct fixture f;
	struct core_event ev = { .kind = EVENT_HOST_MAINTENANCE, .provider = "provider", .word = "kvm1", .on = true, .number = 99 };

	begin(&f, 9, 9);
	fixture_settle(&f);
	fixture_tick(&f, 60000);
	fixture_settle(&f);
	cr_assert_eq(on_host(&f, "kvm1"), 3);
	maintenance(&f, "kvm1", true, 2);
	cr_expect_eq(moves(&f), 2);
	fixture_run(&f, &ev);
	cr_expect_eq(state_host(&f.st, "local", "kvm1")->at_once, HOST_AT_ONCE_MAX);
	cr_expect_eq(moves(&f), 3);
	fixture_finish(&f);
}

Test(drain, a_move_that_fails_says_why_and_is_tried_again_elsewhere)
{
	struct fixture f;
	struct core_desktop *d;
	struct core_reason why;
	char to[CORE_WORD_SIZE], task[CORE_ID_SIZE];

	begin(&f, 1, 1);
	fixture_settle(&f);
	d = f.st.desktops[0];
	maintenance(&f, d->place.host, true, 1);
	CORE_COPY(to, d->t.arg);
	CORE_COPY(task, d->t.id);
	fixture_result(&f, task, false, false);
	cr_expect_eq(d->x.lifecycle, LIFECYCLE_LIVE);
	cr_expect_eq(moves(&f), 0, "not at once");
	move_view(&f.st, d, &why);
	cr_expect_str_eq(why.code, "move_failed");
	cr_expect_not_null(strstr(why.en, "the image is broken"));
	fixture_tick(&f, 21000);
	cr_assert_eq(moves(&f), 1);
	cr_expect_str_neq(d->t.arg, to);
	fixture_finish_task(&f, d);
	move_view(&f.st, d, &why);
	cr_expect_str_eq(why.code, "");
	fixture_finish(&f);
}

Test(drain, what_cannot_be_moved_is_named_or_made_anew)
{
	struct fixture f;
	struct core_desktop *ana;
	struct core_reason why;

	begin(&f, 2, 2);
	fixture_settle(&f);
	hello(&f, "power", NULL, 0, HOSTS);
	for (size_t i = 0; i < 2; i++)
		CORE_COPY(f.st.desktops[i]->place.host, "kvm1");
	ana = fixture_work(&f, "ana");
	maintenance(&f, "kvm1", true, 4);
	cr_expect_eq(fixture_count(&f, LIFECYCLE_DELETING), 1, "a spare one costs nobody anything");
	cr_expect_eq(ana->x.lifecycle, LIFECYCLE_LIVE);
	move_view(&f.st, ana, &why);
	cr_expect_str_eq(why.code, "not_carried");
	f.st.hosts[1].maintenance = f.st.hosts[2].maintenance = true;
	fixture_settle(&f);
	fixture_tick(&f, 700000);
	cr_expect_eq(f.st.desktop_count, 1, "and is not made again while no host takes it");
	for (int i = 0; i < 3; i++)
		f.st.hosts[i].maintenance = false;
	fixture_tick(&f, 1000);
	fixture_settle(&f);
	cr_assert_eq(f.st.desktop_count, 2);
	for (int i = 0; i < 3; i++)
		f.st.hosts[i].maintenance = true, f.st.hosts[i].at_once = 4;
	fixture_tick(&f, 1000);
	cr_expect_eq(fixture_count(&f, LIFECYCLE_DELETING), 0, "the last spare one stays where no other host takes it");
	ana->x.power = POWER_OFF;
	move_view(&f.st, ana, &why);
	cr_expect_str_eq(why.code, "move_stopped");
	fixture_finish(&f);
}

Test(drain, a_move_to_a_host_that_closes_is_given_up_before_it_is_asked_for)
{
	struct fixture f;
	struct core_desktop *d;
	char to[CORE_WORD_SIZE], task[CORE_ID_SIZE];

	begin(&f, 1, 1);
	fixture_settle(&f);
	d = f.st.desktops[0];
	maintenance(&f, d->place.host, true, 1);
	CORE_COPY(to, d->t.arg);
	CORE_COPY(task, d->t.id);
	fixture_result(&f, task, false, true); /* and is to be repeated */
	cr_assert_str_eq(d->t.id, task);
	maintenance(&f, to, true, 1);
	cr_expect_str_neq(d->t.id, task);
	fixture_tick(&f, 60000);
	cr_assert_eq(moves(&f), 1);
	cr_expect_str_neq(d->t.arg, to);
	fixture_finish(&f);
}

Test(drain, an_administrators_move_is_placed_or_checked)
{
	struct fixture f;
	struct core_desktop *d;
	char here[CORE_WORD_SIZE];

	begin(&f, 1, 1);
	fixture_settle(&f);
	d = f.st.desktops[0];
	CORE_COPY(here, d->place.host);
	cr_expect_eq(operate(&f, d, "nowhere"), PST_ENOTFOUND);
	cr_expect_eq(operate(&f, d, here), 0);
	cr_expect_eq(moves(&f), 0, "it is there");
	maintenance(&f, "kvm3", true, 1);
	cr_expect_eq(operate(&f, d, "kvm3"), PST_ECONFLICT);
	cr_expect_eq(operate(&f, d, ""), 0);
	cr_assert_eq(moves(&f), 1);
	cr_expect_str_eq(d->t.arg, "kvm2");
	fixture_finish_task(&f, d);
	cr_expect_str_eq(d->place.host, "kvm2");
	fixture_finish(&f);
}

Test(drain, a_host_that_is_away_loses_nobody)
{
	struct machine_report machines[8];
	struct fixture f;
	struct core_desktop *there = NULL;
	size_t n;

	begin(&f, 3, 3);
	fixture_settle(&f);
	n = list(&f, machines);
	for (size_t i = 0; i < f.st.desktop_count; i++)
		if (!strcmp(f.st.desktops[i]->place.host, "kvm2"))
			there = f.st.desktops[i];
	cr_assert_not_null(there);
	hosts[1].usable = hosts[1].listed = false;
	hosts[1].reason = "no answer";
	for (size_t i = 0; i < n; i++)
		if (!strcmp(machines[i].host, "kvm2"))
			machines[i--] = machines[--n];
	for (int lists = 0; lists < 5; lists++) {
		hello(&f, "power,migrate", machines, n, HOSTS);
		fixture_tick(&f, 6000);
	}
	cr_expect_eq(f.st.desktop_count, 3, "neither deleted nor replaced");
	cr_expect_eq(there->x.power, POWER_UNKNOWN);
	cr_expect_str_eq(there->reason.code, "host_away");
	cr_expect_not(desktop_is_ready(there));
	fixture_operate(&f, EVENT_RESTART, there->id);
	cr_expect_eq(there->t.attempts, 0, "nobody restarts what may run");
	cr_expect_str_eq(there->reason.code, "host_away");
	hosts[1].usable = hosts[1].listed = true;
	n = list(&f, machines);
	hello(&f, "power,migrate", machines, n, HOSTS);
	cr_expect_eq(there->t.attempts, 1);
	fixture_finish(&f);
}

Test(drain, a_provider_that_names_no_hosts_any_more_chooses_itself)
{
	struct fixture f;

	begin(&f, 0, 5);
	cr_assert_eq(f.st.host_count, HOSTS);
	hello(&f, "power", NULL, 0, 2);
	cr_expect_eq(f.st.host_count, 2, "one was taken out of the settings");
	hello(&f, "power", NULL, 0, 0);
	cr_expect_eq(f.st.host_count, 0);
	fixture_connect(&f, "ana");
	cr_assert_eq(f.st.desktop_count, 1);
	cr_expect_str_eq(f.st.desktops[0]->place.host, "");
	fixture_finish(&f);
}

Test(drain, the_providers_word_about_where_it_is_counts)
{
	struct machine_report m[1];
	struct fixture f;

	begin(&f, 1, 1);
	fixture_settle(&f);
	list(&f, m);
	m[0].host = "kvm3";
	hello(&f, "power,migrate", m, 1, HOSTS);
	cr_expect_str_eq(f.st.desktops[0]->place.host, "kvm3");
	fixture_finish(&f);
}

Test(drain, an_undone_round_leaves_the_host_in_service)
{
	struct core_event ev = { .kind = EVENT_HOST_MAINTENANCE, .provider = "provider", .word = "kvm1", .on = true, .number = 1 };
	struct core_out out;
	struct fixture f;

	begin(&f, 3, 3);
	fixture_settle(&f);
	reconcile(&f.st, &ev, &f.now, &f.ids, &out);
	cr_assert(state_host(&f.st, "local", "kvm1")->maintenance);
	core_undo(&f.st, &out);
	core_out_finish(&out);
	cr_expect_not(state_host(&f.st, "local", "kvm1")->maintenance);
	cr_expect_eq(moves(&f), 0);
	ev.word = "nowhere";
	fixture_run(&f, &ev);
	cr_expect_eq(f.out.code, PST_ENOTFOUND);
	fixture_finish(&f);
}

Test(drain, a_free_desktop_elsewhere_is_given_first)
{
	struct fixture f;
	struct core_desktop *d;

	begin(&f, 3, 3);
	fixture_settle(&f);
	hello(&f, "power", NULL, 0, HOSTS);
	for (size_t i = 0; i < 2; i++)
		state_host(&f.st, "local", f.st.desktops[i]->place.host)->maintenance = true;
	d = fixture_work(&f, "ana");
	cr_assert_not_null(d);
	cr_expect_not(state_host_of(&f.st, d)->maintenance, "%s", d->place.host);
	fixture_finish(&f);
}

Test(drain, who_is_being_moved_is_not_sent_to_sleep)
{
	struct core_event ev = { .kind = EVENT_OPERATE, .operation = TASK_MIGRATE, .word = "kvm2" };
	struct fixture f;
	struct core_desktop *d;
	char task[CORE_ID_SIZE];

	begin(&f, 1, 4);
	hello(&f, "power,suspend,migrate", NULL, 0, HOSTS);
	fixture_settle(&f);
	d = f.st.desktops[0];
	cr_assert_str_eq(d->place.host, "kvm1");
	ev.desktop = d->id;
	fixture_run(&f, &ev);
	fixture_pool(&f)->min = 0;
	fixture_pool(&f)->tier.want = 1;
	fixture_tick(&f, 1000);
	cr_expect_eq(d->t.kind, TASK_MIGRATE, "%s", task_kind_text(d->t.kind));
	CORE_COPY(task, d->t.id);
	fixture_result(&f, task, true, false);
	fixture_tick(&f, 1000);
	cr_expect_eq(d->t.kind, TASK_SUSPEND, "now it may");
	cr_expect_str_eq(d->place.host, "kvm2");
	fixture_finish(&f);
}
