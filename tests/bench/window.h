/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A window without a frame, over all others, and its pixels in memory shared with the X server. What is
 * drawn into the pixels is shown by window_put alone; every call returns once the X server has taken the
 * pixels, so they may be drawn on again.
 */
#pragma once

#include <X11/Xlib.h>
#include <X11/extensions/XShm.h>
#include <stdint.h>

#include "encoder/rect.h"

#define OPAQUE 0xff000000u /* the byte of a pixel that has no meaning, as toolkits leave it */

struct window {
	Display *dpy;
	Window id;
	GC gc;
	XImage *image;
	XShmSegmentInfo shm;
	uint32_t *px; /* w × h, 0x00RRGGBB, rows without padding */
	struct rect whole;
	uint64_t sent_ns; /* CLOCK_MONOTONIC, when the last request of drawing was given to the X server */
};

uint64_t now_ns(void);

/* Shown when it returns, with nothing drawn; the program ends with a reason on standard error when there is
 * no such display, no shared memory or no screen of 24 bits. Ends with the program. */
void window_open(struct window *w, int32_t x, int32_t y, int32_t width, int32_t height);
/* Shows this part of the pixels. */
void window_put(struct window *w, const struct rect *r);
/* The X server moves this part of what is shown up by dy pixels; the pixels in memory stay. */
void window_copy_up(struct window *w, const struct rect *r, int32_t dy);
void window_fill(struct window *w, const struct rect *r, uint32_t colour);
/* A second window over it, which holds pixels of its own and is moved by the X server; placed within. */
Window window_float(struct window *w, const struct rect *r, const uint32_t *px);
void window_move(struct window *w, Window floating, int32_t x, int32_t y);
/* A plain colour where the screen has no window. */
void window_paint_root(struct window *w);
/* Keys that a client sends come here from now on. */
void window_take_focus(struct window *w);
_Noreturn void die(const char *what);
