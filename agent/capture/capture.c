/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * XDamage in its cheapest form. One NonEmpty event says "something changed", and no other comes until the
 * region is subtracted: so an unready viewer costs nothing. Subtract and fetch end with a reply of the
 * server, which works through requests one by one; whatever drew the subtracted damage is therefore in the
 * screen's memory before we report it.
 */
#include "agent/capture/capture.h"

#include <X11/extensions/Xdamage.h>
#include <X11/extensions/Xfixes.h>
#include <X11/extensions/Xrandr.h>
#include <stdlib.h>

#include "agent/capture/merge.h"
#include "agent/capture/pointer_shape.h"
#include "base/log.h"
#include "base/mem.h"
#include "protocol/link/link.h"

#define REGION_RECTS_MAX 4096 /* more than that and the bounds are reported */

struct capture {
	struct x11 *x;
	struct store *store;
	const struct capture_events *events;
	void *arg;
	Damage damage;        /* 0 while nobody watches */
	XserverRegion region; /* the subtracted part */
	bool is_watched, is_dirty, is_ready;
	int32_t width, height;
	int32_t pointer_x, pointer_y; /* where we believe it is */
	uint32_t cursor_pixels[CURSOR_SIDE_MAX * CURSOR_SIDE_MAX];
};

static void screen_size(struct capture *c)
{
	Window root;
	int x, y;
	unsigned w, h, border, depth;

	if (XGetGeometry(c->x->dpy, c->x->root, &root, &x, &y, &w, &h, &border, &depth)) {
		c->width = (int32_t)w;
		c->height = (int32_t)h;
	}
}

/* The new surface is complete damage of its own: what was there before belongs to the old one. */
static void surface_report(struct capture *c)
{
	struct pst_err err = PST_ERR_INIT;

	if (c->store->type->resize(c->store, c->width, c->height, &err) < 0) {
		pst_warn("no surface: %s", err.text);
		return;
	}
	struct rect all = { 0, 0, c->width, c->height };
	XDamageSubtract(c->x->dpy, c->damage, None, None);
	XSync(c->x->dpy, False);
	c->is_dirty = false;
	c->is_ready = false;
	c->store->type->fetch(c->store, &all, 1);
	c->events->surface(c->arg, c->store);
	c->events->damage(c->arg, &all, 1);
}

static void pointer_check(struct capture *c)
{
	Window root, child;
	int x, y, wx, wy;
	unsigned mask;

	if (!XQueryPointer(c->x->dpy, c->x->root, &root, &child, &x, &y, &wx, &wy, &mask))
		return;
	if (x == c->pointer_x && y == c->pointer_y)
		return;
	c->pointer_x = x;
	c->pointer_y = y;
	c->events->pointer_moved(c->arg, x, y);
}

/* Takes the region's rectangles into rects (REGION_RECTS_MAX of room) and returns their number. */
static size_t region_take(struct capture *c, struct rect *rects)
{
	XRectangle bounds;
	int n = 0;

	XDamageSubtract(c->x->dpy, c->damage, None, c->region);
	XRectangle *list = XFixesFetchRegionAndBounds(c->x->dpy, c->region, &n, &bounds);
	if (!list)
		return 0;

	if (n > REGION_RECTS_MAX) {
		rects[0] = (struct rect){ bounds.x, bounds.y, bounds.width, bounds.height };
		n = 1;
	} else {
		for (int i = 0; i < n; i++)
			rects[i] = (struct rect){ list[i].x, list[i].y, list[i].width, list[i].height };
	}
	XFree(list);
	return (size_t)n;
}

static void damage_report(struct capture *c)
{
	static struct rect rects[REGION_RECTS_MAX]; /* the loop thread's alone */

	if (!c->is_watched || !c->is_dirty || !c->is_ready || c->x->is_lost)
		return;

	c->is_dirty = false;
	size_t n = region_take(c, rects);
	n = merge_rects(rects, n, c->width, c->height, LINK_RECTS_MAX);
	if (n == 0)
		return;
	c->is_ready = false;
	c->store->type->fetch(c->store, rects, n);
	c->events->damage(c->arg, rects, n);
	pointer_check(c);
}

