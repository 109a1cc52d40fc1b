/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A program on a desktop that draws always the same: the encoder bench's scenes in an X window without a
 * frame.
 *
 *   workload X Y WIDTH HEIGHT
 *
 * It prints "ready" when its window is drawn and then carries out lines of standard input, each answered by
 * "done": "page N" shows a page of text, "type N MS", "scroll N MS" and "clip N MS" make N steps, one each MS
 * milliseconds. End of file ends it.
 */
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/extensions/XShm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <time.h>

#include "glyphs.h"
#include "scene.h"

#define CLIP_W 640
#define CLIP_H 360
#define SCROLL_PX 48
#define STEPS_MAX 100000

struct screen {
	Display *dpy;
	Window window;
	GC gc;
	XImage *image;
	XShmSegmentInfo shm;
	struct scene *scene;
	struct rect whole;
	int steps; /* of all kinds so far: each draws something new */
};

static void die(const char *what)
{
	fprintf(stderr, "workload: %s\n", what);
	exit(1);
}

static void put(struct screen *s, const struct rect *r)
{
	for (int32_t y = r->y; y < r->y + r->h; y++)
		memcpy(s->image->data + (size_t)y * (size_t)s->image->bytes_per_line + (size_t)r->x * 4,
			s->scene->px + (size_t)y * (size_t)s->whole.w + (size_t)r->x, (size_t)r->w * 4);
	XShmPutImage(s->dpy, s->window, s->gc, s->image, r->x, r->y, r->x, r->y, (unsigned)r->w,
		(unsigned)r->h, False);
	XSync(s->dpy, False); /* the segment is free again */
}

static struct rect step_page(struct screen *s, int i)
{
	scene_text(s->scene, &s->whole, (uint32_t)i, 0);
	return s->whole;
}

static struct rect step_type(struct screen *s, int i)
{
	int columns = (s->whole.w - 80) / GLYPH_WIDTH, lines = (s->whole.h - 80) / 18;
	struct rect r = { 40 + i % columns * GLYPH_WIDTH, 40 + i / columns % lines * 18, GLYPH_WIDTH,
		GLYPH_HEIGHT };

	scene_glyph(s->scene, r.x, r.y, i * 37);
	return r;
}

/* Drawn anew as browsers do, not copied within the X server. */
static struct rect step_scroll(struct screen *s, int i)
{
	scene_text(s->scene, &s->whole, 3, SCROLL_PX * (i + 1));
	return s->whole;
}

static struct rect step_clip(struct screen *s, int i)
{
	struct rect r = { 40, 40, CLIP_W, CLIP_H };

	scene_clip(s->scene, &r, i);
	return r;
}

static const struct {
	const char *name;
	struct rect (*step)(struct screen *s, int i);
} kinds[] = { { "page", step_page }, { "type", step_type }, { "scroll", step_scroll },
	{ "clip", step_clip } };

static void pause_until(struct timespec *at, long ms)
{
	at->tv_nsec += ms % 1000 * 1000000;
	at->tv_sec += ms / 1000 + at->tv_nsec / 1000000000;
	at->tv_nsec %= 1000000000;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, at, NULL);
}

static void carry_out(struct screen *s, const char *line)
{
	char name[16] = "";
	int n = 0, ms = 0;
	struct timespec at;
	size_t k = 0;

	sscanf(line, "%15s %d %d", name, &n, &ms);
	while (k < sizeof(kinds) / sizeof(*kinds) && strcmp(kinds[k].name, name))
		k++;
	if (k == sizeof(kinds) / sizeof(*kinds) || n < 0 || n > STEPS_MAX || ms < 0)
		die("a line is none of: page N, type N MS, scroll N MS, clip N MS");
	clock_gettime(CLOCK_MONOTONIC, &at);
	for (int i = 0; i < (k ? n : 1); i++) {
		struct rect r = kinds[k].step(s, k ? s->steps++ : n);

		put(s, &r);
		pause_until(&at, ms);
	}
	puts("done");
	fflush(stdout);
}

static void open_image(struct screen *s)
{
	XVisualInfo want = { .screen = DefaultScreen(s->dpy), .depth = 24, .class = TrueColor }, *have;
	int n;

	have = XGetVisualInfo(s->dpy, VisualScreenMask | VisualDepthMask | VisualClassMask, &want, &n);
	if (!have || !XShmQueryExtension(s->dpy))
		die("the X server has no 24-bit screen with shared memory");
	s->image = XShmCreateImage(
		s->dpy, have->visual, 24, ZPixmap, NULL, &s->shm, (unsigned)s->whole.w, (unsigned)s->whole.h);
	XFree(have);
	if (!s->image || s->image->bits_per_pixel != 32)
		die("no image of 32 bits a pixel");
	s->shm.shmid =
		shmget(IPC_PRIVATE, (size_t)s->image->bytes_per_line * (size_t)s->whole.h, IPC_CREAT | 0600);
	s->shm.shmaddr = s->image->data = shmat(s->shm.shmid, NULL, 0);
	if (s->shm.shmaddr == (char *)-1 || !XShmAttach(s->dpy, &s->shm))
		die("no shared memory");
	XSync(s->dpy, False);
	shmctl(s->shm.shmid, IPC_RMID, NULL);
}

static void open_window(struct screen *s, int x, int y)
{
	XSetWindowAttributes a = { .override_redirect = True, .event_mask = ExposureMask };
	XEvent e;

	s->window = XCreateWindow(s->dpy, DefaultRootWindow(s->dpy), x, y, (unsigned)s->whole.w,
		(unsigned)s->whole.h, 0, CopyFromParent, InputOutput, CopyFromParent,
		CWOverrideRedirect | CWEventMask, &a);
	s->gc = XCreateGC(s->dpy, s->window, 0, NULL);
	XMapRaised(s->dpy, s->window);
	XWindowEvent(s->dpy, s->window, ExposureMask, &e);
}

int main(int argc, char **argv)
{
	struct screen s = { 0 };
	struct rect page;
	char line[64];

	if (argc != 5)
		die("usage: workload X Y WIDTH HEIGHT");
	s.whole = (struct rect){ 0, 0, atoi(argv[3]), atoi(argv[4]) };
	if (s.whole.w < CLIP_W + 80 || s.whole.h < CLIP_H + 80 || s.whole.w > 8192 || s.whole.h > 8192)
		die("the window must have 720 x 440 pixels or more");
	s.dpy = XOpenDisplay(NULL);
	s.scene = s.dpy ? scene_create(s.whole.w, s.whole.h) : NULL;
	if (!s.scene)
		die("no X display, or no memory");
	open_image(&s);
	open_window(&s, atoi(argv[1]), atoi(argv[2]));
	page = step_page(&s, 1);
	put(&s, &page);
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		carry_out(&s, line);
	return 0;
}
