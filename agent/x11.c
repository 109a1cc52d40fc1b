/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The X connection as a poll handle, with a prepare handle that empties Xlib's own queue before the loop
 * sleeps. */
#include "agent/x11.h"

#include <X11/XKBlib.h>
#include <X11/extensions/XShm.h>
#include <X11/extensions/XTest.h>
#include <X11/extensions/Xdamage.h>
#include <X11/extensions/Xfixes.h>
#include <X11/extensions/Xrandr.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"

struct subscriber {
	x11_event_cb cb;
	void *arg;
};

/* x comes first: callers see only that part. */
struct connection {
	struct x11 x;
	uv_poll_t poll;
	uv_prepare_t prepare;
	struct pst_timer *lost_timer;
	void (*lost)(void *arg);
	void *lost_arg;
	struct subscriber subscribers[X11_SUBSCRIBERS_MAX];
	size_t n_subscribers;
	unsigned handles; /* that are not closed yet */
	bool is_trying;
	int try_error;
};

/* Xlib's error handler has no argument; there is one connection in the process. */
static struct connection *the_connection;

static struct connection *connection_of(const struct x11 *x)
{
	return (struct connection *)(uintptr_t)x;
}

static int on_x_error(Display *dpy, XErrorEvent *ev)
{
	static struct pst_log_gate gate;
	char text[128];

	if (the_connection && the_connection->is_trying) {
		if (the_connection->try_error == 0)
			the_connection->try_error = ev->error_code;
		return 0;
	}
	if (pst_log_every(&gate, pst_mono_ms(), 1000, NULL)) {
		XGetErrorText(dpy, ev->error_code, text, sizeof(text));
		pst_debug("X error request=%d.%d: %s", ev->request_code, ev->minor_code, text);
	}
	return 0;
}

static void on_lost_timer(void *arg)
{
	struct connection *c = arg;

	c->lost(c->lost_arg);
}

/* Xlib calls this instead of exit(): the connection stays, dead, until x11_close. */
static void on_x_lost(Display *dpy, void *arg)
{
	struct connection *c = arg;

	if (c->x.is_lost)
		return;
	c->x.is_lost = true;
	uv_poll_stop(&c->poll);
	pst_timer_start(c->lost_timer, 0, on_lost_timer, c);
}

static int on_x_io_error(Display *dpy)
{
	return 0;
}

static void dispatch(struct connection *c, const XEvent *ev)
{
	for (size_t i = 0; i < c->n_subscribers && !c->x.is_lost; i++)
		c->subscribers[i].cb(ev, c->subscribers[i].arg);
}

static void pump(struct connection *c)
{
	XEvent ev;

	while (!c->x.is_lost && XEventsQueued(c->x.dpy, QueuedAfterReading) > 0) {
		XNextEvent(c->x.dpy, &ev);
		dispatch(c, &ev);
	}
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	pump(poll->data);
}

/*
 * Before the loop sleeps nothing may wait in a queue of the library's, because no byte on the socket would
 * tell of it: a reply that somebody waited for brings events along, and so does a flush that has to wait for
 * room.
 */
static void on_prepare(uv_prepare_t *prepare)
{
	struct connection *c = prepare->data;

	do {
		pump(c);
		if (!c->x.is_lost)
			XFlush(c->x.dpy);
	} while (!c->x.is_lost && XEventsQueued(c->x.dpy, QueuedAfterReading) > 0);
}

static const char *find_extensions(struct x11 *x)
{
	int error, major = 5, minor = 0, opcode, xkb_major = XkbMajorVersion, xkb_minor = XkbMinorVersion;
	int test_base, test_major, test_minor;

	x->damage_base = x->fixes_base = x->randr_base = x->xkb_base = -1;
	if (!XFixesQueryExtension(x->dpy, &x->fixes_base, &error) ||
		!XFixesQueryVersion(x->dpy, &major, &minor) || major < 4)
		return "XFIXES 4";
	if (!XDamageQueryExtension(x->dpy, &x->damage_base, &error) ||
		!XDamageQueryVersion(x->dpy, &major, &minor))
		return "DAMAGE";
	if (!XkbQueryExtension(x->dpy, &opcode, &x->xkb_base, &error, &xkb_major, &xkb_minor))
		return "XKEYBOARD";
	if (!XTestQueryExtension(x->dpy, &test_base, &error, &test_major, &test_minor))
		return "XTEST";
	if (!XRRQueryExtension(x->dpy, &x->randr_base, &error))
		x->randr_base = -1;
	x->has_shm = XShmQueryVersion(x->dpy, &major, &minor, &error) && (major > 1 || minor >= 2);
	return NULL;
}

