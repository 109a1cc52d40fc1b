/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who is in the desktop: grants are checked, kept on disk, and only then shown anything. */
#include <string.h>

#include "agent/agent_priv.h"
#include "agent/resize.h"
#include "agent/scale.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

/* ---- the occupant's screen ---- */

static void on_surface(void *arg, const struct store *store)
{
	struct agent *a = arg;

	if (a->occupant)
		viewer_surface(a->occupant, store);
}

static void on_damage(void *arg, const struct rect *rects, size_t n)
{
	struct agent *a = arg;

	if (a->occupant)
		viewer_damage(a->occupant, rects, n);
}

static void on_cursor(void *arg, const struct cursor_image *image)
{
	struct agent *a = arg;

	if (a->occupant)
		viewer_cursor(a->occupant, image);
}

static void on_pointer_moved(void *arg, int32_t x, int32_t y)
{
	struct agent *a = arg;

	if (a->occupant)
		viewer_pointer_moved(a->occupant, x, y);
}

const struct capture_events occupancy_capture_events = {
	.surface = on_surface,
	.damage = on_damage,
	.cursor = on_cursor,
	.pointer_moved = on_pointer_moved,
};

void occupancy_copied(void *arg, const char *utf8, size_t len)
{
	struct agent *a = arg;

	if (a->occupant && a->grant.clipboard_out)
		viewer_clipboard(a->occupant, utf8, len);
}

void occupancy_inject_idle(void *arg)
{
	struct agent *a = arg;

	if (a->occupant)
		viewer_pause(a->occupant, false);
}

/* ---- coming and going ---- */

/* The occupant is gone or about to be: the desktop sees nobody, and no key stays down. */
static void vacate(struct agent *a, const char *reason)
{
	a->occupant = NULL;
	capture_watch(a->capture, false);
	clipboard_watch(a->clipboard, false);
	inject_end(a->inject);
	pst_info("vacated session=%s reason=\"%s\"", a->grant.session, reason);
	orders_report(a, "vacated", reason);
}

void occupancy_end(struct agent *a, int code, const char *reason)
{
	struct viewer *v = a->occupant;

	if (!v)
		return;
	vacate(a, reason);
	viewer_end(v, code, reason);
}

void occupancy_logoff(struct agent *a, const char *reason)
{
	struct pst_err err = PST_ERR_INIT;
	char user[LEASE_USER_MAX + 1];

	memcpy(user, a->lease.user, sizeof(user));
	occupancy_end(a, PST_OK, reason);
	clipboard_clear(a->clipboard);
	notice_hide(a->notice);
	if (!lease_logoff(&a->lease))
		return;
	orders_keep(a, &err);
	pst_info("log-off user=%s reason=\"%s\"", user, reason);
	memcpy(a->lease.user, user, sizeof(user));
	orders_report(a, "logoff", reason);
	a->lease.user[0] = 0;
}

static void waiting_remove(struct agent *a, const struct viewer *v)
{
	for (size_t i = 0; i < AGENT_WAITING_MAX; i++)
		if (a->waiting[i] == v)
			a->waiting[i] = NULL;
}

static void wish_apply(struct agent *a, int32_t width, int32_t height)
{
	struct pst_err err = PST_ERR_INIT;

	if (width == 0 || height == 0)
		return;
	width = PST_MIN(width, (int32_t)a->grant.max_width);
	height = PST_MIN(height, (int32_t)a->grant.max_height);
	if (screen_resize(a->x, width, height, &err) < 0)
		pst_warn("resize: %s", err.text);
}

/* The fence first, then the older occupant, then the picture. */
static int admit(struct agent *a, struct viewer *v, const struct viewer_hello *h, struct pst_err *err)
{
	struct grant g;
	struct lease before = a->lease;
	int rc = grant_parse(h->grant, h->grant_len, &a->lease, &g, err);
	if (rc < 0)
		return rc;
	rc = lease_check(&a->lease, &g, pst_wall_ms(), err);
	if (rc < 0)
		return rc;
	lease_take(&a->lease, &g);
	if (!orders_keep(a, err)) {
		a->lease = before;
		return PST_EIO;
	}

	occupancy_end(a, PST_ECONFLICT, "the session moved to another client");
	a->grant = g;
	a->occupant = v;
	if (before.user[0] == 0)
		orders_report(a, "logon", "");
	orders_report(a, "occupied", "");
	viewer_admit(v, g.max_width, g.max_height);
	wish_apply(a, h->width, h->height);
	inject_begin(a->inject);
	clipboard_watch(a->clipboard, g.clipboard_out);
	capture_watch(a->capture, true);
	return 0;
}

static void on_hello(struct viewer *v, const struct viewer_hello *h, void *arg)
{
	struct agent *a = arg;
	struct pst_err err = PST_ERR_INIT;

	waiting_remove(a, v);
	int rc = a->x->is_lost ? pst_err_set(&err, PST_ECLOSED, "the desktop's screen is gone: connect again")
			       : admit(a, v, h, &err);
	if (rc < 0) {
		pst_warn("refused a viewer: %s", err.text);
		viewer_end(v, rc, err.text);
		return;
	}
	pst_info("occupied user=%s session=%s epoch=%llu", a->grant.user, a->grant.session,
		(unsigned long long)a->grant.epoch);
}

static void on_input(struct viewer *v, const struct input_event *ev, void *arg)
{
	struct agent *a = arg;

	if (v != a->occupant)
		return;
	if (ev->kind == INPUT_SCALE) {
		scale_apply(a->x, ev->scale_pct);
		return;
	}
	if (ev->kind == INPUT_POINTER)
		capture_pointer_placed(a->capture, ev->pointer.x, ev->pointer.y);
	if (!inject_event(a->inject, ev))
		viewer_pause(v, true);
}

static void on_resize(struct viewer *v, int32_t width, int32_t height, void *arg)
{
	struct agent *a = arg;

	if (v == a->occupant)
		wish_apply(a, width, height);
}

static void on_ready(struct viewer *v, void *arg)
{
	struct agent *a = arg;

	if (v == a->occupant)
		capture_ready(a->capture);
}

static void on_clipboard(struct viewer *v, const char *utf8, size_t len, void *arg)
{
	struct agent *a = arg;

	if (v == a->occupant && a->grant.clipboard_in)
		clipboard_set(a->clipboard, utf8, len);
}

static void on_ended(struct viewer *v, const char *reason, void *arg)
{
	struct agent *a = arg;

	waiting_remove(a, v);
	if (v == a->occupant)
		vacate(a, reason);
}

static const struct viewer_events viewer_events = {
	.hello = on_hello,
	.input = on_input,
	.resize = on_resize,
	.ready = on_ready,
	.clipboard = on_clipboard,
	.ended = on_ended,
};

void occupancy_accept(int fd, void *arg)
{
	struct agent *a = arg;
	struct pst_err err = PST_ERR_INIT;
	struct viewer *v = viewer_create(a->loop, fd, &viewer_events, a, &err);

	if (!v) {
		pst_warn("%s", err.text);
		return;
	}
	for (size_t i = 0; i < AGENT_WAITING_MAX; i++) {
		if (!a->waiting[i]) {
			a->waiting[i] = v;
			return;
		}
	}
	viewer_end(v, PST_EBUSY, "too many connections wait at this desktop: try again");
}

void occupancy_close(struct agent *a, const char *reason)
{
	occupancy_end(a, PST_ECLOSED, reason);
	for (size_t i = 0; i < AGENT_WAITING_MAX; i++) {
		viewer_end(a->waiting[i], PST_ECLOSED, reason);
		a->waiting[i] = NULL;
	}
}