static void cursor_report(struct capture *c)
{
	struct cursor_image image;

	if (pointer_shape_get(c->x, c->cursor_pixels, &image))
		c->events->cursor(c->arg, &image);
}

static void on_x_event(const XEvent *ev, void *arg)
{
	struct capture *c = arg;

	if (!c->is_watched)
		return;
	if (ev->type == c->x->damage_base + XDamageNotify) {
		c->is_dirty = true;
		damage_report(c);
	} else if (ev->type == c->x->fixes_base + XFixesCursorNotify) {
		cursor_report(c);
	} else if (c->x->randr_base >= 0 && ev->type == c->x->randr_base + RRScreenChangeNotify) {
		int32_t w = c->width, h = c->height;
		XRRUpdateConfiguration((XEvent *)(uintptr_t)ev);
		screen_size(c);
		if (w != c->width || h != c->height)
			surface_report(c);
	}
}

struct capture *capture_create(
	struct x11 *x, const char *fbdir, const struct capture_events *events, void *arg, struct pst_err *err)
{
	struct capture *c = pst_zalloc(1, sizeof(*c));
	if (!c) {
		pst_err_set(err, PST_ENOMEM, "no memory for the capture");
		return NULL;
	}

	c->x = x;
	c->events = events;
	c->arg = arg;
	c->store = store_open(x, fbdir, err);
	if (!c->store) {
		free(c);
		return NULL;
	}
	if (x->randr_base >= 0)
		XRRSelectInput(x->dpy, x->root, RRScreenChangeNotifyMask);
	x11_subscribe(x, on_x_event, c);
	return c;
}

void capture_destroy(struct capture *c)
{
	if (!c)
		return;

	capture_watch(c, false);
	c->store->type->close(c->store);
	free(c);
}

/*
 * The X server's software cursor would be drawn into the very memory that we share, so it is hidden: XFixes
 * goes on to tell its shape.
 */
static void watch_begin(struct capture *c)
{
	Display *dpy = c->x->dpy;

	c->damage = XDamageCreate(dpy, c->x->root, XDamageReportNonEmpty);
	c->region = XFixesCreateRegion(dpy, NULL, 0);
	XFixesSelectCursorInput(dpy, c->x->root, XFixesDisplayCursorNotifyMask);
	XFixesHideCursor(dpy, c->x->root);
	c->pointer_x = c->pointer_y = -1;
	screen_size(c);
	cursor_report(c);
	surface_report(c);
	pointer_check(c);
}

static void watch_end(struct capture *c)
{
	Display *dpy = c->x->dpy;

	if (c->x->is_lost)
		return;
	XFixesShowCursor(dpy, c->x->root);
	XFixesSelectCursorInput(dpy, c->x->root, 0);
	XDamageDestroy(dpy, c->damage);
	XFixesDestroyRegion(dpy, c->region);
	c->damage = c->region = None;
}

void capture_watch(struct capture *c, bool is_watched)
{
	if (c->is_watched == is_watched)
		return;

	c->is_watched = is_watched;
	c->is_dirty = false;
	if (is_watched)
		watch_begin(c);
	else
		watch_end(c);
}

void capture_ready(struct capture *c)
{
	c->is_ready = true;
	damage_report(c);
}

void capture_pointer_placed(struct capture *c, int32_t x, int32_t y)
{
	c->pointer_x = PST_CLAMP(x, 0, PST_MAX(c->width - 1, 0));
	c->pointer_y = PST_CLAMP(y, 0, PST_MAX(c->height - 1, 0));
}

const char *capture_store_name(const struct capture *c)
{
	return c->store->type->name;
}
