/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rest of the contract: commands that come twice, at the same time, or are no longer wanted. */
#include "tests/unit/hypervisor/contract.h"

#include "base/mem.h"
#include "base/text.h"
#include "tests/unit/fine.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#define AT_ONCE 3

struct worker {
	struct driver *d;
	struct machine_request request;
	struct machine machine;
	struct pst_err err;
	bool destroy;
	int rc;
	atomic_bool done;
	pthread_t thread;
};

static void *work(void *arg)
{
	struct worker *w = arg;

	if (w->destroy)
		w->rc = driver_destroy(w->d, w->request.desktop, &w->err);
	else
		w->rc = driver_create(w->d, &w->request, &w->machine, &w->err);
	atomic_store(&w->done, true);
	return NULL;
}

static void worker_start(struct worker *w, struct driver *d, bool destroy)
{
	w->d = d;
	w->destroy = destroy;
	atomic_store(&w->done, false);
	cr_assert_eq(pthread_create(&w->thread, NULL, work, w), 0);
}

struct count {
	const char *desktop;
	unsigned n;
	enum machine_state state;
	char task[PST_UUID_SIZE];
};

static void count_one(const struct machine *m, void *arg)
{
	struct count *c = arg;

	if (strcmp(m->desktop, c->desktop) != 0)
		return;
	c->n++;
	c->state = m->state;
	pst_strlcpy(c->task, sizeof(c->task), m->task);
}

static struct count count(struct driver *d, const char *desktop)
{
	struct count c = { .desktop = desktop };
	struct pst_err err = PST_ERR_INIT;

	FINE(driver_list(d, count_one, &c, &err));
	return c;
}

/* The answer to a restart was lost: asked again, it is the same restart. */
void contract_twice(struct driver *d, const char *image)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r, again;
	struct machine a, b;

	contract_request(&r, image);
	FINE(driver_create(d, &r, &a, &err));
	again = r;
	pst_uuid_text(&(struct pst_uuid){ .b = { 1, 2, 3, 4 } }, again.task);
	for (int i = 0; i < 2; i++) {
		FINE(driver_restart(d, &again, true, &b, &err));
		cr_assert_str_eq(b.task, again.task);
		cr_assert_str_eq(b.endpoint.address, a.endpoint.address);
	}
	struct count c = count(d, r.desktop);
	cr_assert_eq(c.n, 1);
	cr_assert_str_eq(c.task, again.task);
	cr_assert_eq(driver_create(d, &r, &b, &err), PST_ECONFLICT, "the create's task is not the last one any more");
	FINE(driver_destroy(d, r.desktop, &err));
}

void contract_at_once(struct driver *d, const char *image)
{
	struct worker w[AT_ONCE] = { 0 };

	for (int destroy = 0; destroy < 2; destroy++) {
		for (size_t i = 0; i < AT_ONCE; i++) {
			if (!destroy)
				contract_request(&w[i].request, image);
			worker_start(&w[i], d, destroy == 1);
		}
		for (size_t i = 0; i < AT_ONCE; i++)
			pthread_join(w[i].thread, NULL);
		for (size_t i = 0; i < AT_ONCE; i++) {
			cr_assert_eq(w[i].rc, 0, "%s", w[i].err.text);
			cr_assert_eq(count(d, w[i].request.desktop).n, destroy ? 0 : 1);
			if (!destroy && i > 0)
				cr_assert_str_neq(w[i].machine.endpoint.address, w[i - 1].machine.endpoint.address);
		}
	}
}

/* Cancelled or done, whichever was first; what is left is found by the same task. */
void contract_cancel(struct driver *d, const char *image)
{
	struct pst_err err = PST_ERR_INIT;
	struct worker w = { .rc = 0 };
	struct machine m;

	contract_request(&w.request, image);
	driver_cancel(d, w.request.desktop); /* nothing runs: nothing happens, now or later */
	worker_start(&w, d, false);
	while (!atomic_load(&w.done)) {
		driver_cancel(d, w.request.desktop);
		sched_yield();
	}
	pthread_join(w.thread, NULL);
	cr_assert(w.rc == 0 || w.rc == PST_ECLOSED, "%d: %s", w.rc, w.err.text);
	cr_assert_leq(count(d, w.request.desktop).n, 1);
	FINE(driver_create(d, &w.request, &m, &err));
	struct count c = count(d, w.request.desktop);
	cr_assert_eq(c.n, 1);
	cr_assert_eq(c.state, MACHINE_RUNNING);
	FINE(driver_destroy(d, w.request.desktop, &err));
	cr_assert_eq(count(d, w.request.desktop).n, 0);
}
