/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The small world of the core's tests.
 */
#include "tests/unit/broker/core_fixture.h"

#include <stdio.h>
#include <string.h>

static void fixture_uuid(void *arg, char ret[CORE_ID_SIZE])
{
	struct fixture *f = arg;

	snprintf(ret, CORE_ID_SIZE, "00000000-0000-4000-8000-%012d", ++f->next_id);
}

void fixture_init(struct fixture *f, int min, int max, int spare)
{
	struct core_provider *pr;
	struct core_image *im;
	struct core_pool *p;

	memset(f, 0, sizeof(*f));
	core_state_init(&f->st);
	f->now = (struct core_now){ 1000000, 1700000000000 };
	f->ids = (struct core_ids){ fixture_uuid, f };
	pr = state_add_provider(&f->st);
	im = state_add_image(&f->st);
	p = state_add_pool(&f->st);
	CORE_COPY(pr->id, "provider");
	CORE_COPY(pr->name, "local");
	pr->max_creates = 8;
	pr->tokens = 16;
	pr->enabled = true;
	CORE_COPY(im->id, "image");
	CORE_COPY(im->name, "demo");
	CORE_COPY(im->published, "1");
	CORE_COPY(p->id, "pool");
	CORE_COPY(p->name, "demo");
	CORE_COPY(p->provider_id, "provider");
	CORE_COPY(p->image_id, "image");
	CORE_COPY(p->image_version, "latest");
	p->on_logoff = ON_LOGOFF_REFRESH;
	p->min = min;
	p->max = max;
	p->spare = spare;
	p->next_number = 1;
	p->enabled = true;
}

void fixture_finish(struct fixture *f)
{
	core_out_finish(&f->out);
	core_state_finish(&f->st);
}

struct core_pool *fixture_pool(struct fixture *f)
{
	return &f->st.pools[0];
}

void fixture_run(struct fixture *f, const struct core_event *ev)
{
	core_out_finish(&f->out);
	reconcile(&f->st, ev, &f->now, &f->ids, &f->out);
	core_commit(&f->st, &f->out);
}

void fixture_tick(struct fixture *f, int64_t ms)
{
	struct core_event ev = { .kind = EVENT_TICK };

	f->now.mono_ms += ms;
	f->now.wall_ms += ms;
	fixture_run(f, &ev);
}

void fixture_hello(struct fixture *f, const struct machine_report *machines, size_t count)
{
	static const struct provider_report local = { .name = "local", .kind = "local", .healthy = true, .reason = "",
		                                      .can = "power,suspend,snapshot,resize,personal" };
	struct core_event ev = { .kind = EVENT_PROVISIONER_HELLO,
		                 .providers = &local,
		                 .provider_count = 1,
		                 .machines = machines,
		                 .machine_count = count };

	fixture_run(f, &ev);
}

void fixture_result(struct fixture *f, const char *task, bool ok, bool retryable)
{
	char id[CORE_ID_SIZE]; /* it may be of the last round's commands, which go now */
	struct provider_result res = { .task = id,
		                       .ok = ok,
		                       .retryable = retryable,
		                       .endpoint = ok ? "{\"kind\":\"unix\"}" : NULL,
		                       .uid = ok ? 200001 : 0,
		                       .error_code = "broken",
		                       .error = "the image is broken" };
	struct core_event ev = { .kind = EVENT_TASK_RESULT, .result = &res };

	CORE_COPY(id, task);
	fixture_run(f, &ev);
}

void fixture_agent(struct fixture *f, struct core_desktop *d)
{
	char boot[CORE_ID_SIZE];
	struct core_event enrol = { .kind = EVENT_ENROLLED, .desktop = d->id };
	struct core_event hello = { .kind = EVENT_AGENT_HELLO, .desktop = d->id, .text = boot, .user_name = "" };

	fixture_uuid(f, boot);
	fixture_run(f, &enrol);
	fixture_run(f, &hello);
}

void fixture_finish_task(struct fixture *f, struct core_desktop *d)
{
	bool up = d->t.kind != TASK_DESTROY && !operation_is(d->t.kind);
	char task[CORE_ID_SIZE];

	CORE_COPY(task, d->t.id);
	fixture_result(f, task, true, false);
	if (up)
		fixture_agent(f, d);
}

void fixture_settle(struct fixture *f)
{
	for (int rounds = 0; rounds < 100; rounds++) {
		struct core_desktop *busy = NULL;

		for (size_t i = 0; i < f->st.desktop_count && !busy; i++)
			if (f->st.desktops[i]->t.id[0])
				busy = f->st.desktops[i];
		if (!busy)
			return;
		fixture_finish_task(f, busy);
	}
}

const struct connect_answer *fixture_connect(struct fixture *f, const char *user)
{
	struct core_event ev = { .kind = EVENT_CONNECT, .pool = "pool", .user_id = user, .user_name = user };

	fixture_run(f, &ev);
	return &f->out.answer;
}

int fixture_grant(struct fixture *f, const char *user, const char *desktop, int64_t lease_epoch)
{
	struct core_event ev = { .kind = EVENT_GRANT,
		                 .desktop = desktop,
		                 .user_id = user,
		                 .epoch = lease_epoch,
		                 .gateway = "gw",
		                 .protocol = PROTOCOL_WS };

	fixture_run(f, &ev);
	return f->out.code;
}

struct core_desktop *fixture_work(struct fixture *f, const char *user)
{
	char id[CORE_ID_SIZE];
	struct core_desktop *d;
	struct core_event started = { .kind = EVENT_SESSION_STARTED };

	CORE_COPY(id, fixture_connect(f, user)->desktop_id);
	if (!id[0] || fixture_grant(f, user, id, 0) < 0)
		return NULL;
	d = state_desktop(&f->st, id);
	started.session = d->s.id;
	fixture_run(f, &started);
	return d;
}

int fixture_operate(struct fixture *f, enum core_event_kind kind, const char *desktop)
{
	struct core_event ev = { .kind = kind, .desktop = desktop, .on = true };

	fixture_run(f, &ev);
	return f->out.code;
}

const struct core_command *fixture_command(const struct fixture *f, enum command_kind kind)
{
	for (size_t i = 0; i < f->out.command_count; i++)
		if (f->out.commands[i].kind == kind)
			return &f->out.commands[i];
	return NULL;
}

const struct core_change *fixture_change(const struct fixture *f, enum change_kind kind)
{
	for (size_t i = 0; i < f->out.change_count; i++)
		if (f->out.changes[i].kind == kind)
			return &f->out.changes[i];
	return NULL;
}

size_t fixture_count(const struct fixture *f, enum lifecycle lifecycle)
{
	size_t n = 0;

	for (size_t i = 0; i < f->st.desktop_count; i++)
		n += f->st.desktops[i]->x.lifecycle == lifecycle;
	return n;
}
