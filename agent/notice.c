/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An override-redirect window with core fonts: it needs no toolkit and no window manager. */
#include "agent/notice.h"

#include <X11/Xutil.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"

#define LINES_MAX 12
#define LINE_MAX_BYTES 72
#define PADDING 18
#define SHOW_MS 60000
#define COLOR_BACK 0xfff7d6
#define COLOR_EDGE 0x8a6d00
#define COLOR_TEXT 0x201c10

struct notice {
	struct x11 *x;
	struct pst_timer *timer;
	Window window;
	XFontSet font;
	GC gc;
	char lines[LINES_MAX][LINE_MAX_BYTES + 4];
	int n_lines, line_height, ascent;
};

/* Copies one line of at most LINE_MAX_BYTES, broken at the last space, and returns how much of text it took.
 */
static size_t line_take(const char *text, char *line)
{
	size_t n = strcspn(text, "\n"), keep = n;

	if (n > LINE_MAX_BYTES) {
		for (keep = LINE_MAX_BYTES; keep > LINE_MAX_BYTES / 2 && text[keep] != ' '; keep--)
			;
		if (text[keep] != ' ')
			keep = LINE_MAX_BYTES;
		while (keep > 0 && !pst_utf8_valid(text, keep))
			keep--;
	}
	memcpy(line, text, keep);
	line[keep] = 0;
	return keep + (text[keep] == '\n' || text[keep] == ' ');
}

static void lines_fill(struct notice *n, const char *text)
{
	for (n->n_lines = 0; *text && n->n_lines < LINES_MAX; n->n_lines++) {
		size_t taken = line_take(text, n->lines[n->n_lines]);
		if (taken == 0)
			break;
		text += taken;
	}
}

static bool font_load(struct notice *n)
{
	static const char names[] = "-*-helvetica-medium-r-*-*-14-*,-misc-fixed-medium-r-*-*-15-*,fixed,*";
	char **missing = NULL, *fallback;
	int n_missing = 0;

	if (n->font)
		return true;
	n->font = XCreateFontSet(n->x->dpy, names, &missing, &n_missing, &fallback);
	if (missing)
		XFreeStringList(missing);
	if (!n->font)
		return false;
	XRectangle logical = XExtentsOfFontSet(n->font)->max_logical_extent;
	n->line_height = logical.height + 2;
	n->ascent = -logical.y;
	return true;
}

static void draw(struct notice *n)
{
	XSetForeground(n->x->dpy, n->gc, COLOR_TEXT);
	for (int i = 0; i < n->n_lines; i++)
		Xutf8DrawString(n->x->dpy, n->window, n->font, n->gc, PADDING,
			PADDING + i * n->line_height + n->ascent, n->lines[i], (int)strlen(n->lines[i]));
}

void notice_hide(struct notice *n)
{
	pst_timer_stop(n->timer);
	if (n->window == None)
		return;
	if (!n->x->is_lost) {
		XFreeGC(n->x->dpy, n->gc);
		XDestroyWindow(n->x->dpy, n->window);
	}
	n->window = None;
}

static void on_timer(void *arg)
{
	notice_hide(arg);
}

static int text_width(struct notice *n)
{
	int width = 80;

	for (int i = 0; i < n->n_lines; i++)
		width = PST_MAX(width, Xutf8TextEscapement(n->font, n->lines[i], (int)strlen(n->lines[i])));
	return width;
}

static void window_open(struct notice *n)
{
	Display *dpy = n->x->dpy;
	XSetWindowAttributes a = { .override_redirect = True,
		.background_pixel = COLOR_BACK,
		.border_pixel = COLOR_EDGE,
		.event_mask = ExposureMask | ButtonPressMask };
	int w = text_width(n) + 2 * PADDING, h = n->n_lines * n->line_height + 2 * PADDING, rx, ry;
	unsigned rw = 0, rh, border, depth;
	Window root;

	XGetGeometry(dpy, n->x->root, &root, &rx, &ry, &rw, &rh, &border, &depth);
	n->window = XCreateWindow(dpy, n->x->root, PST_MAX(((int)rw - w) / 2, 0), 40, (unsigned)w,
		(unsigned)h, 2, CopyFromParent, InputOutput, CopyFromParent,
		CWOverrideRedirect | CWBackPixel | CWBorderPixel | CWEventMask, &a);
	XStoreName(dpy, n->window, "Puesto");
	n->gc = XCreateGC(dpy, n->window, 0, NULL);
	XMapRaised(dpy, n->window);
}

void notice_show(struct notice *n, const char *text)
{
	notice_hide(n);
	if (n->x->is_lost || !text[0] || !font_load(n))
		return;

	lines_fill(n, text);
	window_open(n);
	pst_timer_start(n->timer, SHOW_MS, on_timer, n);
}

static void on_x_event(const XEvent *ev, void *arg)
{
	struct notice *n = arg;

	if (n->window == None || ev->xany.window != n->window)
		return;
	if (ev->type == Expose && ev->xexpose.count == 0)
		draw(n);
	else if (ev->type == ButtonPress)
		notice_hide(n);
}

struct notice *notice_create(uv_loop_t *loop, struct x11 *x)
{
	struct notice *n = pst_zalloc(1, sizeof(*n));
	if (!n)
		return NULL;

	n->x = x;
	n->timer = pst_timer_create(loop);
	if (!n->timer) {
		free(n);
		return NULL;
	}
	x11_subscribe(x, on_x_event, n);
	return n;
}

void notice_destroy(struct notice *n)
{
	if (!n)
		return;

	notice_hide(n);
	if (n->font && !n->x->is_lost)
		XFreeFontSet(n->x->dpy, n->font);
	pst_timer_destroy(n->timer);
	free(n);
}