static int open_display(struct connection *c, const char *display, struct pst_err *err)
{
	c->x.dpy = XOpenDisplay(display);
	if (!c->x.dpy)
		return pst_err_set(err, PST_EIO,
			"the X server %s does not answer: is it running, and may we use it?",
			XDisplayName(display));

	c->x.screen = DefaultScreen(c->x.dpy);
	c->x.root = RootWindow(c->x.dpy, c->x.screen);
	XSetErrorHandler(on_x_error);
	XSetIOErrorHandler(on_x_io_error);
	XSetIOErrorExitHandler(c->x.dpy, on_x_lost, c);
	const char *missing = find_extensions(&c->x);
	if (missing)
		return pst_err_set(err, PST_EUNSUPPORTED, "the X server %s lacks the extension %s",
			XDisplayName(display), missing);
	return 0;
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct connection *c = handle->data;

	if (--c->handles == 0)
		free(c);
}

struct x11 *x11_open(
	uv_loop_t *loop, const char *display, void (*lost)(void *arg), void *arg, struct pst_err *err)
{
	struct connection *c = pst_zalloc(1, sizeof(*c));
	if (!c) {
		pst_err_set(err, PST_ENOMEM, "no memory for the X connection");
		return NULL;
	}

	c->lost = lost;
	c->lost_arg = arg;
	the_connection = c;
	c->lost_timer = pst_timer_create(loop);
	if (!c->lost_timer) {
		pst_err_set(err, PST_ENOMEM, "no memory for the X connection");
		goto fail;
	}
	if (open_display(c, display, err) < 0)
		goto fail;
	if (uv_poll_init(loop, &c->poll, ConnectionNumber(c->x.dpy)) < 0) {
		pst_err_set(err, PST_EIO, "the X connection cannot be watched");
		goto fail;
	}
	uv_prepare_init(loop, &c->prepare);
	c->handles = 2;
	c->poll.data = c->prepare.data = c;
	uv_poll_start(&c->poll, UV_READABLE, on_poll);
	uv_prepare_start(&c->prepare, on_prepare);
	return &c->x;
fail:
	x11_close(&c->x);
	return NULL;
}

void x11_close(struct x11 *x)
{
	if (!x)
		return;

	struct connection *c = connection_of(x);
	the_connection = NULL;
	pst_timer_destroy(c->lost_timer);
	if (c->handles > 0) {
		uv_poll_stop(&c->poll);
		uv_prepare_stop(&c->prepare);
	}
	if (x->dpy)
		XCloseDisplay(x->dpy);
	if (c->handles == 0) {
		free(c);
		return;
	}
	uv_close((uv_handle_t *)&c->poll, on_handle_closed);
	uv_close((uv_handle_t *)&c->prepare, on_handle_closed);
}

void x11_subscribe(struct x11 *x, x11_event_cb cb, void *arg)
{
	struct connection *c = connection_of(x);

	PRE(c->n_subscribers < X11_SUBSCRIBERS_MAX);
	c->subscribers[c->n_subscribers++] = (struct subscriber){ cb, arg };
}

void x11_try_begin(struct x11 *x)
{
	struct connection *c = connection_of(x);

	XSync(x->dpy, False);
	c->is_trying = true;
	c->try_error = 0;
}

int x11_try_end(struct x11 *x)
{
	struct connection *c = connection_of(x);

	XSync(x->dpy, False);
	c->is_trying = false;
	return x->is_lost ? BadImplementation : c->try_error;
}
