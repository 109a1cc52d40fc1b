/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The thread that looks for desktops that ended by themselves. Events of the engine only say when to look:
 * what is told comes from a list, so a lost, late or doubled event does no harm, and where there is no
 * stream of events the time between two looks is all that is lost.
 */
#include "broker/hypervisor/container/container_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GATHER_MS 50   /* one look for the events that come together */
#define CANCEL_MS 20
#define AGAIN_MS 1000  /* after an engine that does not answer */

struct look {
	struct container *c;
	uint64_t moment;
	char (*desktops)[PST_UUID_SIZE];
	size_t n;
};

/* False when the driver is to be closed. */
static bool wait_ms(struct container *c, uint64_t ms)
{
	struct timespec until;
	bool closing;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ms / 1000);
	until.tv_nsec += (long)(ms % 1000 * 1000000);
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&c->lock);
	while (!c->closing && pthread_cond_timedwait(&c->woken, &c->lock, &until) == 0)
		;
	closing = c->closing;
	pthread_mutex_unlock(&c->lock);
	return !closing;
}

static bool is_closing(struct container *c)
{
	bool closing;

	pthread_mutex_lock(&c->lock);
	closing = c->closing;
	pthread_mutex_unlock(&c->lock);
	return closing;
}

static void on_machine(const struct machine *m, void *arg)
{
	struct look *l = arg;

	memcpy(l->desktops[l->n++], m->desktop, PST_UUID_SIZE);
	if (m->state != MACHINE_RUNNING)
		watches_tell(l->c->watches, m->desktop, l->moment, m->reason[0] ? m->reason : "it was switched off at the engine");
}

static int desktop_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool is_listed(const char *desktop, void *arg)
{
	const struct look *l = arg;

	return bsearch(desktop, l->desktops, l->n, PST_UUID_SIZE, desktop_compare) != NULL;
}

/* One list; an engine that does not answer is no news of its machines. True when the next one is to come soon. */
static bool look(struct container *c)
{
	struct pst_err err = PST_ERR_INIT;
	struct look l = { .c = c };
	bool is_soon = false;

	l.desktops = pst_zalloc(SPEC_LIST_MAX, PST_UUID_SIZE);
	if (!l.desktops)
		return false;
	l.moment = watches_now(c->watches);
	if (container_list(&c->base, on_machine, &l, &err) == 0) {
		qsort(l.desktops, l.n, PST_UUID_SIZE, desktop_compare);
		is_soon = watches_missing(c->watches, l.moment, is_listed, &l, "it was removed at the engine");
	}
	free(l.desktops);
	return is_soon;
}

/* Until something ends, or until it is time to look again anyway. */
static bool events_await(struct container *c, int64_t *moment_ns)
{
	struct pst_err err = PST_ERR_INIT;
	struct op op;
	int rc;

	op_begin(&op, c, "");
	op.engine.owner = "watch";
	op.engine.end_ms = pst_mono_ms() + c->poll_ms;
	if (is_closing(c)) /* watcher_stop cancels what has begun, and this may begin after it */
		atomic_store(&op.engine.cancelled, true);
	rc = engine_await_end(&op.engine, c->instance, moment_ns, &err);
	op_end(&op);
	if (rc < 0 && rc != PST_ETIMEOUT)
		return wait_ms(c, PST_MIN((uint64_t)AGAIN_MS, c->poll_ms));
	return rc == 0 ? wait_ms(c, GATHER_MS) : !is_closing(c);
}

static void *watcher_main(void *arg)
{
	struct container *c = arg;
	int64_t moment_ns = pst_wall_ms() * 1000000;
	bool is_soon;

	do
		is_soon = watches_any(c->watches) && look(c);
	while (is_soon ? wait_ms(c, PST_MIN((uint64_t)AGAIN_MS, c->poll_ms)) : events_await(c, &moment_ns));
	return NULL;
}

int watcher_start(struct container *c, struct pst_err *err)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->woken, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&c->watcher, NULL, watcher_main, c) != 0)
		return pst_err_set(err, PST_ENOMEM, "no thread to watch containers");
	c->watcher_runs = true;
	return 0;
}

void watcher_stop(struct container *c)
{
	struct timespec until;

	if (!c->watcher_runs)
		return;
	pthread_mutex_lock(&c->lock);
	c->closing = true;
	for (struct op *op = c->ops; op; op = op->next)
		atomic_store(&op->engine.cancelled, true);
	pthread_cond_signal(&c->woken);
	pthread_mutex_unlock(&c->lock);
	do {
		/* Again: a call may have been on its way into the client. */
		http_cancel(c->http, NULL);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += CANCEL_MS * 1000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
	} while (pthread_timedjoin_np(c->watcher, NULL, &until) != 0);
	pthread_cond_destroy(&c->woken);
	c->watcher_runs = false;
}
