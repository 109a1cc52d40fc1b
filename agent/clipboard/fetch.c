/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ICCCM 2.4 and 2.7.2: the requestor's part. UTF8_STRING first, then STRING (Latin-1). The owner is hostile
 * data. */
#include "agent/clipboard/fetch.h"

#include <X11/Xatom.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"

#define FETCH_MS 3000 /* for the answer, and for each piece */

struct fetch {
	struct x11 *x;
	Window window;
	const struct clipboard_atoms *atoms;
	size_t max;
	void (*done)(void *arg, const char *utf8, size_t len);
	void *arg;
	struct pst_timer *timer;
	Atom target; /* None: nothing is under way */
	Time time;
	bool is_incr, is_latin1;
	struct pst_buf pieces;
};

void fetch_stop(struct fetch *f)
{
	f->target = None;
	f->is_incr = false;
	pst_timer_stop(f->timer);
	pst_buf_finish(&f->pieces);
	pst_buf_init(&f->pieces, f->max);
}

static void on_deadline(void *arg)
{
	fetch_stop(arg);
}

static void ask(struct fetch *f, Atom target)
{
	f->target = target;
	f->is_latin1 = target == XA_STRING;
	XDeleteProperty(f->x->dpy, f->window, f->atoms->property);
	XConvertSelection(f->x->dpy, f->atoms->clipboard, target, f->atoms->property, f->window, f->time);
	pst_timer_start(f->timer, FETCH_MS, on_deadline, f);
}

void fetch_start(struct fetch *f, Time time)
{
	fetch_stop(f);
	f->time = time;
	ask(f, f->atoms->utf8);
}

static void latin1_widen(struct fetch *f, struct pst_buf *out)
{
	char piece[4];

	pst_buf_init(out, f->max);
	for (size_t i = 0; i < f->pieces.len; i++)
		pst_buf_append(out, piece, (size_t)pst_utf8_put(f->pieces.data[i], piece));
}

static void finish(struct fetch *f)
{
	struct pst_buf text = f->pieces;
	bool is_latin1 = f->is_latin1;

	if (is_latin1)
		latin1_widen(f, &text);
	else
		pst_buf_init(&f->pieces, f->max);
	fetch_stop(f);
	if (!text.failed && text.len > 0 && pst_utf8_valid((const char *)text.data, text.len))
		f->done(f->arg, (const char *)text.data, text.len);
	pst_buf_finish(&text);
}

/* Takes the property's bytes and deletes it, which asks for the next piece. Returns bytes taken, or -1. */
static long property_take(struct fetch *f, Atom *ret_type)
{
	unsigned char *data = NULL;
	unsigned long items = 0, after = 0;
	int format = 0;

	if (XGetWindowProperty(f->x->dpy, f->window, f->atoms->property, 0, (long)(f->max / 4 + 1), True,
		    AnyPropertyType, ret_type, &format, &items, &after, &data) != Success)
		return -1;
	long taken = -1;
	if (*ret_type == f->atoms->incr)
		taken = 0;
	else if (format == 8 && after == 0 && pst_buf_append(&f->pieces, data, items) == 0)
		taken = (long)items;
	if (data)
		XFree(data);
	return taken;
}

static void on_answer(struct fetch *f, const XSelectionEvent *ev)
{
	Atom type = None;

	if (ev->requestor != f->window || ev->selection != f->atoms->clipboard || ev->target != f->target ||
		f->is_incr)
		return;
	if (ev->property == None) {
		if (f->target == XA_STRING)
			fetch_stop(f);
		else
			ask(f, XA_STRING);
		return;
	}
	if (property_take(f, &type) < 0)
		fetch_stop(f);
	else if (type == f->atoms->incr)
		f->is_incr = true;
	else
		finish(f);
}

static void on_piece(struct fetch *f, const XPropertyEvent *ev)
{
	Atom type = None;

	if (!f->is_incr || ev->window != f->window || ev->atom != f->atoms->property ||
		ev->state != PropertyNewValue)
		return;
	long n = property_take(f, &type);
	if (n < 0)
		fetch_stop(f);
	else if (n == 0)
		finish(f);
	else
		pst_timer_start(f->timer, FETCH_MS, on_deadline, f);
}

void fetch_event(struct fetch *f, const XEvent *ev)
{
	if (f->target == None)
		return;
	if (ev->type == SelectionNotify)
		on_answer(f, &ev->xselection);
	else if (ev->type == PropertyNotify)
		on_piece(f, &ev->xproperty);
}

struct fetch *fetch_create(uv_loop_t *loop, struct x11 *x, Window window, const struct clipboard_atoms *atoms,
	size_t max, void (*done)(void *arg, const char *utf8, size_t len), void *arg)
{
	struct fetch *f = pst_zalloc(1, sizeof(*f));
	if (!f)
		return NULL;

	f->x = x;
	f->window = window;
	f->atoms = atoms;
	f->max = max;
	f->done = done;
	f->arg = arg;
	pst_buf_init(&f->pieces, max);
	f->timer = pst_timer_create(loop);
	if (!f->timer) {
		free(f);
		return NULL;
	}
	return f;
}

void fetch_destroy(struct fetch *f)
{
	if (!f)
		return;

	pst_timer_destroy(f->timer);
	pst_buf_finish(&f->pieces);
	free(f);
}
