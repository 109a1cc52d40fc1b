/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Joins the offer (what the viewer copied) and the fetch (what the desktop copied) at one small window. */
#include "agent/clipboard/clipboard.h"

#include <X11/Xatom.h>
#include <X11/extensions/Xfixes.h>
#include <stdlib.h>

#include "agent/clipboard/fetch.h"
#include "agent/clipboard/offer.h"
#include "base/mem.h"

struct clipboard {
	struct x11 *x;
	Window window;
	struct clipboard_atoms atoms;
	struct offer *offer;
	struct fetch *fetch;
	void (*copied)(void *arg, const char *utf8, size_t len);
	void *arg;
	bool is_watched;
};

/* A clipboard manager takes over what we offered: the same text must not travel back. */
static void on_fetched(void *arg, const char *utf8, size_t len)
{
	struct clipboard *c = arg;

	if (c->is_watched && !offer_is(c->offer, utf8, len))
		c->copied(c->arg, utf8, len);
}

static void on_owner(struct clipboard *c, const XFixesSelectionNotifyEvent *ev)
{
	if (c->is_watched && ev->selection == c->atoms.clipboard && ev->owner != None &&
		ev->owner != c->window)
		fetch_start(c->fetch, ev->selection_timestamp);
}

static void on_x_event(const XEvent *ev, void *arg)
{
	struct clipboard *c = arg;

	if (ev->type == c->x->fixes_base + XFixesSelectionNotify)
		on_owner(c, (const XFixesSelectionNotifyEvent *)(const void *)ev);
	offer_event(c->offer, ev);
	fetch_event(c->fetch, ev);
}

struct clipboard *clipboard_create(uv_loop_t *loop, struct x11 *x,
	void (*copied)(void *arg, const char *utf8, size_t len), void *arg, struct pst_err *err)
{
	struct clipboard *c = pst_zalloc(1, sizeof(*c));
	if (!c) {
		pst_err_set(err, PST_ENOMEM, "no memory for the clipboard");
		return NULL;
	}

	c->x = x;
	c->copied = copied;
	c->arg = arg;
	clipboard_atoms_get(x->dpy, &c->atoms);
	c->window = XCreateSimpleWindow(x->dpy, x->root, -10, -10, 1, 1, 0, 0, 0);
	XSelectInput(x->dpy, c->window, PropertyChangeMask);
	c->offer = offer_create(loop, x, c->window, &c->atoms);
	c->fetch = fetch_create(loop, x, c->window, &c->atoms, CLIPBOARD_MAX, on_fetched, c);
	if (!c->offer || !c->fetch) {
		pst_err_set(err, PST_ENOMEM, "no memory for the clipboard");
		clipboard_destroy(c);
		return NULL;
	}
	x11_subscribe(x, on_x_event, c);
	return c;
}

void clipboard_destroy(struct clipboard *c)
{
	if (!c)
		return;

	offer_destroy(c->offer);
	fetch_destroy(c->fetch);
	free(c);
}

void clipboard_watch(struct clipboard *c, bool is_watched)
{
	c->is_watched = is_watched;
	if (!is_watched)
		fetch_stop(c->fetch);
	if (!c->x->is_lost)
		XFixesSelectSelectionInput(c->x->dpy, c->window, c->atoms.clipboard,
			is_watched ? XFixesSetSelectionOwnerNotifyMask : 0);
}

static Bool is_stamp(Display *dpy, XEvent *ev, XPointer arg)
{
	const struct clipboard *c = (const struct clipboard *)(const void *)arg;

	return ev->type == PropertyNotify && ev->xproperty.window == c->window &&
	       ev->xproperty.atom == c->atoms.timestamp;
}

/* ICCCM forbids CurrentTime: an empty append to a property of ours tells the server's time. */
static Time server_time(struct clipboard *c)
{
	XEvent ev;

	XChangeProperty(c->x->dpy, c->window, c->atoms.timestamp, XA_INTEGER, 32, PropModeAppend, NULL, 0);
	XSync(c->x->dpy, False);
	return XCheckIfEvent(c->x->dpy, &ev, is_stamp, (XPointer)c) ? ev.xproperty.time : CurrentTime;
}

void clipboard_set(struct clipboard *c, const char *utf8, size_t len)
{
	if (c->x->is_lost || len > CLIPBOARD_MAX)
		return;
	fetch_stop(c->fetch);
	offer_set(c->offer, utf8, len, server_time(c));
}

void clipboard_clear(struct clipboard *c)
{
	fetch_stop(c->fetch);
	offer_set(c->offer, "", 0, CurrentTime);
}
