/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signals, deferred calls and one-shot timers on a libuv loop. */
#include "base/loop.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"

#include <signal.h>
#include <stdlib.h>

#define DRAIN_MS 5000

/* ---- timers ------------------------------------------------------------- */

struct pst_timer {
	uv_timer_t handle;
	pst_timer_cb cb;
	void *arg;
};

struct pst_timer *pst_timer_create(uv_loop_t *loop)
{
	struct pst_timer *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;

	uv_timer_init(loop, &t->handle);
	return t;
}

static void timer_fired(uv_timer_t *handle)
{
	struct pst_timer *t = pst_container_of(handle, struct pst_timer, handle);

	t->cb(t->arg);
}

void pst_timer_start(struct pst_timer *t, uint64_t ms, pst_timer_cb cb, void *arg)
{
	PRE(!uv_is_closing((uv_handle_t *)&t->handle));
	t->cb = cb;
	t->arg = arg;
	/* libuv counts from the loop's cached time, which a long callback leaves behind. */
	uv_update_time(t->handle.loop);
	uv_timer_start(&t->handle, timer_fired, ms, 0);
}

void pst_timer_stop(struct pst_timer *t)
{
	uv_timer_stop(&t->handle);
}

bool pst_timer_is_active(const struct pst_timer *t)
{
	return uv_is_active((const uv_handle_t *)&t->handle);
}

static void timer_closed(uv_handle_t *handle)
{
	uv_timer_t *timer = (uv_timer_t *)handle;

	free(pst_container_of(timer, struct pst_timer, handle));
}

void pst_timer_destroy(struct pst_timer *t)
{
	if (t)
		uv_close((uv_handle_t *)&t->handle, timer_closed);
}

/* ---- deferred calls ----------------------------------------------------- */

struct deferred {
	uv_timer_t handle;
	void (*cb)(void *arg);
	void *arg;
};

static void deferred_closed(uv_handle_t *handle)
{
	uv_timer_t *timer = (uv_timer_t *)handle;

	free(pst_container_of(timer, struct deferred, handle));
}

static void deferred_run(uv_timer_t *handle)
{
	struct deferred *d = pst_container_of(handle, struct deferred, handle);

	uv_close((uv_handle_t *)handle, deferred_closed);
	d->cb(d->arg);
}

int pst_defer(uv_loop_t *loop, void (*cb)(void *arg), void *arg)
{
	struct deferred *d = calloc(1, sizeof(*d));

	if (!d)
		return PST_ENOMEM;

	d->cb = cb;
	d->arg = arg;
	uv_timer_init(loop, &d->handle);
	uv_timer_start(&d->handle, deferred_run, 0, 0);
	return 0;
}

int pst_poll_watch(uv_poll_t *poll, int events, uv_poll_cb cb, int *watched)
{
	if (events == *watched)
		return 0;

	*watched = events;
	return events ? uv_poll_start(poll, events, cb) : uv_poll_stop(poll);
}

/* ---- running ------------------------------------------------------------ */

struct runner {
	uv_loop_t *loop;
	uv_signal_t term, interrupt, reload;
	uv_timer_t deadline;
	void (*on_stop)(void *arg);
	void (*on_reload)(void *arg);
	void *arg;
	bool stopping;
	int signum;
	struct runner *next; /* loops that run now, one per thread at most */
};

static _Thread_local struct runner *runners;

static void deadline_passed(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

static void stop(struct runner *r, int signum)
{
	if (r->stopping) {
		uv_stop(r->loop); /* A second signal means now. */
		return;
	}

	r->stopping = true;
	r->signum = signum;
	uv_timer_start(&r->deadline, deadline_passed, DRAIN_MS, 0);
	if (r->on_stop)
		r->on_stop(r->arg);
}

static void stop_signal(uv_signal_t *handle, int signum)
{
	stop(handle->data, signum);
}

static void reload_signal(uv_signal_t *handle, int signum)
{
	struct runner *r = handle->data;

	if (r->on_reload)
		r->on_reload(r->arg);
}

static void start_signal(struct runner *r, uv_signal_t *s, uv_signal_cb cb, int signum)
{
	uv_signal_init(r->loop, s);
	s->data = r;
	uv_signal_start(s, cb, signum);
	uv_unref((uv_handle_t *)s);
}

static void runner_start(struct runner *r)
{
	signal(SIGPIPE, SIG_IGN);
	start_signal(r, &r->term, stop_signal, SIGTERM);
	start_signal(r, &r->interrupt, stop_signal, SIGINT);
	start_signal(r, &r->reload, reload_signal, SIGHUP);
	uv_timer_init(r->loop, &r->deadline);
	uv_unref((uv_handle_t *)&r->deadline);
	r->next = runners;
	runners = r;
}

static void runner_finish(struct runner *r)
{
	runners = r->next;
	uv_close((uv_handle_t *)&r->term, NULL);
	uv_close((uv_handle_t *)&r->interrupt, NULL);
	uv_close((uv_handle_t *)&r->reload, NULL);
	uv_close((uv_handle_t *)&r->deadline, NULL);
	/* Closed callbacks run in the turn after; NOWAIT does not block on other handles. */
	uv_run(r->loop, UV_RUN_NOWAIT);
}

int pst_loop_run_until_signal(uv_loop_t *loop, void (*on_stop)(void *arg),
	void (*on_reload)(void *arg), void *arg)
{
	struct runner r = { .loop = loop, .on_stop = on_stop, .on_reload = on_reload, .arg = arg };

	runner_start(&r);
	uv_run(loop, UV_RUN_DEFAULT);
	runner_finish(&r);
	return r.signum;
}

static void stop_deferred(void *arg)
{
	for (struct runner *r = runners; r; r = r->next)
		if (r->loop == arg && !r->stopping)
			stop(r, 0);
}

void pst_loop_stop(uv_loop_t *loop)
{
	if (pst_defer(loop, stop_deferred, loop) < 0)
		stop_deferred(loop);
}

static void close_one(uv_handle_t *handle, void *arg)
{
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

int pst_loop_drain(uv_loop_t *loop)
{
	uint64_t end = pst_mono_ms() + DRAIN_MS;

	/* First let handles that are closing already finish in their own way. */
	while (uv_run(loop, UV_RUN_NOWAIT) && pst_mono_ms() < end - DRAIN_MS + 50)
		;
	uv_walk(loop, close_one, NULL);
	while (uv_run(loop, UV_RUN_NOWAIT) && pst_mono_ms() < end)
		;
	return uv_loop_close(loop) == 0 ? 0 : PST_EBUSY;
}
