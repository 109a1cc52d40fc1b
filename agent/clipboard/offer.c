/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ICCCM 2.2 and 2.7.2: the owner's part. A requestor that stops reading its pieces is forgotten after a
 * while. */
#include "agent/clipboard/offer.h"

#include <X11/Xatom.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"

#define PIECE 65536       /* bytes of one property */
#define TRANSFERS_MAX 8   /* requestors that read in pieces at one time */
#define TRANSFER_MS 10000 /* after the last piece */

/* A text that goes away in pieces keeps its own copy: a newer one may come meanwhile. */
struct transfer {
	Window window; /* None: free */
	Atom property, type;
	char *data;
	size_t len, at;
};

struct offer {
	struct x11 *x;
	Window window;
	const struct clipboard_atoms *atoms;
	char *text;
	size_t len;
	Time time;
	bool owns_clipboard, owns_primary;
	struct transfer transfers[TRANSFERS_MAX];
	struct pst_timer *timer;
};

struct offer *offer_create(uv_loop_t *loop, struct x11 *x, Window window, const struct clipboard_atoms *atoms)
{
	struct offer *o = pst_zalloc(1, sizeof(*o));
	if (!o)
		return NULL;

	o->x = x;
	o->window = window;
	o->atoms = atoms;
	o->timer = pst_timer_create(loop);
	if (!o->timer) {
		free(o);
		return NULL;
	}
	return o;
}

static void transfer_end(struct offer *o, struct transfer *t)
{
	if (t->window == None)
		return;
	if (!o->x->is_lost)
		XSelectInput(o->x->dpy, t->window, NoEventMask);
	free(t->data);
	memset(t, 0, sizeof(*t));
}

static void transfers_end(void *arg)
{
	struct offer *o = arg;

	for (size_t i = 0; i < TRANSFERS_MAX; i++)
		transfer_end(o, &o->transfers[i]);
}

void offer_destroy(struct offer *o)
{
	if (!o)
		return;

	transfers_end(o);
	pst_timer_destroy(o->timer);
	free(o->text);
	free(o);
}

void offer_set(struct offer *o, const char *utf8, size_t len, Time time)
{
	Window owner = len > 0 ? o->window : None;
	char *copy = len > 0 ? pst_memdup(utf8, len) : NULL;

	if (o->text)
		explicit_bzero(o->text, o->len);
	free(o->text);
	o->text = copy;
	o->len = copy ? len : 0;
	o->time = time;
	if (o->x->is_lost)
		return;
	if (len > 0 || o->owns_clipboard)
		XSetSelectionOwner(o->x->dpy, o->atoms->clipboard, owner, time);
	if (len > 0 || o->owns_primary)
		XSetSelectionOwner(o->x->dpy, XA_PRIMARY, owner, time);
	o->owns_clipboard = o->owns_primary = len > 0;
}

bool offer_is(const struct offer *o, const char *utf8, size_t len)
{
	return o->text && o->len == len && memcmp(o->text, utf8, len) == 0;
}

/* STRING is Latin-1; what it cannot say becomes a question mark. Returns owned. */
static char *to_latin1(const char *utf8, size_t len, size_t *ret_len)
{
	char *out = pst_zalloc(1, len + 1);
	size_t n = 0;

	for (size_t at = 0; out && at < len;) {
		uint32_t code_point = 0;
		int used = pst_utf8_next(utf8 + at, len - at, &code_point);
		if (used <= 0)
			break;
		out[n++] = code_point < 0x100 ? (char)code_point : '?';
		at += (size_t)used;
	}
	*ret_len = n;
	return out;
}

static bool transfer_begin(
	struct offer *o, const XSelectionRequestEvent *r, Atom property, Atom type, char *data, size_t len)
{
	long total = (long)len;

	for (size_t i = 0; i < TRANSFERS_MAX; i++) {
		struct transfer *t = &o->transfers[i];
		if (t->window != None)
			continue;
		*t = (struct transfer){ r->requestor, property, type, data, len, 0 };
		XSelectInput(o->x->dpy, r->requestor, PropertyChangeMask | StructureNotifyMask);
		XChangeProperty(o->x->dpy, r->requestor, property, o->atoms->incr, 32, PropModeReplace,
			(const unsigned char *)&total, 1);
		pst_timer_start(o->timer, TRANSFER_MS, transfers_end, o);
		return true;
	}
	return false;
}

