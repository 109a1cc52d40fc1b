/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An X window with shared pixels; see window.h. */
#include "window.h"

#include <X11/Xutil.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <time.h>

_Noreturn void die(const char *what)
{
	fprintf(stderr, "workload: %s\n", what);
	exit(1);
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void open_image(struct window *w)
{
	XVisualInfo want = { .screen = DefaultScreen(w->dpy), .depth = 24, .class = TrueColor }, *have;
	int n;

	have = XGetVisualInfo(w->dpy, VisualScreenMask | VisualDepthMask | VisualClassMask, &want, &n);
	if (!have || !XShmQueryExtension(w->dpy))
		die("the X server has no 24-bit screen with shared memory");
	w->image = XShmCreateImage(
		w->dpy, have->visual, 24, ZPixmap, NULL, &w->shm, (unsigned)w->whole.w, (unsigned)w->whole.h);
	XFree(have);
	if (!w->image || w->image->bits_per_pixel != 32 || w->image->bytes_per_line != w->whole.w * 4)
		die("no image of 32 bits a pixel");
	w->shm.shmid =
		shmget(IPC_PRIVATE, (size_t)w->image->bytes_per_line * (size_t)w->whole.h, IPC_CREAT | 0600);
	w->shm.shmaddr = w->image->data = shmat(w->shm.shmid, NULL, 0);
	if (w->shm.shmaddr == (char *)-1 || !XShmAttach(w->dpy, &w->shm))
		die("no shared memory");
	XSync(w->dpy, False);
	shmctl(w->shm.shmid, IPC_RMID, NULL);
	w->px = (uint32_t *)(void *)w->shm.shmaddr;
}

static Window open_plain(struct window *w, Window parent, const struct rect *r, long events)
{
	XSetWindowAttributes a = { .override_redirect = True, .event_mask = events };

	return XCreateWindow(w->dpy, parent, r->x, r->y, (unsigned)r->w, (unsigned)r->h, 0, CopyFromParent,
		InputOutput, CopyFromParent, CWOverrideRedirect | CWEventMask, &a);
}

void window_open(struct window *w, int32_t x, int32_t y, int32_t width, int32_t height)
{
	const struct rect place = { x, y, width, height };
	XEvent e;

	w->dpy = XOpenDisplay(NULL);
	if (!w->dpy)
		die("no X display");
	w->whole = (struct rect){ 0, 0, width, height };
	open_image(w);
	w->id = open_plain(w, DefaultRootWindow(w->dpy), &place, ExposureMask | KeyPressMask);
	w->gc = XCreateGC(w->dpy, w->id, 0, NULL);
	XMapRaised(w->dpy, w->id);
	XWindowEvent(w->dpy, w->id, ExposureMask, &e);
}

/* Toolkits leave 0xff in the byte that has no meaning, and some servers take it for a part of the colour. */
static void make_opaque(const struct window *w, const struct rect *r)
{
	for (int32_t y = r->y; y < r->y + r->h; y++)
		for (int32_t x = r->x; x < r->x + r->w; x++)
			w->px[(size_t)y * (size_t)w->whole.w + (size_t)x] |= OPAQUE;
}

void window_put(struct window *w, const struct rect *r)
{
	make_opaque(w, r);
	w->sent_ns = now_ns();
	XShmPutImage(w->dpy, w->id, w->gc, w->image, r->x, r->y, r->x, r->y, (unsigned)r->w, (unsigned)r->h,
		False);
	XSync(w->dpy, False);
}

void window_copy_up(struct window *w, const struct rect *r, int32_t dy)
{
	w->sent_ns = now_ns();
	XCopyArea(w->dpy, w->id, w->id, w->gc, r->x, r->y + dy, (unsigned)r->w, (unsigned)(r->h - dy), r->x,
		r->y);
}

void window_fill(struct window *w, const struct rect *r, uint32_t colour)
{
	w->sent_ns = now_ns();
	XSetForeground(w->dpy, w->gc, colour);
	XFillRectangle(w->dpy, w->id, w->gc, r->x, r->y, (unsigned)r->w, (unsigned)r->h);
	XSync(w->dpy, False);
}

Window window_float(struct window *w, const struct rect *r, const uint32_t *px)
{
	Window floating = open_plain(w, w->id, r, 0);
	Pixmap picture = XCreatePixmap(w->dpy, floating, (unsigned)r->w, (unsigned)r->h, 24);
	XImage image = { .width = r->w,
		.height = r->h,
		.format = ZPixmap,
		.data = (char *)(uintptr_t)px,
		.byte_order = LSBFirst,
		.bitmap_unit = 32,
		.bitmap_bit_order = LSBFirst,
		.bitmap_pad = 32,
		.depth = 24,
		.bytes_per_line = r->w * 4,
		.bits_per_pixel = 32 };

	if (!XInitImage(&image))
		die("the picture of the window that is dragged");
	XPutImage(w->dpy, picture, w->gc, &image, 0, 0, 0, 0, (unsigned)r->w, (unsigned)r->h);
	XSetWindowBackgroundPixmap(w->dpy, floating, picture);
	XFreePixmap(w->dpy, picture);
	w->sent_ns = now_ns();
	XMapRaised(w->dpy, floating);
	XSync(w->dpy, False);
	return floating;
}

void window_move(struct window *w, Window floating, int32_t x, int32_t y)
{
	w->sent_ns = now_ns();
	XMoveWindow(w->dpy, floating, x, y);
	XSync(w->dpy, False);
}

void window_paint_root(struct window *w)
{
	w->sent_ns = now_ns();
	XSetWindowBackground(w->dpy, DefaultRootWindow(w->dpy), OPAQUE | 0x203040);
	XClearWindow(w->dpy, DefaultRootWindow(w->dpy));
	XSync(w->dpy, False);
}

void window_take_focus(struct window *w)
{
	XSetInputFocus(w->dpy, w->id, RevertToPointerRoot, CurrentTime);
	XSync(w->dpy, False);
}
