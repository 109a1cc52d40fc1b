/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two connections with QEMU: calls of ours on the first, its own on the second. */
#include "protocol/source/dbus/dbus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"
#include "base/unixsock.h"
#include "protocol/source/dbus/listener.h"
#include "protocol/source/dbus/peer.h"
#include "protocol/source/dbus/typing.h"

#define FIRST_PICTURE_MS 10000
#define SETTLE_MS 30 /* a picture of the new size comes by then, or has to be asked for */
#define TRIES_MAX 5  /* to be shown something after a picture was lost */
#define PATH "/org/qemu/Display1/Console_0"
#define CONSOLE "org.qemu.Display1.Console"
#define KEYBOARD "org.qemu.Display1.Keyboard"
#define MOUSE "org.qemu.Display1.Mouse"
#define PROPERTIES "org.freedesktop.DBus.Properties"

struct dbus_source {
	struct source base;
	uv_loop_t *loop;
	const struct source_events *events;
	void *arg;
	struct dbus_peer *main, *shown;
	struct dbus_listener listener;
	struct dbus_typing typing;
	struct pst_timer *deadline, *settle;
	uint32_t width, height; /* as the console itself says, or 0 */
	unsigned tries;
	bool is_open;        /* calls can be made */
	bool wants_listener; /* when QEMU has answered what it was asked before */
	bool is_blind;       /* it has ended the second connection, or draws where we do not look */
	bool is_over;
	bool is_stuck; /* it does not take what it is sent */
};

static struct dbus_source *dbus_of(struct source *s)
{
	return pst_container_of(s, struct dbus_source, base);
}

static void over(struct dbus_source *d, int code, const char *why)
{
	char reason[sizeof(((struct pst_err *)0)->text) + 64];

	if (d->is_over)
		return;
	d->is_over = true;
	pst_timer_stop(d->deadline);
	pst_timer_stop(d->settle);
	snprintf(reason, sizeof(reason), "The machine's screen cannot be shown: %s", why);
	d->events->closed(d->arg, code, reason);
}

static void on_deadline(void *arg)
{
	struct dbus_source *d = arg;

	if (d->is_stuck)
		over(d, PST_ELIMIT, "it does not read what it is sent");
	else
		over(d, PST_ETIMEOUT, "its hypervisor sent no picture in time; open it again, or look whether the machine runs");
}

/* --- what the machine shows ------------------------------------------------------------------ */

static void on_surface(void *arg, const struct pixmap *screen)
{
	struct dbus_source *d = arg;

	if (d->is_over)
		return;
	if (!d->is_stuck)
		pst_timer_stop(d->deadline);
	d->tries = 0;
	d->typing.width = screen->width;
	d->typing.height = screen->height;
	d->events->surface(d->arg, screen);
}

static void on_damage(void *arg, const struct rect *rects, size_t n)
{
	struct dbus_source *d = arg;

	d->tries = 0; /* also where the picture that came again has the size of the last */
	if (!d->is_over)
		d->events->damage(d->arg, rects, n);
}

static void on_cursor(void *arg, const struct cursor_image *image)
{
	struct dbus_source *d = arg;

	if (!d->is_over)
		d->events->cursor(d->arg, image);
}

static void on_moved(void *arg, int32_t x, int32_t y)
{
	struct dbus_source *d = arg;

	dbus_typing_moved(&d->typing, x, y);
}

static void on_failed(void *arg, const struct pst_err *err)
{
	over(arg, err->code, err->text);
}

static void on_blind(void *arg);

static const struct dbus_listener_events listener_events = { on_surface, on_damage, on_cursor, on_moved, on_blind, on_failed };

/* --- what it is asked ------------------------------------------------------------------------ */

static void on_lost(void *arg)
{
	over(arg, PST_ECLOSED, "its hypervisor closed the connection; was the machine stopped or moved?");
}

static int on_registered(sd_bus_message *reply, void *arg, sd_bus_error *e)
{
	struct dbus_source *d = arg;

	if (sd_bus_message_is_method_error(reply, NULL) && !d->typing.width)
		over(d, PST_EUNSUPPORTED, "its hypervisor does not show it over D-Bus");
	return 0;
}

static void listen_at(struct dbus_source *d);

static int on_absolute(sd_bus_message *reply, void *arg, sd_bus_error *e)
{
	struct dbus_source *d = arg;
	int is_absolute;

	if (d->wants_listener && sd_bus_message_is_method_error(reply, NULL))
		over(d, PST_ECLOSED, "somebody else has opened this console, or its hypervisor does not show it over D-Bus");
	else if (d->wants_listener)
		listen_at(d);
	if (!sd_bus_message_is_method_error(reply, NULL) && sd_bus_message_read(reply, "v", "b", &is_absolute) >= 0)
		dbus_typing_set_relative(&d->typing, !is_absolute);
	return 0;
}

