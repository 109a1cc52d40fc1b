/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sd-bus on libuv. */
#include "protocol/source/dbus/peer.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"

#define MESSAGES_MAX 32 /* in one turn of the loop: the viewer gets his share */

struct dbus_peer {
	uv_poll_t poll;
	int watched;
	int look_fd; /* ours, since sd-bus closes its own at the connection's end, and libuv may not be asked about a number that is somebody else's by then */
	struct pst_timer *timer;
	sd_bus *bus;
	const struct dbus_peer_events *events;
	void *arg;
	bool is_ready, is_over, is_inside;
};

static void on_poll(uv_poll_t *poll, int status, int events);
static void on_timer(void *arg);

/* As sd-bus wants it: its deadlines are of the monotonic clock, in microseconds. */
static void wait_for(struct dbus_peer *p)
{
	int wish = p->is_over ? 0 : sd_bus_get_events(p->bus);
	uint64_t until = UINT64_MAX;
	struct timespec now;

	pst_poll_watch(&p->poll, wish > 0 ? (wish & POLLIN ? UV_READABLE : 0) | (wish & POLLOUT ? UV_WRITABLE : 0) : 0, on_poll, &p->watched);
	pst_timer_stop(p->timer);
	if (p->is_over || sd_bus_get_timeout(p->bus, &until) < 0 || until == UINT64_MAX)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	uint64_t at = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	pst_timer_start(p->timer, until > at ? (until - at + 999) / 1000 : 0, on_timer, p);
}

static void over(struct dbus_peer *p)
{
	if (p->is_over)
		return;
	p->is_over = true;
	p->events->closed(p->arg);
}

/* What comes is answered before anything else: QEMU waits for it. */
static void go_on(struct dbus_peer *p)
{
	int rc = 1;

	p->is_inside = true;
	for (int i = 0; !p->is_over && rc > 0 && i < MESSAGES_MAX; i++)
		rc = sd_bus_process(p->bus, NULL);
	if (!p->is_over && (rc < 0 || sd_bus_is_open(p->bus) <= 0)) {
		over(p);
	} else if (!p->is_over && !p->is_ready && sd_bus_is_ready(p->bus) > 0) {
		p->is_ready = true;
		p->events->ready(p->arg);
	}
	p->is_inside = false;
	wait_for(p);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct dbus_peer *p = poll->data;

	if (status < 0) {
		p->watched = 0;
		over(p);
	}
	go_on(p);
}

static void on_timer(void *arg)
{
	go_on(arg);
}

static int bus_start(struct dbus_peer *p, int fd)
{
	int rc = sd_bus_new(&p->bus);

	if (rc < 0) {
		close(fd);
		return rc;
	}
	rc = sd_bus_set_fd(p->bus, fd, fd);
	return rc < 0 ? rc : sd_bus_start(p->bus);
}

struct dbus_peer *dbus_peer_open(uv_loop_t *loop, int fd, const struct dbus_peer_events *events, void *arg, struct pst_err *err)
{
	struct dbus_peer *p = pst_zalloc(1, sizeof(*p));

	if (p)
		p->look_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (!p || p->look_fd < 0 || bus_start(p, fd) < 0 || uv_poll_init(loop, &p->poll, p->look_fd) < 0) {
		pst_err_set(err, PST_EIO, "a D-Bus connection cannot be begun");
		if (p && p->bus)
			sd_bus_unref(p->bus);
		else if (!p || p->look_fd < 0)
			close(fd);
		if (p && p->look_fd >= 0)
			close(p->look_fd);
		free(p);
		return NULL;
	}
	p->poll.data = p;
	p->events = events;
	p->arg = arg;
	p->timer = pst_timer_create(loop);
	if (!p->timer) {
		pst_err_set(err, PST_ENOMEM, "no memory for a D-Bus connection");
		dbus_peer_close(p);
		return NULL;
	}
	wait_for(p);
	return p;
}

sd_bus *dbus_peer_bus(struct dbus_peer *p)
{
	return p->bus;
}

void dbus_peer_touch(struct dbus_peer *p)
{
	if (!p->is_inside)
		wait_for(p);
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct dbus_peer *p = handle->data;

	sd_bus_close(p->bus);
	sd_bus_unref(p->bus);
	close(p->look_fd);
	free(p);
}

void dbus_peer_close(struct dbus_peer *p)
{
	if (!p)
		return;
	p->is_over = true;
	pst_timer_destroy(p->timer);
	uv_close((uv_handle_t *)&p->poll, on_poll_closed);
}
