/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Typing, scrolling, pages, windows, pictures. */
#include "trace.h"

#include <stddef.h>

#include "glyphs.h"

static const struct rect whole = { 0, 0, TRACE_W, TRACE_H }, window = { 240, 120, 1440, 840 },
			 clip = { 640, 360, 640, 360 };

/* A pane without text yet. */
static void begin_pane(struct scene *s)
{
	scene_text(s, &whole, 3, 0);
	scene_fill(s, &window, 0xffffff);
}

/* What is typed: letters come back, as they do in any language. */
static const char typed[] =
	"Nobodyhadtoldthemachinethatitwasaloneintheroom,soitwentondrawingwindowsforusersofyesterday.";

static struct rect step_type(struct scene *s, int i)
{
	struct rect r = { 300 + i % 90 * GLYPH_WIDTH, 400 + i / 90 * 18, GLYPH_WIDTH, GLYPH_HEIGHT };

	scene_glyph(s, r.x, r.y, typed[i % (int)(sizeof(typed) - 1)] - GLYPH_FIRST);
	return r;
}

static struct rect step_type_line(struct scene *s, int i)
{
	struct rect r = step_type(s, i);

	return (struct rect){ window.x, r.y, window.w, 18 };
}

static struct rect step_type_window(struct scene *s, int i)
{
	step_type(s, i);
	return window;
}

static struct rect step_caret(struct scene *s, int i)
{
	struct rect r = { 700, 500, 2, 16 };

	scene_fill(s, &r, i % 2 ? 0xffffff : 0);
	return r;
}

static void begin_scroll(struct scene *s)
{
	scene_text(s, &whole, 7, 0);
	scene_text(s, &window, 3, 0);
}

/* Whether it was copied within the X server or drawn anew: the damage is the whole window both times. */
static struct rect step_scroll(struct scene *s, int i)
{
	scene_text(s, &window, 3, 48 * (i + 1));
	return window;
}

static struct rect step_scroll_smooth(struct scene *s, int i)
{
	scene_text(s, &window, 3, 3 * (i + 1));
	return window;
}

static struct rect step_scroll_code(struct scene *s, int i)
{
	scene_code(s, &window, 5, 48 * (i + 1));
	return window;
}

static void begin_scroll_code(struct scene *s)
{
	scene_text(s, &whole, 7, 0);
	scene_code(s, &window, 5, 0);
}

static struct rect step_new_page(struct scene *s, int i)
{
	scene_text(s, &whole, (uint32_t)i + 100, 0);
	return whole;
}

static struct rect step_new_code(struct scene *s, int i)
{
	scene_code(s, &whole, (uint32_t)i + 100, 0);
	return whole;
}

/* Two pages by turns; both have been shown. */
static struct rect step_seen_page(struct scene *s, int i)
{
	scene_text(s, &whole, (uint32_t)(i % 2) + 3, 0);
	return whole;
}

/* A window of text is dragged over a page; what it uncovers is drawn again. */
static struct rect step_drag(struct scene *s, int i)
{
	struct rect old = { 200 + 10 * i, 150 + 6 * i, 700, 420 },
		    now = { old.x + 10, old.y + 6, old.w, old.h };
	struct rect title = { now.x, now.y, now.w, 24 };

	scene_text(s, &whole, 3, 0);
	scene_text(s, &now, 77, 0);
	scene_fill(s, &title, 0x3465a4);
	return rect_union(&old, &now);
}

static struct rect step_photo(struct scene *s, int i)
{
	struct rect r = { 500, 200, 900, 640 };

	scene_photo(s, &r, 12 * i, 5 * i);
	return r;
}

static struct rect step_clip(struct scene *s, int i)
{
	scene_clip(s, &clip, i);
	return clip;
}

const struct trace traces[] = {
	{ "caret", 20, 500, step_caret, NULL },
	{ "type", 60, 200, step_type, begin_pane },
	{ "type-line", 60, 200, step_type_line, begin_pane },
	{ "type-window", 30, 200, step_type_window, begin_pane },
	{ "scroll-48", 12, 250, step_scroll, begin_scroll },
	{ "scroll-3", 24, 33, step_scroll_smooth, begin_scroll },
	{ "scroll-code", 8, 250, step_scroll_code, begin_scroll_code },
	{ "page-new", 3, 800, step_new_page, NULL },
	{ "page-seen", 4, 800, step_seen_page, NULL },
	{ "page-code", 3, 800, step_new_code, NULL },
	{ "drag", 15, 33, step_drag, NULL },
	{ "photo-pan", 15, 66, step_photo, NULL },
	{ "clip-640x360", 80, 33, step_clip, NULL },
	{ NULL, 0, 0, NULL, NULL },
};

void trace_begin(const struct trace *t, struct scene *s)
{
	if (t->begin)
		t->begin(s);
	else
		scene_text(s, &whole, 3, 0);
}