static void pointer_ask(struct dbus_source *d)
{
	(void)sd_bus_call_method_async(dbus_peer_bus(d->main), NULL, NULL, PATH, PROPERTIES, "Get", on_absolute, d, "ss", MOUSE, "IsAbsolute");
}

static void on_shown_ready(void *arg)
{
}

static void on_settle(void *arg);

static void on_blind(void *arg)
{
	struct dbus_source *d = arg;

	if (d->is_blind)
		return;
	d->is_blind = true;
	if (++d->tries > TRIES_MAX)
		over(d, PST_ECLOSED, "its hypervisor shows it no longer");
	else if (!d->is_over)
		pst_timer_start(d->settle, SETTLE_MS, on_settle, d);
}

static const struct dbus_peer_events shown_events = { .ready = on_shown_ready, .closed = on_blind };

/* QEMU is the server of the second connection too; it answers the call when it has the descriptor. */
static void listen_at(struct dbus_source *d)
{
	struct pst_err err = PST_ERR_INIT;
	int pair[2];

	d->wants_listener = false;
	if (pst_unix_pair(pair, &err) < 0) {
		over(d, err.code, err.text);
		return;
	}
	d->shown = dbus_peer_open(d->loop, pair[0], &shown_events, d, &err);
	if (!d->shown || dbus_listener_add(&d->listener, dbus_peer_bus(d->shown)) < 0 ||
		sd_bus_call_method_async(dbus_peer_bus(d->main), NULL, NULL, PATH, CONSOLE, "RegisterListener", on_registered, d, "h", pair[1]) < 0)
		over(d, PST_EIO, "it cannot be asked for its picture");
	close(pair[1]);
}

/*
 * QEMU keeps a listener of a connection under no name, and drops the one it finds when one ends. So the last one
 * must be gone before the next comes: what is asked after its end and answered before the call sees to that.
 */
static void listen_begin(struct dbus_source *d)
{
	dbus_peer_close(d->shown);
	d->shown = NULL;
	d->is_blind = false;
	d->wants_listener = true;
	pointer_ask(d);
	dbus_peer_touch(d->main);
}

/*
 * QEMU 7 sends no picture when the machine changes its mode, only what is then drawn: who registers anew gets
 * it whole.
 */
static void on_settle(void *arg)
{
	struct dbus_source *d = arg;
	bool is_other = d->typing.width && ((uint32_t)d->typing.width != d->width || (uint32_t)d->typing.height != d->height);

	if (!d->is_over && !d->wants_listener && (d->is_blind || is_other))
		listen_begin(d);
}

