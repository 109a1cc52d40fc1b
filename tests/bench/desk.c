/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The steps of the workloads; see desk.h. */
#include "desk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scene.h"

#define PEN_FIRST 12
#define PHOTO_SHOWN_W 600
#define PHOTO_SHOWN_H 400
#define FLOATING_W 420
#define FLOATING_H 300
#define FIELD_PAPER 0xffffff

static void draw_page(struct desk *k)
{
	document_draw(&k->d, &k->c, &k->text, k->page, k->top);
}

static int32_t field_line(const struct desk *k)
{
	return k->text.h + (DESK_FIELD - DOCUMENT_LINE) / 2;
}

/* A letter at the pen; it goes on from the left once the field is full. */
static struct rect draw_letter(struct desk *k)
{
	struct rect r = { k->pen, field_line(k), 0, DOCUMENT_LINE };

	r.w = document_letter(&k->d, &k->c, r.x, r.y, k->letters++);
	k->has_caret = false; /* it stood where the letter is now */
	k->pen += r.w;
	if (k->pen > k->marker.x - 40)
		k->pen = PEN_FIRST;
	return r;
}

static void type_tight(struct desk *k)
{
	struct rect r = draw_letter(k);

	window_put(&k->w, &r);
}

static void type_line(struct desk *k)
{
	struct rect r = draw_letter(k);

	r.w = k->marker.x - 8;
	r.x = 0;
	window_put(&k->w, &r);
}

static void type_window(struct desk *k)
{
	draw_letter(k);
	window_put(&k->w, &k->w.whole);
}

static void caret(struct desk *k)
{
	const struct rect r = { k->pen, field_line(k), 2, DOCUMENT_LINE };

	k->has_caret = !k->has_caret;
	canvas_fill(&k->c, &r, k->has_caret ? 0x1a1a1a : FIELD_PAPER);
	window_put(&k->w, &r);
}

/* In memory: what stays moves up, what comes is drawn. */
static struct rect scroll_pixels(struct desk *k, int32_t dy)
{
	const struct rect strip = { 0, k->text.h - dy, k->text.w, dy };
	size_t row = (size_t)k->text.w * 4;

	memmove(k->w.px, (char *)k->w.px + (size_t)dy * row, (size_t)strip.y * row);
	k->top += dy;
	document_draw(&k->d, &k->c, &strip, k->page, k->top + strip.y);
	return strip;
}

static void scroll_by_copy(struct desk *k, int32_t dy)
{
	struct rect strip = scroll_pixels(k, dy);
	uint64_t first;

	window_copy_up(&k->w, &k->text, dy);
	first = k->w.sent_ns;
	window_put(&k->w, &strip);
	k->w.sent_ns = first;
}

/* As browsers and toolkits with a buffer of their own do it: all is put anew. */
static void scroll_by_put(struct desk *k, int32_t dy)
{
	scroll_pixels(k, dy);
	window_put(&k->w, &k->text);
}

static void copy48(struct desk *k)
{
	scroll_by_copy(k, 48);
}

static void copy3(struct desk *k)
{
	scroll_by_copy(k, 3);
}

static void put48(struct desk *k)
{
	scroll_by_put(k, 48);
}

static void put3(struct desk *k)
{
	scroll_by_put(k, 3);
}

static void show_page(struct desk *k, uint32_t page, int32_t top)
{
	k->page_before = k->page;
	k->top_before = k->top;
	k->page = page;
	k->top = top;
	draw_page(k);
	window_put(&k->w, &k->text);
}

static void page_new(struct desk *k)
{
	show_page(k, ++k->pages, 0);
}

static void page_seen(struct desk *k)
{
	show_page(k, k->page_before, k->top_before);
}

/* The page again, without windows and pictures over it. */
static void rest(struct desk *k)
{
	if (k->floating)
		XDestroyWindow(k->w.dpy, k->floating);
	k->floating = 0;
	draw_page(k);
	window_put(&k->w, &k->w.whole);
}

static void pan(struct desk *k)
{
	const struct rect r = { DESK_CLIP_AT, DESK_CLIP_AT, PHOTO_SHOWN_W, PHOTO_SHOWN_H };
	int32_t x = k->pans * 3 % (PHOTO_W - PHOTO_SHOWN_W), y = k->pans * 2 % (PHOTO_H - PHOTO_SHOWN_H);

	if (!k->clip.photo)
		die("pan wants a photo");
	k->pans++;
	for (int32_t row = 0; row < r.h; row++)
		memcpy(k->w.px + (size_t)(r.y + row) * (size_t)k->w.whole.w + (size_t)r.x,
			k->clip.photo + (size_t)(y + row) * PHOTO_W + (size_t)x, (size_t)r.w * 4);
	window_put(&k->w, &r);
}

