/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ends that only a list tells. */
#include "broker/hypervisor/poller.h"

#include "base/loop.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <string.h>

#define ONE "1b4e28ba-2fa1-41d2-883f-0016d3cca427"
#define TWO "2b4e28ba-2fa1-41d2-883f-0016d3cca427"

/* What the next list says. */
static struct {
	atomic_int one, two; /* state, or -1: not there */
	atomic_int rc;
	atomic_int lists;
} world;

static void visit_one(const char *desktop, int state, driver_visit_cb visit, void *arg)
{
	struct machine m = { .state = (enum machine_state)state, .reason = "it burned" };

	pst_strlcpy(m.desktop, sizeof(m.desktop), desktop);
	if (state >= 0)
		visit(&m, arg);
}

static int list(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err)
{
	int rc = atomic_load(&world.rc);

	visit_one(ONE, atomic_load(&world.one), visit, arg);
	visit_one(TWO, rc < 0 ? -1 : atomic_load(&world.two), visit, arg);
	atomic_fetch_add(&world.lists, 1);
	return rc < 0 ? pst_err_set(err, rc, "no answer") : 0;
}

struct heard {
	unsigned n;
	char reason[64];
};

static void on_ended(const char *desktop, const char *reason, void *arg)
{
	struct heard *h = arg;

	h->n++;
	pst_strlcpy(h->reason, sizeof(h->reason), reason);
}

static unsigned cancels;

static void on_cancel(void *arg)
{
	cancels++;
}

static void lists_await(int n)
{
	int from = atomic_load(&world.lists);

	while (atomic_load(&world.lists) < from + n)
		sched_yield();
}

Test(poller, tells_who_died_who_went_and_nothing_when_the_list_fails, .timeout = 30)
{
	struct heard one = { .n = 0 }, two = { .n = 0 };
	struct pst_err err = PST_ERR_INIT;
	uv_loop_t loop;

	uv_loop_init(&loop);
	struct watches *w = watches_create(&loop);
	watches_know(w, ONE);
	watches_know(w, TWO);
	cr_assert_eq(watches_add(w, ONE, on_ended, &one, &err), 0);
	cr_assert_eq(watches_add(w, TWO, on_ended, &two, &err), 0);
	atomic_store(&world.rc, PST_EIO);
	struct poller *p = poller_create(NULL, w, 1, list, &err);
	cr_assert_not_null(p, "%s", err.text);
	lists_await(2);
	uv_run(&loop, UV_RUN_NOWAIT);
	cr_assert_eq(one.n + two.n, 0, "a list that fails is no news");
	atomic_store(&world.one, MACHINE_UNKNOWN);
	atomic_store(&world.rc, 0);
	lists_await(2);
	uv_run(&loop, UV_RUN_NOWAIT);
	cr_assert_eq(one.n, 0, "nor is a machine of which the hypervisor knows nothing now");
	atomic_store(&world.one, MACHINE_FAILED);
	while (one.n == 0)
		uv_run(&loop, UV_RUN_ONCE);
	cr_assert_str_eq(one.reason, "it burned");
	atomic_store(&world.two, -1);
	while (two.n == 0)
		uv_run(&loop, UV_RUN_ONCE);
	cr_assert_str_eq(two.reason, "it was removed at the host");
	poller_destroy(p, on_cancel, NULL);
	poller_destroy(NULL, NULL, NULL);
	cr_assert_gt(cancels, 0);
	watches_destroy(w);
	pst_loop_drain(&loop);
}