/* a{sv}: what is not about the size is passed over. */
static int size_read(struct dbus_source *d, sd_bus_message *m)
{
	const char *name;
	int rc = sd_bus_message_enter_container(m, 'a', "{sv}");

	while (rc >= 0 && (rc = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		rc = sd_bus_message_read(m, "s", &name);
		if (rc >= 0 && (strcmp(name, "Width") == 0 || strcmp(name, "Height") == 0))
			rc = sd_bus_message_read(m, "v", "u", name[0] == 'W' ? &d->width : &d->height);
		else if (rc >= 0)
			rc = sd_bus_message_skip(m, "v");
		if (rc >= 0)
			rc = sd_bus_message_exit_container(m);
	}
	return rc;
}

/* A driver in the guest takes the pointer over; the screen has another size. */
static int on_changed(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	struct dbus_source *d = arg;
	const char *interface;

	if (!sd_bus_message_is_signal(m, PROPERTIES, "PropertiesChanged") || sd_bus_message_read(m, "s", &interface) < 0)
		return 0;
	if (strcmp(interface, MOUSE) == 0)
		pointer_ask(d);
	else if (strcmp(interface, CONSOLE) == 0 && size_read(d, m) >= 0)
		pst_timer_start(d->settle, SETTLE_MS, on_settle, d);
	return 0;
}

static void on_ready(void *arg)
{
	struct dbus_source *d = arg;

	d->is_open = true;
	listen_begin(d);
}

static const struct dbus_peer_events main_events = { .ready = on_ready, .closed = on_lost };

/* --- what the viewer does -------------------------------------------------------------------- */

static const struct {
	const char *interface, *member;
} calls[] = {
	[DBUS_KEY_PRESS] = { KEYBOARD, "Press" },
	[DBUS_KEY_RELEASE] = { KEYBOARD, "Release" },
	[DBUS_BUTTON_PRESS] = { MOUSE, "Press" },
	[DBUS_BUTTON_RELEASE] = { MOUSE, "Release" },
	[DBUS_PLACE] = { MOUSE, "SetAbsPosition" },
	[DBUS_STEP] = { MOUSE, "RelMotion" },
};

/* The worker may not be told of an end from inside its own call: it hears of it in the next turn. */
static void send_done(struct dbus_source *d, int rc)
{
	if (rc < 0 && !d->is_stuck && !d->is_over) {
		d->is_stuck = true;
		pst_timer_start(d->deadline, 0, on_deadline, d);
	}
	dbus_peer_touch(d->main);
}

static sd_bus_message *call_new(struct dbus_source *d, const char *interface, const char *member)
{
	sd_bus_message *m = NULL;

	if (!d->is_open || d->is_over || sd_bus_message_new_method_call(dbus_peer_bus(d->main), &m, NULL, PATH, interface, member) < 0)
		return NULL;
	(void)sd_bus_message_set_expect_reply(m, 0);
	return m;
}

static void on_act(void *arg, enum dbus_act act, int32_t a, int32_t b)
{
	struct dbus_source *d = arg;
	sd_bus_message *m = call_new(d, calls[act].interface, calls[act].member);
	int rc;

	if (!m)
		return;
	if (act == DBUS_PLACE)
		rc = sd_bus_message_append(m, "uu", (uint32_t)a, (uint32_t)b);
	else if (act == DBUS_STEP)
		rc = sd_bus_message_append(m, "ii", a, b);
	else
		rc = sd_bus_message_append(m, "u", (uint32_t)a);
	if (rc >= 0)
		rc = sd_bus_send(dbus_peer_bus(d->main), m, NULL);
	sd_bus_message_unref(m);
	send_done(d, rc);
}

static int dbus_input(struct source *s, const struct input_event *ev)
{
	dbus_typing_event(&dbus_of(s)->typing, ev);
	return 0;
}

/* Whether the guest follows, its picture tells. */
static int dbus_resize(struct source *s, int32_t width, int32_t height)
{
	struct dbus_source *d = dbus_of(s);
	sd_bus_message *m = call_new(d, CONSOLE, "SetUIInfo");
	int rc;

	if (!m)
		return PST_EUNSUPPORTED;
	rc = sd_bus_message_append(m, "qqiiuu", 0, 0, 0, 0, (uint32_t)width, (uint32_t)height);
	if (rc >= 0)
		rc = sd_bus_send(dbus_peer_bus(d->main), m, NULL);
	sd_bus_message_unref(m);
	send_done(d, rc);
	return 0;
}

static void dbus_ready(struct source *s)
{
	dbus_listener_ready(&dbus_of(s)->listener);
}

static void dbus_free(struct dbus_source *d)
{
	d->is_over = true;
	pst_timer_destroy(d->deadline);
	pst_timer_destroy(d->settle);
	dbus_peer_close(d->shown);
	dbus_peer_close(d->main);
	dbus_listener_finish(&d->listener);
	free(d);
}

static void dbus_close(struct source *s, const char *reason)
{
	static const struct input_event release = { .kind = INPUT_RELEASE_ALL };

	dbus_typing_event(&dbus_of(s)->typing, &release);
	dbus_free(dbus_of(s));
}

static struct source *dbus_open(const struct source_params *p, const struct source_events *ev, void *arg, struct pst_err *err)
{
	struct dbus_source *d = p->fd >= 0 ? pst_zalloc(1, sizeof(*d)) : NULL;

	if (!d) {
		pst_err_set(err, PST_EINVAL, "a D-Bus source needs a connection to QEMU, and memory");
		if (p->fd >= 0)
			close(p->fd);
		return NULL;
	}
	d->base.type = &source_dbus;
	d->loop = p->loop;
	d->events = ev;
	d->arg = arg;
	d->listener.events = &listener_events;
	d->typing.put = on_act;
	d->listener.arg = d->typing.arg = d;
	d->main = dbus_peer_open(p->loop, p->fd, &main_events, d, err);
	d->deadline = d->main ? pst_timer_create(p->loop) : NULL;
	d->settle = d->main ? pst_timer_create(p->loop) : NULL;
	if (!d->deadline || !d->settle || sd_bus_add_filter(dbus_peer_bus(d->main), NULL, on_changed, d) < 0) {
		if (d->main)
			pst_err_set(err, PST_ENOMEM, "no memory for a D-Bus source");
		dbus_free(d);
		return NULL;
	}
	pst_timer_start(d->deadline, FIRST_PICTURE_MS, on_deadline, d);
	return &d->base;
}

const struct source_type source_dbus = {
	.name = "dbus",
	.open = dbus_open,
	.input = dbus_input,
	.resize = dbus_resize,
	.ready = dbus_ready,
	.close = dbus_close,
};
