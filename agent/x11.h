/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The agent's one X connection on the libuv loop. Events go to every subscriber; X errors are counted and
 * logged and never end the agent; the end of the X server is told once. Loop thread only.
 */
#pragma once

#include <X11/Xlib.h>
#include <stdbool.h>
#include <uv.h>

#include "base/err.h"

/* Fields are for reading. An event base is -1 when the X server lacks the extension. */
struct x11 {
	Display *dpy;
	Window root;
	int screen;
	int damage_base, fixes_base, xkb_base, randr_base;
	bool has_shm;
	bool is_lost; /* the server is gone: Xlib calls do nothing any more */
};

typedef void (*x11_event_cb)(const XEvent *ev, void *arg);

/* display NULL: $DISPLAY. lost is called from the loop, once. Returns owned, NULL with err (which names a
 * missing extension). */
struct x11 *x11_open(
	uv_loop_t *loop, const char *display, void (*lost)(void *arg), void *arg, struct pst_err *err);

/* Accepts NULL. */
void x11_close(struct x11 *x);

/* At most X11_SUBSCRIBERS_MAX, for the life of the connection. */
#define X11_SUBSCRIBERS_MAX 8
void x11_subscribe(struct x11 *x, x11_event_cb cb, void *arg);

/* Between the two, errors are collected; end waits for the server and returns the first error code or 0. */
void x11_try_begin(struct x11 *x);
int x11_try_end(struct x11 *x);
