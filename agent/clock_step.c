/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A timer of the wall clock that is cancelled when that is set (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET). */
#include "agent/clock_step.h"

#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#define LARGE_MS 2500
#define FAR_S (INT64_C(1) << 40) /* it never ends by itself */

struct clock_step {
	uv_poll_t poll;
	int fd;
	int64_t real_ms, mono_ms;
	void (*stepped)(void *arg);
	void *arg;
};

bool clock_step_is_large(int64_t real_before, int64_t mono_before, int64_t real_now, int64_t mono_now)
{
	return llabs((real_now - real_before) - (mono_now - mono_before)) >= LARGE_MS;
}

static void look(struct clock_step *s)
{
	s->real_ms = pst_wall_ms();
	s->mono_ms = (int64_t)pst_mono_ms();
}

static int arm(struct clock_step *s)
{
	const struct itimerspec far = { .it_value = { .tv_sec = FAR_S } };

	return timerfd_settime(s->fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct clock_step *s = poll->data;
	int64_t real = s->real_ms, mono = s->mono_ms;
	uint64_t ends;

	(void)!read(s->fd, &ends, sizeof(ends)); /* ECANCELED: the clock was set */
	(void)arm(s);
	look(s);
	if (clock_step_is_large(real, mono, s->real_ms, s->mono_ms))
		s->stepped(s->arg);
}

static void on_freed(uv_handle_t *handle)
{
	free(handle->data);
}

struct clock_step *clock_step_create(uv_loop_t *loop, void (*stepped)(void *arg), void *arg)
{
	struct clock_step *s = pst_zalloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->stepped = stepped;
	s->arg = arg;
	look(s);
	s->fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (s->fd < 0 || arm(s) < 0 || uv_poll_init(loop, &s->poll, s->fd) < 0) {
		if (s->fd >= 0)
			close(s->fd);
		free(s);
		return NULL;
	}
	s->poll.data = s;
	uv_poll_start(&s->poll, UV_READABLE, on_readable);
	return s;
}

void clock_step_destroy(struct clock_step *s)
{
	if (!s)
		return;
	uv_poll_stop(&s->poll);
	close(s->fd);
	uv_close((uv_handle_t *)&s->poll, on_freed);
}