static bool text_answer(struct offer *o, const XSelectionRequestEvent *r, Atom property)
{
	bool is_latin1 = r->target == XA_STRING;
	Atom type = r->target == o->atoms->text ? o->atoms->utf8 : r->target;
	size_t len = o->len;
	char *data = is_latin1 ? to_latin1(o->text, o->len, &len) : pst_memdup(o->text, o->len);
	if (!data)
		return false;

	if (len > PIECE) {
		if (transfer_begin(o, r, property, type, data, len))
			return true;
		free(data);
		return false;
	}
	XChangeProperty(o->x->dpy, r->requestor, property, type, 8, PropModeReplace,
		(const unsigned char *)data, (int)len);
	free(data);
	return true;
}

static bool answer(struct offer *o, const XSelectionRequestEvent *r, Atom property)
{
	const struct clipboard_atoms *a = o->atoms;
	Atom targets[] = { a->targets, a->timestamp, a->utf8, a->text_plain_utf8, a->text_plain, a->text,
		XA_STRING };
	long time = (long)o->time;

	if (!o->text)
		return false;
	if (r->target == a->targets) {
		XChangeProperty(o->x->dpy, r->requestor, property, XA_ATOM, 32, PropModeReplace,
			(const unsigned char *)targets, (int)PST_ARRAY_LEN(targets));
		return true;
	}
	if (r->target == a->timestamp) {
		XChangeProperty(o->x->dpy, r->requestor, property, XA_INTEGER, 32, PropModeReplace,
			(const unsigned char *)&time, 1);
		return true;
	}
	for (size_t i = 2; i < PST_ARRAY_LEN(targets); i++)
		if (r->target == targets[i])
			return text_answer(o, r, property);
	return false;
}

/* The requestor is another program: any of this may fail with an X error that concerns only it. */
static void on_request(struct offer *o, const XSelectionRequestEvent *r)
{
	Atom property = r->property != None ? r->property : r->target; /* old clients, ICCCM 2.2 */
	XEvent reply = { .xselection = { .type = SelectionNotify,
				 .requestor = r->requestor,
				 .selection = r->selection,
				 .target = r->target,
				 .time = r->time } };

	reply.xselection.property = answer(o, r, property) ? property : None;
	XSendEvent(o->x->dpy, r->requestor, False, NoEventMask, &reply);
}

/* The requestor deleted the piece that it read: the next one, at last an empty one. */
static void on_property(struct offer *o, const XPropertyEvent *ev)
{
	for (size_t i = 0; i < TRANSFERS_MAX; i++) {
		struct transfer *t = &o->transfers[i];
		if (t->window != ev->window || t->property != ev->atom || ev->state != PropertyDelete ||
			t->window == None)
			continue;
		size_t n = PST_MIN(t->len - t->at, (size_t)PIECE);
		XChangeProperty(o->x->dpy, t->window, t->property, t->type, 8, PropModeReplace,
			(const unsigned char *)t->data + t->at, (int)n);
		t->at += n;
		pst_timer_start(o->timer, TRANSFER_MS, transfers_end, o);
		if (n == 0)
			transfer_end(o, t);
		return;
	}
}

static void on_window_gone(struct offer *o, Window window)
{
	for (size_t i = 0; i < TRANSFERS_MAX; i++)
		if (o->transfers[i].window == window)
			transfer_end(o, &o->transfers[i]);
}

void offer_event(struct offer *o, const XEvent *ev)
{
	switch (ev->type) {
	case SelectionRequest:
		if (ev->xselectionrequest.owner == o->window)
			on_request(o, &ev->xselectionrequest);
		break;
	case SelectionClear:
		if (ev->xselectionclear.selection == o->atoms->clipboard)
			o->owns_clipboard = false;
		else if (ev->xselectionclear.selection == XA_PRIMARY)
			o->owns_primary = false;
		break;
	case PropertyNotify:
		on_property(o, &ev->xproperty);
		break;
	case DestroyNotify:
		on_window_gone(o, ev->xdestroywindow.window);
		break;
	default:
		break;
	}
}
