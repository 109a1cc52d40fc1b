/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the tests of roll-outs share.
 */
#include "tests/unit/broker/rollout_fixture.h"

#include <criterion/criterion.h>
#include <string.h>

struct fixture f;
struct rollout_plan plan;

void finish(void)
{
	fixture_finish(&f);
}

/* A pool of that size with version 1. */
void world(int min, int max, int spare)
{
	plan = (struct rollout_plan){ .unavailable = 1, .failures = 3, .samples = 3 };
	fixture_init(&f, min, max, spare);
	fixture_hello(&f, NULL, 0);
	fixture_settle(&f);
}

int publish(const char *version, bool verified)
{
	struct core_actor by = { .kind = "user", .name = "root" };
	struct core_rollout wish = { .image_id = "image", .plan = plan };
	struct core_event ev = { .kind = EVENT_PUBLISH, .rollout = &wish, .on = verified, .by = &by };

	CORE_COPY(wish.version, version);
	fixture_run(&f, &ev);
	return f.out.code;
}

int act(enum rollout_act what)
{
	struct core_actor by = { .kind = "user", .name = "root" };
	struct core_event ev = { .kind = EVENT_ROLLOUT, .word = "image", .act = what, .by = &by };

	fixture_run(&f, &ev);
	return f.out.code;
}

struct core_rollout *now(void)
{
	return state_rollout(&f.st, "image");
}

const char *published(void)
{
	return f.st.images[0].published;
}

struct core_desktop *probe(void)
{
	for (size_t i = 0; i < f.st.desktop_count; i++)
		if (f.st.desktops[i]->probe && f.st.desktops[i]->x.lifecycle < LIFECYCLE_DELETING)
			return f.st.desktops[i];
	return NULL;
}

int count(const char *version)
{
	int n = 0;

	for (size_t i = 0; i < f.st.desktop_count; i++)
		n += !f.st.desktops[i]->probe && f.st.desktops[i]->x.lifecycle < LIFECYCLE_DELETING &&
		     !strcmp(f.st.desktops[i]->image_version, version);
	return n;
}

static int ready(void)
{
	int n = 0;

	for (size_t i = 0; i < f.st.desktop_count; i++)
		n += desktop_is_ready(f.st.desktops[i]);
	return n;
}

struct core_desktop *busy(void)
{
	for (size_t i = 0; i < f.st.desktop_count; i++)
		if (f.st.desktops[i]->t.id[0])
			return f.st.desktops[i];
	return NULL;
}

/* One task after another, with a look at the ready ones between; gives the fewest that there were. */
int settle_watching(void)
{
	int fewest = ready();

	for (int i = 0; i < 200 && busy(); i++) {
		fixture_finish_task(&f, busy());
		fixture_tick(&f, 1000);
		fewest = ready() < fewest ? ready() : fewest;
	}
	return fewest;
}

void fail_task(struct core_desktop *d)
{
	char task[CORE_ID_SIZE];

	CORE_COPY(task, d->t.id);
	fixture_result(&f, task, false, false);
}

const char *why(void)
{
	static struct rollout_view v;

	cr_assert(rollout_view(&f.st, "image", &v));
	cr_expect_neq(v.reason.es[0], '\0');
	return v.reason.code;
}
