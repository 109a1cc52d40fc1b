/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a page's parts stand, from tiny screens to large ones; and that drawing keeps to it. Covers: protocol/source/lobby/draw.c */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "protocol/source/lobby/draw.h"

static struct page_entry entries[PAGE_ENTRIES_MAX];

static struct page page_of(enum page_kind kind, enum page_language language)
{
	struct page p = { .kind = kind, .language = language, .title = { "Which desktop?", "¿Qué escritorio?" }, .entries = entries };

	strcpy(p.text.en, "Some words, and some more of them, so that they need a second line on every screen that is narrow, and a third.");
	strcpy(p.text.es, "Algunas palabras, y algunas más, para que necesiten una segunda línea en cada pantalla estrecha, y una tercera.");
	p.n_entries = kind == PAGE_CHOICE ? PST_ARRAY_LEN(entries) : 0;
	for (size_t i = 0; i < PST_ARRAY_LEN(entries); i++)
		snprintf(entries[i].name, sizeof(entries[i].name), "Pool %zu", i);
	return p;
}

Test(layout, test_everything_is_on_the_screen)
{
	static const struct {
		int32_t w, h;
	} sizes[] = { { 640, 480 }, { 800, 600 }, { 1280, 720 }, { 1920, 1080 }, { 1080, 1920 }, { 3840, 2160 }, { 5120, 2880 } };
	struct font *f = font_open(NULL);

	for (size_t i = 0; i < PST_ARRAY_LEN(sizes) * 3; i++) {
		const struct rect screen = { 0, 0, sizes[i / 3].w, sizes[i / 3].h };
		struct page p = page_of((enum page_kind)(i % 3), PAGE_BOTH);
		struct layout l;

		layout_make(&l, &p, f, screen.w, screen.h);
		cr_assert(rect_contains(&screen, &l.card), "%dx%d kind %zu", screen.w, screen.h, i % 3);
		cr_assert(rect_contains(&l.card, &l.icon));
		cr_assert_eq(rect_is_empty(&l.clock), p.kind != PAGE_PROGRESS);
		cr_assert_eq(l.n_rows > 0, p.kind == PAGE_CHOICE);
		for (size_t k = 0; k < l.n_rows; k++)
			cr_assert(rect_contains(&l.card, &l.rows[k]));
		for (size_t k = 0; k < l.n_lines; k++)
			cr_assert(l.lines[k].x + font_width(f, &l.lines[k].style, l.lines[k].text, l.lines[k].len) <= l.card.x + l.card.w &&
				  l.lines[k].baseline < l.card.y + l.card.h);
	}
	font_close(f);
}

Test(layout, test_a_known_language_stands_alone)
{
	struct font *f = font_open(NULL);
	struct page both = page_of(PAGE_NOTICE, PAGE_BOTH), es = page_of(PAGE_NOTICE, PAGE_SPANISH), en = page_of(PAGE_NOTICE, PAGE_ENGLISH);
	struct layout l;
	size_t n;

	layout_make(&l, &both, f, 1280, 720);
	n = l.n_lines;
	layout_make(&l, &es, f, 1280, 720);
	cr_assert_lt(l.n_lines, n);
	cr_assert_eq(l.lines[1].text, es.title.es);
	layout_make(&l, &en, f, 1280, 720);
	cr_assert_eq(l.lines[1].text, en.title.en);
	/* The same words are said once; no Spanish ones means the English ones. */
	strcpy(both.title.es, both.title.en);
	both.text.es[0] = 0;
	layout_make(&l, &both, f, 1280, 720);
	cr_assert_lt(l.n_lines, n - 1);
	font_close(f);
}

Test(layout, test_lines_break_between_words_or_where_they_must)
{
	const struct font_style style = { 16, false };
	struct font *f = font_open(NULL);
	int32_t width = font_width(f, &style, "aaaa bbbb", 9);

	cr_assert_eq(layout_break(f, &style, "aaaa bbbb", 9, width), 9);
	cr_assert_eq(layout_break(f, &style, "aaaa bbbb cccc", 14, width), 9);
	cr_assert_eq(layout_break(f, &style, "aaaa bbbbb", 10, width), 5);
	cr_assert_geq(layout_break(f, &style, "aaaaaaaaaaaaaaaa", 16, width), 5);
	cr_assert_eq(layout_break(f, &style, "ññ", 4, 1), 2);
	cr_assert_eq(layout_break(f, &style, "", 0, 1), 0);
	cr_assert_eq(layout_cut(f, &style, "short", 5, 1000), 5);
	cr_assert_lt(layout_cut(f, &style, "aaaa bbbb cccc", 14, width), 9);
	cr_assert_eq(layout_cut(f, &style, "ñ", 2, 0), 0);
	font_close(f);
}

Test(layout, test_text_grows_with_screen_and_scale)
{
	cr_assert_lt(layout_px(1280, 720, 0), layout_px(1920, 1080, 0));
	cr_assert_lt(layout_px(1920, 1080, 0), layout_px(3840, 2160, 0));
	cr_assert_lt(layout_px(1280, 720, 0), layout_px(1280, 720, 200));
	cr_assert_lt(layout_px(640, 480, 500), 30);
	cr_assert_gt(layout_px(1, 1, 0), 0);
}

static void check_drawing(struct font *f, const struct page *p, int32_t w, int32_t h)
{
	const size_t n = (size_t)w * (size_t)h;
	uint32_t *pixels = malloc((n + 2) * 4), *before = malloc(n * 4);
	struct canvas c;
	struct layout l;
	struct reply r;

	pixels[0] = pixels[n + 1] = 0xdeadbeef;
	canvas_init(&c, pixels + 1, w, h);
	layout_make(&l, p, f, w, h);
	reply_init(&r, p->kind, p->n_entries, l.n_rows);
	draw_page(&c, f, &l, p, &r, 59);
	memcpy(before, c.pixels, n * 4);
	if (p->kind == PAGE_PROGRESS)
		draw_clock(&c, f, &l, 60);
	cr_assert(pixels[0] == 0xdeadbeef && pixels[n + 1] == 0xdeadbeef);
	for (int32_t i = 0; i < w * h; i++) {
		const struct rect here = { i % w, i / w, 1, 1 };

		cr_assert(c.pixels[i] == before[i] || rect_contains(&l.clock, &here), "a second changes more than the clock at %d, %d", here.x, here.y);
	}
	cr_assert(p->kind != PAGE_PROGRESS || w < 320 || memcmp(before, c.pixels, n * 4), "a second changes nothing");
	free(pixels);
	free(before);
}

Test(layout, test_drawing_stays_inside_and_a_second_changes_the_clock_alone)
{
	static const struct {
		int32_t w, h;
	} sizes[] = { { 1, 1 }, { 7, 300 }, { 300, 7 }, { 200, 200 }, { 640, 480 }, { 1366, 768 } };
	struct font *f = font_open(NULL);

	for (size_t i = 0; i < PST_ARRAY_LEN(sizes) * 3; i++) {
		struct page p = page_of((enum page_kind)(i % 3), PAGE_BOTH);

		check_drawing(f, &p, sizes[i / 3].w, sizes[i / 3].h);
	}
	font_close(f);
}
