/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Timers, deferred calls and the way a program ends. */
#include "base/loop.h"

#include "base/err.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static int fired;
static struct pst_timer *self;

static void count(void *arg)
{
	fired++;
}

static void again_then_destroy(void *arg)
{
	if (++fired < 3)
		pst_timer_start(self, 0, again_then_destroy, NULL);
	else
		pst_timer_destroy(self);
}

Test(loop, timers_fire_once_restart_and_die_in_their_own_callback)
{
	uv_loop_t loop;

	uv_loop_init(&loop);
	struct pst_timer *t = pst_timer_create(&loop);
	pst_timer_start(t, 1, count, NULL);
	cr_assert(pst_timer_is_active(t));
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_assert_eq(fired, 1);
	cr_assert(!pst_timer_is_active(t));
	pst_timer_start(t, 0, count, NULL);
	pst_timer_stop(t);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_assert_eq(fired, 1);
	pst_timer_destroy(t);
	pst_timer_destroy(NULL);

	fired = 0;
	self = pst_timer_create(&loop);
	pst_timer_start(self, 0, again_then_destroy, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_assert_eq(fired, 3);
	cr_assert_eq(pst_defer(&loop, count, NULL), 0);
	cr_assert_eq(fired, 3);
	cr_assert_eq(pst_loop_drain(&loop), 0);
	cr_assert_eq(fired, 4);
}

struct program {
	uv_loop_t loop;
	struct pst_timer *alive, *event;
	int stops, reloads;
};

static void program_stop(void *arg)
{
	struct program *p = arg;

	p->stops++;
	pst_timer_destroy(p->alive);
	pst_timer_destroy(p->event);
}

static void send_term(void *arg)
{
	kill(getpid(), SIGTERM);
}

static void program_reload(void *arg)
{
	struct program *p = arg;

	p->reloads++;
	pst_timer_start(p->event, 0, send_term, p);
}

static void send_hup(void *arg)
{
	kill(getpid(), SIGHUP);
}

static void stop_by_hand(void *arg)
{
	struct program *p = arg;

	pst_loop_stop(&p->loop);
}

static int polls, polled_events;

static void on_watched(uv_poll_t *poll, int status, int events)
{
	(void)poll, (void)status;
	polls++;
	polled_events = events;
}

static int polled(uv_loop_t *loop)
{
	polls = polled_events = 0;
	uv_run(loop, UV_RUN_NOWAIT);
	return polled_events;
}

Test(loop, what_is_watched_changes_with_the_events_alone)
{
	uv_loop_t loop;
	uv_poll_t poll;
	int pair[2], watched = 0;

	uv_loop_init(&loop);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	uv_poll_init(&loop, &poll, pair[0]);
	cr_assert_eq(pst_poll_watch(&poll, 0, on_watched, &watched), 0);
	cr_assert(!uv_is_active((uv_handle_t *)&poll));
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(pst_poll_watch(&poll, UV_READABLE | UV_WRITABLE, on_watched, &watched), 0);
		cr_assert_eq(polled(&loop), UV_WRITABLE);
	}
	cr_assert_eq(write(pair[1], "x", 1), 1);
	cr_assert_eq(polled(&loop), UV_READABLE | UV_WRITABLE);
	pst_poll_watch(&poll, UV_READABLE, on_watched, &watched);
	cr_assert_eq(polled(&loop), UV_READABLE);
	for (int i = 0; i < 2; i++) {
		pst_poll_watch(&poll, 0, on_watched, &watched);
		cr_assert(polled(&loop) == 0 && polls == 0 && watched == 0);
	}
	pst_poll_watch(&poll, UV_READABLE, on_watched, &watched);
	cr_assert_eq(polled(&loop), UV_READABLE);
	uv_close((uv_handle_t *)&poll, NULL);
	cr_assert_eq(pst_loop_drain(&loop), 0);
	close(pair[0]);
	close(pair[1]);
}

Test(loop, runs_until_a_signal_and_drains)
{
	struct program p = { 0 };

	uv_loop_init(&p.loop);
	p.alive = pst_timer_create(&p.loop);
	p.event = pst_timer_create(&p.loop);
	pst_timer_start(p.alive, 3600000, count, NULL);
	pst_timer_start(p.event, 0, send_hup, &p);
	cr_assert_eq(pst_loop_run_until_signal(&p.loop, program_stop, program_reload, &p), SIGTERM);
	cr_assert_eq(p.stops, 1);
	cr_assert_eq(p.reloads, 1);
	cr_assert_eq(uv_loop_close(&p.loop), 0);
}

Test(loop, stops_by_hand)
{
	struct program p = { 0 };

	uv_loop_init(&p.loop);
	p.alive = pst_timer_create(&p.loop);
	p.event = pst_timer_create(&p.loop);
	pst_timer_start(p.alive, 3600000, count, NULL);
	pst_timer_start(p.event, 0, stop_by_hand, &p);
	cr_assert_eq(pst_loop_run_until_signal(&p.loop, program_stop, NULL, &p), 0);
	cr_assert_eq(p.stops, 1);
	cr_assert_eq(uv_loop_close(&p.loop), 0);
}
