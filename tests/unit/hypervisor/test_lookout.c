/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The thread tells of what ended, once, and of nothing while the hypervisor is silent. */
#include "broker/hypervisor/rest/lookout.h"

#include "base/loop.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <string.h>

#define DESKTOP "1b4e28ba-2fa1-41d2-883f-0016d3cca427"

static atomic_int mode, lists; /* 0: it runs; 1: no answer; 2: it is gone */

static int list(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err)
{
	struct machine m = { .state = MACHINE_RUNNING };
	int now = atomic_load(&mode); /* once: a list is of one moment */

	(void)d;
	atomic_fetch_add(&lists, 1);
	if (now == 1)
		return pst_err_set(err, PST_ECLOSED, "silent");
	pst_strlcpy(m.desktop, sizeof(m.desktop), DESKTOP);
	if (now == 0)
		visit(&m, arg);
	return 0;
}

static void on_ended(const char *desktop, const char *reason, void *arg)
{
	cr_assert_str_eq(desktop, DESKTOP);
	cr_assert_neq(reason[0], '\0');
	++*(int *)arg;
}

/* Until the thread has looked twice more. */
static void looks_await(void)
{
	int now = atomic_load(&lists);

	while (atomic_load(&lists) < now + 2)
		sched_yield();
}

Test(lookout, tells_of_what_ended)
{
	struct rest_params rp = { .what = "x", .section = "x", .deadline_ms = 1000, .http = { .socket = "/nowhere" } };
	struct pst_err err = PST_ERR_INIT;
	struct lookout_params p = { .poll_ms = 1, .list = list };
	struct lookout *l;
	struct rest r;
	uv_loop_t loop;
	int ended = 0;

	uv_loop_init(&loop);
	rp.loop = &loop;
	cr_assert_eq(rest_init(&r, &rp, &err), 0, "%s", err.text);
	p.rest = &r;
	watches_know(r.watches, DESKTOP);
	cr_assert_eq(watches_add(r.watches, DESKTOP, on_ended, &ended, &err), 0);
	l = lookout_create(&p, &err);
	cr_assert_not_null(l);
	looks_await();
	atomic_store(&mode, 1);
	looks_await();
	uv_run(&loop, UV_RUN_NOWAIT);
	cr_assert_eq(ended, 0);
	atomic_store(&mode, 2);
	while (!ended)
		uv_run(&loop, UV_RUN_ONCE);
	lookout_destroy(l);
	cr_assert_eq(ended, 1);
	rest_finish(&r);
	pst_loop_drain(&loop);
}