/* Half text, half picture, with a title. */
static Window open_floating(struct desk *k, const struct rect *r)
{
	uint32_t *px = calloc((size_t)r->w * (size_t)r->h, 4);
	const struct rect title = { 0, 0, r->w, 24 }, text = { 1, 24, r->w / 2, r->h - 25 };
	struct canvas c;
	Window floating;

	if (!px)
		die("no memory");
	canvas_init(&c, px, r->w, r->h);
	canvas_fill(&c, &(struct rect){ 0, 0, r->w, r->h }, 0x8899aa);
	canvas_fill(&c, &title, 0xd8dee8);
	document_title(&k->d, &c, 10, 3, "Pictures of the journey");
	document_draw(&k->d, &c, &text, 1000003, 0);
	for (int32_t y = text.y; k->clip.photo && y < r->h - 1; y++)
		memcpy(px + (size_t)y * (size_t)r->w + (size_t)(text.x + text.w),
			k->clip.photo + (size_t)(y + 200) * PHOTO_W + 300, (size_t)(r->w / 2 - 2) * 4);
	for (size_t i = 0; i < (size_t)r->w * (size_t)r->h; i++)
		px[i] |= OPAQUE;
	floating = window_float(&k->w, r, px);
	free(px);
	return floating;
}

/* Along the sides of a rhomb, 13 and 7 pixels a step. */
static void drag(struct desk *k)
{
	int32_t n = k->drags++ % 36, way = n < 18 ? n : 36 - n;
	const struct rect r = { DESK_CLIP_AT + way * 13, DESK_CLIP_AT + way * 7, FLOATING_W, FLOATING_H };

	if (k->floating)
		window_move(&k->w, k->floating, r.x, r.y);
	else
		k->floating = open_floating(k, &r);
	desk_events(k);
}

static void drawn_frame(struct desk *k, const struct rect *r)
{
	static struct scene *scene;
	const struct rect all = { 0, 0, CLIP_W, CLIP_H };

	if (!scene && !(scene = scene_create(CLIP_W, CLIP_H)))
		die("no memory");
	scene_clip(scene, &all, k->frames);
	for (int32_t y = 0; y < CLIP_H; y++)
		memcpy(k->w.px + (size_t)(r->y + y) * (size_t)k->w.whole.w + (size_t)r->x,
			scene->px + (size_t)y * CLIP_W, (size_t)CLIP_W * 4);
}

static void clip_step(struct desk *k)
{
	const struct rect r = { DESK_CLIP_AT, DESK_CLIP_AT, CLIP_W, CLIP_H };
	const uint32_t *frame = clip_frame(&k->clip, k->frames);

	for (int32_t y = 0; frame && y < CLIP_H; y++)
		memcpy(k->w.px + (size_t)(r.y + y) * (size_t)k->w.whole.w + (size_t)r.x,
			frame + (size_t)y * CLIP_W, (size_t)CLIP_W * 4);
	if (!frame)
		drawn_frame(k, &r);
	clip_number(k->w.px, k->w.whole.w, r.x, r.y + r.h, k->frames++);
	window_put(&k->w, &r);
}

/* The clip at twice its size, from the window's corner. */
static void movie(struct desk *k)
{
	const struct rect r = { 0, 0, k->text.w < 2 * CLIP_W ? k->text.w : 2 * CLIP_W,
		k->text.h < 2 * CLIP_H ? k->text.h : 2 * CLIP_H };

	if (!k->clip.frames)
		die("movie wants a clip");
	clip_double(&k->clip, k->frames, k->w.px, k->w.whole.w, r.w, r.h);
	clip_number(k->w.px, k->w.whole.w, r.x, r.y + r.h, k->frames++);
	window_put(&k->w, &r);
}

static void root(struct desk *k)
{
	window_paint_root(&k->w);
}

static void focus(struct desk *k)
{
	window_take_focus(&k->w);
}

const struct desk_step desk_steps[] = { { "type", type_tight }, { "line", type_line },
	{ "window", type_window }, { "caret", caret }, { "copy48", copy48 }, { "copy3", copy3 },
	{ "put48", put48 }, { "put3", put3 }, { "page", page_new }, { "seen", page_seen }, { "drag", drag },
	{ "pan", pan }, { "clip", clip_step }, { "movie", movie }, { "rest", rest }, { "root", root },
	{ "focus", focus }, { 0 } };

static void turn_marker(struct desk *k)
{
	k->is_marked = !k->is_marked;
	canvas_fill(&k->c, &k->marker, k->is_marked ? 0 : 0xffffff);
	window_put(&k->w, &k->marker);
	printf("key %" PRIu64 "\n", k->w.sent_ns);
	fflush(stdout);
}

void desk_events(struct desk *k)
{
	XEvent e;

	while (XPending(k->w.dpy)) {
		XNextEvent(k->w.dpy, &e);
		if (e.type == Expose)
			window_put(&k->w, &(struct rect){ e.xexpose.x, e.xexpose.y, e.xexpose.width,
						  e.xexpose.height });
		else if (e.type == KeyPress)
			turn_marker(k);
	}
}

void desk_open(struct desk *k, int32_t x, int32_t y, int32_t w, int32_t h, const struct clip *clip)
{
	*k = (struct desk){ .clip = *clip,
		.text = { 0, 0, w, h - DESK_FIELD },
		.marker = { w - MARKER - 12, h - DESK_FIELD + (DESK_FIELD - MARKER) / 2, MARKER, MARKER },
		.pen = PEN_FIRST,
		.page = 1,
		.pages = 1 };
	document_open(&k->d);
	window_open(&k->w, x, y, w, h);
	canvas_init(&k->c, k->w.px, w, h);
	canvas_fill(&k->c, &k->w.whole, FIELD_PAPER);
	canvas_fill(&k->c, &(struct rect){ 0, k->text.h, w, 1 }, 0xc0c0c0);
	draw_page(k);
	window_put(&k->w, &k->w.whole);
}
