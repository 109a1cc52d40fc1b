/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The test card: its damage, its sameness, its echoes. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "base/mem.h"
#include "protocol/source/pattern.h"

struct seen {
	uv_loop_t loop;
	struct source *source;
	struct pixmap screen;
	uint32_t *shadow; /* the picture as damage alone would keep it */
	int surfaces, damages;
	char text[16];
};

static void on_surface(void *arg, const struct pixmap *screen)
{
	struct seen *s = arg;

	s->surfaces++;
	s->screen = *screen;
	free(s->shadow);
	s->shadow = malloc((size_t)screen->width * (size_t)screen->height * 4);
	memcpy(s->shadow, screen->data, (size_t)screen->width * (size_t)screen->height * 4);
	source_ready(s->source);
}

static void on_damage(void *arg, const struct rect *rects, size_t n)
{
	struct seen *s = arg;

	for (size_t i = 0; i < n; i++)
		for (int32_t y = rects[i].y; y < rects[i].y + rects[i].h; y++)
			memcpy(s->shadow + (size_t)y * (size_t)s->screen.width + rects[i].x, pixmap_at(&s->screen, rects[i].x, y), (size_t)rects[i].w * 4);
	if (++s->damages == 8)
		uv_stop(&s->loop);
	source_ready(s->source);
}

static void on_clipboard(void *arg, const char *utf8, size_t len)
{
	struct seen *s = arg;

	memcpy(s->text, utf8, len);
}

static void on_closed(void *arg, int code, const char *reason)
{
	cr_assert_fail("the card ended: %s", reason);
}

static const struct source_events events = { .surface = on_surface, .damage = on_damage, .clipboard = on_clipboard, .closed = on_closed };

static void open_card(struct seen *s, int32_t w, int32_t h)
{
	struct source_params p = { .loop = &s->loop, .fd = -1, .width = w, .height = h };
	struct pst_err err;

	memset(s, 0, sizeof(*s));
	uv_loop_init(&s->loop);
	s->source = source_open(source_find("pattern"), &p, &events, s, &err);
	cr_assert_not_null(s->source);
}

static void close_card(struct seen *s)
{
	source_close(s->source, NULL);
	cr_assert_eq(pst_loop_drain(&s->loop), 0);
	free(s->shadow);
}

Test(pattern, test_damage_names_all_that_changes)
{
	static const struct {
		int32_t w, h;
	} sizes[] = { { 320, 200 }, { 64, 64 }, { 1, 1 }, { 65, 7 }, { 300, 1 } };

	for (size_t i = 0; i < PST_ARRAY_LEN(sizes); i++) {
		struct seen s;

		open_card(&s, sizes[i].w, sizes[i].h);
		uv_run(&s.loop, UV_RUN_DEFAULT);
		cr_assert_eq(s.damages, 8);
		cr_assert_arr_eq(s.shadow, s.screen.data, (size_t)sizes[i].w * (size_t)sizes[i].h * 4);
		close_card(&s);
	}
}

Test(pattern, test_frames_are_the_same_every_time)
{
	uint32_t *a = calloc(100 * 60, 4), *b = calloc(100 * 60, 4);
	struct rect damage[PATTERN_DAMAGE_MAX];

	pattern_paint(a, 100, 60, 41);
	pattern_paint(b, 100, 60, 41);
	cr_assert_arr_eq(a, b, 100 * 60 * 4);
	pattern_paint(b, 100, 60, 42);
	cr_assert_arr_neq(a, b, 100 * 60 * 4);
	cr_assert_leq(pattern_damage(100, 60, 42, damage), PATTERN_DAMAGE_MAX);
	free(a);
	free(b);
}

Test(pattern, test_resize_and_clipboard_come_back)
{
	struct seen s;

	open_card(&s, 100, 50);
	while (!s.surfaces)
		uv_run(&s.loop, UV_RUN_ONCE);
	cr_assert_eq(source_resize(s.source, 40, 30), 0);
	while (s.surfaces < 2)
		uv_run(&s.loop, UV_RUN_ONCE);
	cr_assert(s.screen.width == 40 && s.screen.height == 30);
	cr_assert_eq(source_clipboard(s.source, "abc ñ", 6), 0);
	cr_assert_str_eq(s.text, "ABC ñ");
	close_card(&s);
}
