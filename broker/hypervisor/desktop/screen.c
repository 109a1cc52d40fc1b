/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first screen mode, the plain background, and the wait for the window manager. */
#include "broker/hypervisor/desktop/screen.h"

#include <X11/Xatom.h>
#include <X11/Xlib.h>
#include <X11/cursorfont.h>
#include <X11/extensions/XTest.h>
#include <X11/extensions/Xrandr.h>
#include <X11/keysym.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define BACKGROUND 0x1f3a4d /* the wallpaper's own dark tone, so nothing flashes */
#define WM_WAIT_MS 10000

static RRMode mode_find(XRRScreenResources *res, const char *name)
{
	for (int i = 0; i < res->nmode; i++) {
		if (strcmp(res->modes[i].name, name) == 0)
			return res->modes[i].id;
	}
	return None;
}

static RRMode mode_make(Display *dpy, XRRScreenResources *res, unsigned w, unsigned h)
{
	XRRModeInfo info;
	char name[32];
	RRMode mode;

	snprintf(name, sizeof(name), "%ux%u", w, h);
	mode = mode_find(res, name);
	if (mode != None)
		return mode;
	memset(&info, 0, sizeof(info));
	info.width = info.hTotal = info.hSyncStart = info.hSyncEnd = w;
	info.height = info.vTotal = info.vSyncStart = info.vSyncEnd = h;
	info.dotClock = (unsigned long)w * h * 60;
	info.name = name;
	info.nameLength = (unsigned)strlen(name);
	mode = XRRCreateMode(dpy, DefaultRootWindow(dpy), &info);
	XRRAddOutputMode(dpy, res->outputs[0], mode);
	return mode;
}

/* 96 dpi whatever the size, as every toolkit expects. */
static int mode_set(Display *dpy, unsigned w, unsigned h)
{
	Window root = DefaultRootWindow(dpy);
	XRRScreenResources *res = XRRGetScreenResources(dpy, root);
	int rc = 1;

	if (res && res->ncrtc > 0 && res->noutput > 0) {
		RRMode mode = mode_make(dpy, res, w, h);

		XGrabServer(dpy);
		XRRSetCrtcConfig(dpy, res, res->crtcs[0], CurrentTime, 0, 0, None, RR_Rotate_0, NULL, 0);
		XRRSetScreenSize(dpy, root, (int)w, (int)h, (int)(w * 254 / 960), (int)(h * 254 / 960));
		rc = XRRSetCrtcConfig(dpy, res, res->crtcs[0], CurrentTime, 0, 0, mode, RR_Rotate_0,
			&res->outputs[0], 1) == RRSetConfigSuccess ? 0 : 1;
		XUngrabServer(dpy);
	}
	if (res)
		XRRFreeScreenResources(res);
	return rc;
}

int screen_setup(const char *mode)
{
	unsigned w, h;
	Display *dpy;
	int rc;

	if (sscanf(mode, "%5ux%5u", &w, &h) != 2)
		return 2;
	dpy = XOpenDisplay(NULL);
	if (!dpy)
		return 1;
	XSetWindowBackground(dpy, DefaultRootWindow(dpy), BACKGROUND);
	XClearWindow(dpy, DefaultRootWindow(dpy));
	XDefineCursor(dpy, DefaultRootWindow(dpy), XCreateFontCursor(dpy, XC_left_ptr));
	rc = mode_set(dpy, w, h);
	XSync(dpy, False);
	XCloseDisplay(dpy);
	if (rc != 0)
		fprintf(stderr, "the X server refuses the mode %s\n", mode);
	return rc;
}

static bool wm_is_there(Display *dpy, Atom check)
{
	unsigned char *data = NULL;
	unsigned long n = 0, left;
	int format;
	Atom type;

	if (XGetWindowProperty(dpy, DefaultRootWindow(dpy), check, 0, 1, False, XA_WINDOW, &type, &format,
			&n, &left, &data) != Success)
		return false;
	if (data)
		XFree(data);
	return n == 1;
}

int screen_wait_wm(void)
{
	Display *dpy = XOpenDisplay(NULL);
	struct pollfd fd;
	XEvent event;
	Atom check;

	if (!dpy)
		return 1;
	check = XInternAtom(dpy, "_NET_SUPPORTING_WM_CHECK", False);
	XSelectInput(dpy, DefaultRootWindow(dpy), PropertyChangeMask);
	XSync(dpy, False);
	fd = (struct pollfd){ .fd = ConnectionNumber(dpy), .events = POLLIN };
	while (!wm_is_there(dpy, check)) {
		if (XPending(dpy) == 0 && poll(&fd, 1, WM_WAIT_MS) <= 0)
			return 1;
		while (XPending(dpy) > 0)
			XNextEvent(dpy, &event);
	}
	XCloseDisplay(dpy);
	return 0;
}

static void key_tap(Display *dpy, KeySym modifier, KeySym key)
{
	KeyCode codes[] = { XKeysymToKeycode(dpy, modifier), XKeysymToKeycode(dpy, key) };

	XTestFakeKeyEvent(dpy, codes[0], True, CurrentTime);
	XTestFakeKeyEvent(dpy, codes[1], True, CurrentTime);
	XTestFakeKeyEvent(dpy, codes[1], False, CurrentTime);
	XTestFakeKeyEvent(dpy, codes[0], False, CurrentTime);
	XSync(dpy, False);
}

int screen_press(const char *what)
{
	static const struct {
		const char *what;
		KeySym key;
	} keys[] = { { "menu", XK_F11 }, { "logoff", XK_F12 } };
	Display *dpy = XOpenDisplay(NULL);

	if (!dpy)
		return 1;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(keys[i].what, what) == 0)
			key_tap(dpy, XK_Super_L, keys[i].key);
	}
	XCloseDisplay(dpy);
	return 0;
}
