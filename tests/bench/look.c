/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A client's screen beside the server's; see look.h. */
#include "look.h"

#include <X11/extensions/XTest.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "likeness.h"

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct rect on_client(const struct look *l, const struct rect *r)
{
	return (struct rect){ r->x + l->dx, r->y + l->dy, r->w, r->h };
}

void look_await(struct look *l, uint64_t until)
{
	Display *dpy = l->client.dpy;
	bool has_changed = false;
	XEvent e;

	while (!has_changed) {
		uint64_t now = now_ns(), left = until > now ? until - now : 0;
		struct timespec wait = { (time_t)(left / 1000000000u), (long)(left % 1000000000u) };
		struct pollfd fd = { .fd = ConnectionNumber(dpy), .events = POLLIN };

		if (!XPending(dpy) && ppoll(&fd, 1, &wait, NULL) <= 0 && !left)
			return;
		while (XPending(dpy)) {
			XNextEvent(dpy, &e);
			has_changed = has_changed || e.type == l->damage_event + XDamageNotify;
		}
	}
	/* What is drawn from here on is told again; what was drawn before is seen by the next grab. */
	XDamageSubtract(dpy, l->damage, None, None);
}

static long difference(
	const uint32_t *patch, const struct rect *r, const uint32_t *in, int32_t stride, long most)
{
	long sum = 0;

	for (int32_t y = 0; y < r->h && sum < most; y++)
		for (int32_t x = 0; x < r->w; x++)
			sum += labs(
				brightness(patch[y * r->w + x]) - brightness(in[(ptrdiff_t)y * stride + x]));
	return sum;
}

double look_find(struct look *l, const struct rect *r)
{
	const struct rect *c = &l->client.whole;
	long best = LONG_MAX;

	if (!screen_grab(&l->server, r, l->theirs) || !screen_grab(&l->client, c, l->mine))
		return -1;
	for (int32_t y = 0; y + r->h <= c->h; y++) {
		for (int32_t x = 0; x + r->w <= c->w; x++) {
			long d = difference(l->theirs, r, l->mine + (ptrdiff_t)y * c->w + x, c->w, best);

			if (d < best) {
				best = d;
				l->dx = x - r->x;
				l->dy = y - r->y;
			}
		}
	}
	return best == LONG_MAX ? -1 : (double)best / ((double)r->w * r->h);
}

bool look_grab(struct look *l, const struct rect *r)
{
	struct rect c = on_client(l, r);

	return screen_grab(&l->client, &c, l->mine);
}

long look_differing(struct look *l, const struct rect *r)
{
	struct rect c = on_client(l, r);
	long n = 0, pixels = (long)r->w * r->h;

	if (!screen_grab(&l->server, r, l->theirs) || !screen_grab(&l->client, &c, l->mine))
		return pixels;
	for (long i = 0; i < pixels; i++)
		n += l->mine[i] != l->theirs[i];
	return n;
}

int look_brightness(struct look *l, int32_t x, int32_t y)
{
	struct rect r = { x + l->dx - 2, y + l->dy - 2, 4, 4 };
	uint32_t px[16];
	int sum = 0;

	if (!screen_grab(&l->client, &r, px))
		return -1;
	for (int i = 0; i < 16; i++)
		sum += brightness(px[i]);
	return sum / 16;
}

/* There is no window manager that would do it: the window under the pointer gets the keys. */
static void focus_under(Display *dpy)
{
	Window root, child;
	int x, y, in_x, in_y;
	unsigned mask;

	if (XQueryPointer(dpy, DefaultRootWindow(dpy), &root, &child, &x, &y, &in_x, &in_y, &mask) && child)
		XSetInputFocus(dpy, child, RevertToPointerRoot, CurrentTime);
}

void look_point(struct look *l, int32_t x, int32_t y, bool is_click)
{
	XTestFakeMotionEvent(l->client.dpy, -1, x + l->dx, y + l->dy, 0);
	if (is_click) {
		focus_under(l->client.dpy);
		XTestFakeButtonEvent(l->client.dpy, 1, True, 20);
		XTestFakeButtonEvent(l->client.dpy, 1, False, 40);
	}
	XSync(l->client.dpy, False);
}

bool look_open(struct look *l, const char *client, const char *server)
{
	size_t pixels;
	int errors;

	*l = (struct look){ 0 };
	if (!screen_open(&l->client, client) || !screen_open(&l->server, server) || !l->client.dpy ||
		!XDamageQueryExtension(l->client.dpy, &l->damage_event, &errors))
		return false;
	l->damage = XDamageCreate(l->client.dpy, DefaultRootWindow(l->client.dpy), XDamageReportNonEmpty);
	pixels = (size_t)rect_area(&l->client.whole) + (size_t)rect_area(&l->server.whole);
	l->mine = calloc(pixels, sizeof(*l->mine));
	l->theirs = calloc(pixels, sizeof(*l->theirs));
	return l->mine && l->theirs;
}
