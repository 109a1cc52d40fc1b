/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What agents say, and what one beside the machine's own server is told. */
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

TestSuite(agent_event, .fini = finish);

/* A desktop with Windows: Remote Desktop has the picture, our agent beside it the word of when and who. */
Test(agent_event, an_agent_beside_a_machine_s_own_server_is_awaited_and_told_each_epoch)
{
	struct provider_result res = { .ok = true, .endpoint = "{\"kind\":\"rdp\",\"host\":\"10.0.0.1\",\"port\":3389,\"agent\":true}" };
	struct core_event done = { .kind = EVENT_TASK_RESULT, .result = &res };
	const struct core_command *cmd;
	struct core_desktop *d;
	char task[CORE_ID_SIZE];

	fixture_init(&f, 1, 1, 0);
	fixture_hello(&f, NULL, 0);
	d = f.st.desktops[0];
	CORE_COPY(task, d->t.id);
	res.task = task;
	fixture_run(&f, &done);
	cr_assert(d->beside && !d->agentless && !desktop_is_ready(d));
	fixture_agent(&f, d);
	cr_assert(desktop_is_ready(d));
	fixture_connect(&f, "ana");
	cr_assert_eq(fixture_grant(&f, "ana", d->id, d->a.epoch), 0);
	cmd = fixture_command(&f, COMMAND_AGENT);
	cr_assert(cmd && cmd->tell == AGENT_TELL_LEASE && strcmp(cmd->user_name, "ana") == 0);
	cr_assert_eq(cmd->epoch, d->s.epoch);
	cr_assert_gt(d->s.epoch, d->a.epoch);
	/* A log-off is closed inside, as with any other agent. */
	cr_assert_eq(fixture_operate(&f, EVENT_LOGOFF, d->id), 0);
	cmd = fixture_command(&f, COMMAND_AGENT);
	cr_assert(cmd && cmd->tell == AGENT_TELL_LOGOFF);
	cr_assert_eq(d->x.lease, LEASE_ENDING);
}

static void report(const char *desktop, const char *word, int64_t epoch)
{
	struct core_event ev = { .kind = EVENT_AGENT_REPORT, .desktop = desktop, .word = word, .epoch = epoch, .text = "the reason" };

	fixture_run(&f, &ev);
}

static size_t noted(const char *kind, const char *text)
{
	size_t n = 0;

	for (size_t i = 0; i < f.out.change_count; i++)
		n += f.out.changes[i].kind == CHANGE_AUDIT && !strcmp(f.out.changes[i].word, kind) && !strcmp(f.out.changes[i].text, text);
	return n;
}

Test(agent_event, words_of_an_agent_are_written_down)
{
	static const char *const words[] = { "logon", "locked", "unlocked", "console", "foreign", "left", "refused" };
	char kind[64];

	fixture_init(&f, 1, 1, 0);
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
	struct core_desktop *d = fixture_work(&f, "ana");
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		snprintf(kind, sizeof(kind), "desktop.%s", words[i]);
		cr_assert_str_eq(agent_noted(words[i]), kind);
		report(d->id, words[i], d->epoch);
		cr_expect_eq(noted(kind, "the reason"), 1, "%s", kind);
		cr_expect(d->x.lease == LEASE_HELD && d->x.session == SESSION_CONNECTED, "%s: nothing else comes of it", kind);
		report(d->id, words[i], 1);
		cr_expect_eq(noted(kind, "the reason"), d->epoch == 1, "an earlier owner's is nobody's");
	}
	cr_expect_null(agent_noted("logoff"));
	cr_expect_null(agent_noted("rubbish"));
}

static const struct core_command *told(enum agent_tell tell)
{
	for (size_t i = 0; i < f.out.command_count; i++)
		if (f.out.commands[i].kind == COMMAND_AGENT && f.out.commands[i].tell == tell)
			return &f.out.commands[i];
	return NULL;
}

static void stop(const char *desktop)
{
	struct core_actor by = { .kind = "user", .name = "root" };
	struct core_event ev = { .kind = EVENT_OPERATE, .desktop = desktop, .operation = TASK_STOP, .word = "", .by = &by };

	fixture_run(&f, &ev);
}

/* Before its machine is stopped or restarted; one of Linux has its power button. */
Test(agent_event, an_agent_beside_the_server_is_asked_to_shut_down)
{
	for (int beside = 0; beside < 2; beside++) {
		for (int restart = 0; restart < 2; restart++) {
			struct core_desktop *d;

			fixture_init(&f, 1, 1, 0);
			fixture_hello(&f, NULL, 0);
			fixture_settle(&f);
			d = f.st.desktops[0];
			d->beside = beside;
			if (restart)
				fixture_operate(&f, EVENT_RESTART, d->id);
			else
				stop(d->id);
			cr_assert_eq(f.out.code, 0, "%s", f.out.refusal.en);
			cr_expect_eq(d->t.kind, restart ? TASK_RESTART : TASK_STOP);
			cr_expect_eq(told(AGENT_TELL_SHUTDOWN) != NULL, beside, "beside %d, restart %d", beside, restart);
		}
	}
}
