/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Xutf8LookupString on a plain window without a window manager. */
#include "tests/integration/agent/keys.h"

#include <X11/XKBlib.h>
#include <X11/Xutil.h>
#include <locale.h>
#include <string.h>

void keys_open(struct keys *k, struct desk *d)
{
	memset(k, 0, sizeof(*k));
	CHECK(setlocale(LC_ALL, "C.UTF-8"));
	k->dpy = XOpenDisplay(d->display);
	CHECK(k->dpy);
	XSetLocaleModifiers("@im=none");
	XSetWindowAttributes a = { .override_redirect = True };
	k->window = XCreateWindow(k->dpy, DefaultRootWindow(k->dpy), 20, 20, 200, 100, 0, CopyFromParent,
		InputOutput, CopyFromParent, CWOverrideRedirect, &a);
	k->im = XOpenIM(k->dpy, NULL, NULL, NULL);
	CHECK(k->im);
	k->ic = XCreateIC(
		k->im, XNInputStyle, XIMPreeditNothing | XIMStatusNothing, XNClientWindow, k->window, NULL);
	CHECK(k->ic);
	XSelectInput(k->dpy, k->window,
		KeyPressMask | KeyReleaseMask | ButtonPressMask | ExposureMask | StructureNotifyMask);
	XMapRaised(k->dpy, k->window);
	for (XEvent ev; XNextEvent(k->dpy, &ev), ev.type != Expose;)
		;
	XSetInputFocus(k->dpy, k->window, RevertToParent, CurrentTime);
	XSetICFocus(k->ic);
	XSync(k->dpy, False);
}

void keys_close(struct keys *k)
{
	XDestroyIC(k->ic);
	XCloseIM(k->im);
	XCloseDisplay(k->dpy);
}

static void on_press(struct keys *k, XKeyEvent *ev)
{
	char buf[64];
	KeySym sym = NoSymbol;
	Status status;
	int n = Xutf8LookupString(k->ic, ev, buf, sizeof(buf) - 1, &sym, &status);

	size_t at = strlen(k->trace);

	snprintf(k->trace + at, sizeof(k->trace) - at, "%u:%lx ", ev->keycode, (unsigned long)sym);
	k->presses++;
	k->last_state = ev->state;
	if (sym != NoSymbol)
		k->last_sym = sym;
	if (n > 0 && (status == XLookupChars || status == XLookupBoth)) {
		buf[n] = 0;
		strncat(k->text, buf, sizeof(k->text) - strlen(k->text) - 1);
	}
}

void keys_read(struct keys *k)
{
	XEvent ev;

	while (XPending(k->dpy) > 0) {
		XNextEvent(k->dpy, &ev);
		/* The input method looks first: that is where dead keys are joined. */
		if (ev.type == MappingNotify)
			XRefreshKeyboardMapping(&ev.xmapping);
		if (XFilterEvent(&ev, None))
			continue;
		if (ev.type == KeyPress)
			on_press(k, &ev.xkey);
		else if (ev.type == KeyRelease)
			k->releases++;
		else if (ev.type == ButtonPress && ev.xbutton.button < 10)
			k->wheel[ev.xbutton.button]++;
	}
}

struct expectation {
	struct keys *k;
	const char *want;
};

static bool has_come(void *arg)
{
	struct expectation *e = arg;
	size_t have = strlen(e->k->text), want = strlen(e->want);

	keys_read(e->k);
	return have >= want && strcmp(e->k->text + have - want, e->want) == 0;
}

void keys_expect(struct keys *k, struct desk *d, const char *want)
{
	struct expectation e = { k, want };
	char what[9000];

	snprintf(what, sizeof(what), "the text \"%s\"", want);
	for (int i = 0; i < 400 && !has_come(&e); i++)
		desk_quiet(d, 5);
	if (!has_come(&e))
		fprintf(stderr, "the window got \"%s\" after the presses %s\n", k->text, k->trace);
	desk_wait(d, has_come, &e, what);
	k->text[0] = k->trace[0] = 0;
}

bool keys_all_up(struct keys *k)
{
	static const char none[32];
	char down[32];
	XkbStateRec state;

	XQueryKeymap(k->dpy, down);
	XkbGetState(k->dpy, XkbUseCoreKbd, &state);
	return memcmp(down, none, sizeof(down)) == 0 && state.mods == 0 && state.ptr_buttons == 0;
}
