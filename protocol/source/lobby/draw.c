/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The look: a white card on a light page, in the colours of the portal (web/shared/theme.css). */
#include "protocol/source/lobby/draw.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define PAGE 0xf4f5f7
#define SURFACE 0xffffff
#define LINE 0xd5d9e0
#define TEXT 0x1b2130
#define TEXT_2 0x566073
#define ACCENT 0x2457d6
#define ACCENT_SOFT 0xe3eafc
#define DOTS 5
#define DIGITS 9 /* entries that a digit takes */

static const uint32_t tones[] = { [TONE_BRAND] = ACCENT,
	[TONE_TITLE] = TEXT,
	[TONE_TEXT] = TEXT,
	[TONE_QUIET] = TEXT_2,
	[TONE_FAINT] = TEXT_2 };

static void draw_line(struct canvas *c, struct font *f, const struct layout_line *line)
{
	font_draw(f, &line->style, c, line->x, line->baseline, tones[line->tone], line->text, line->len);
	if (line->is_cut)
		font_draw(f, &line->style, c, line->x + font_width(f, &line->style, line->text, line->len),
			line->baseline, tones[line->tone], LAYOUT_ELLIPSIS, strlen(LAYOUT_ELLIPSIS));
}

/* A screen on its foot: web/shared/icon.svg without its prompt. */
static void draw_icon(struct canvas *c, const struct rect *at)
{
	int32_t s = at->w, stroke = PST_MAX(s / 9, 1);
	const struct rect outer = { at->x, at->y, s, s * 3 / 4 };
	const struct rect inner = { at->x + stroke, at->y + stroke, s - 2 * stroke, s * 3 / 4 - 2 * stroke };
	const struct rect stem = { at->x + (s - stroke) / 2, at->y + s * 3 / 4, stroke, s / 8 };
	const struct rect foot = { at->x + s / 4, at->y + s * 7 / 8, s - s / 4 * 2, stroke };

	canvas_fill_round(c, &outer, s / 8, ACCENT);
	canvas_fill_round(c, &inner, s / 16, SURFACE);
	canvas_fill(c, &stem, ACCENT);
	canvas_fill_round(c, &foot, stroke / 2, ACCENT);
}

/* Text in a box, cut with an ellipsis; returns its width. */
static int32_t draw_cut(struct canvas *c, struct font *f, const struct font_style *style, int32_t x,
	int32_t y, int32_t width, enum tone tone, const char *text)
{
	size_t len = strlen(text), n = layout_cut(f, style, text, len, width);
	const struct layout_line line = { x, y, *style, tone, text, n, n < len };

	draw_line(c, f, &line);
	return font_width(f, style, text, n);
}

static void state_words(const struct page *p, const struct page_entry *e, char *ret, size_t size)
{
	const char *es = *e->state_es ? e->state_es : e->state_en;

	if (p->language == PAGE_BOTH && strcmp(es, e->state_en))
		snprintf(ret, size, "%s · %s", e->state_en, es);
	else
		snprintf(ret, size, "%s", p->language == PAGE_SPANISH ? es : e->state_en);
}

static void draw_row(struct canvas *c, struct font *f, const struct layout *l, const struct page *p,
	const struct reply *r, size_t row)
{
	const struct rect *at = &l->rows[row];
	const size_t index = r->first + row;
	const struct page_entry *e = &p->entries[index];
	const struct font_style style = { l->px, index == r->selected },
				small = { PST_MAX(l->px * 7 / 8, LAYOUT_PX_SMALL), false };
	const struct rect inner = { at->x + 1, at->y + 1, at->w - 2, at->h - 2 };
	const int32_t base = at->y + at->h / 2 + l->px * 3 / 8, name_x = at->x + l->px * 5 / 2,
		      right = at->x + at->w - l->px;
	char words[160], digit[2] = { (char)('1' + index), 0 };
	int32_t state_width;

	canvas_fill_round(c, at, l->px / 2, index == r->selected ? ACCENT : LINE);
	canvas_fill_round(c, &inner, l->px / 2 - 1, index == r->selected ? ACCENT_SOFT : SURFACE);
	if (index < DIGITS)
		draw_cut(c, f, &small, at->x + l->px, base, l->px, TONE_FAINT, digit);
	state_words(p, e, words, sizeof(words));
	state_width = PST_MIN(font_width(f, &small, words, strlen(words)), at->w / 2);
	draw_cut(c, f, &small, right - state_width, base, state_width, TONE_FAINT, words);
	draw_cut(c, f, &style, name_x, base, right - state_width - l->px - name_x, TONE_TITLE, e->name);
}

/* A thumb at the card's right edge when there are more entries than rows. */
static void draw_scroll(struct canvas *c, const struct layout *l, const struct reply *r)
{
	int32_t top, height, thumb;

	if (!l->n_rows || r->n <= l->n_rows)
		return;
	top = l->rows[0].y;
	height = l->rows[l->n_rows - 1].y + l->rows[l->n_rows - 1].h - top;
	thumb = PST_MAX((int32_t)((int64_t)height * (int64_t)l->n_rows / (int64_t)r->n), l->px);
	const struct rect at = { l->card.x + l->card.w - l->px,
		top + (int32_t)((int64_t)(height - thumb) * (int64_t)r->first / (int64_t)(r->n - l->n_rows)),
		PST_MAX(l->px / 4, 2), thumb };
	canvas_fill_round(c, &at, l->px / 8, LINE);
}

void draw_clock(struct canvas *c, struct font *f, const struct layout *l, uint64_t elapsed_s)
{
	const struct font_style style = { l->px, false };
	const int32_t dot = PST_MAX(l->px / 2, 3), y = l->clock.y + l->px / 2;
	const struct rect clip = c->clip;
	char text[32];

	canvas_clip(c, &l->clock);
	canvas_fill(c, &l->clock, SURFACE);
	for (int32_t i = 0; i < DOTS; i++) {
		const struct rect at = { l->clock.x + i * dot * 2, y, dot, dot };

		canvas_fill_round(c, &at, dot / 2, (uint64_t)i == elapsed_s % DOTS ? ACCENT : LINE);
	}
	snprintf(text, sizeof(text), "%u:%02u", (unsigned)(elapsed_s / 60), (unsigned)(elapsed_s % 60));
	font_draw(f, &style, c, l->clock.x + (DOTS * 2 + 1) * dot, y + dot / 2 + l->px * 3 / 8, TEXT_2, text,
		strlen(text));
	c->clip = clip;
}

void draw_page(struct canvas *c, struct font *f, const struct layout *l, const struct page *p,
	const struct reply *r, uint64_t elapsed_s)
{
	const struct rect all = { 0, 0, c->width, c->height };
	const struct rect inner = { l->card.x + 1, l->card.y + 1, l->card.w - 2, l->card.h - 2 };

	canvas_fill(c, &all, PAGE);
	canvas_fill_round(c, &l->card, l->px, LINE);
	canvas_fill_round(c, &inner, l->px - 1, SURFACE);
	draw_icon(c, &l->icon);
	for (size_t i = 0; i < l->n_lines; i++)
		draw_line(c, f, &l->lines[i]);
	for (size_t i = 0; i < l->n_rows; i++)
		draw_row(c, f, l, p, r, i);
	draw_scroll(c, l, r);
	if (p->kind == PAGE_PROGRESS)
		draw_clock(c, f, l, elapsed_s);
}

const uint32_t *draw_arrow(void)
{
	static const char shape[ARROW_HEIGHT][ARROW_WIDTH + 1] = {
		"#           ",
		"##          ",
		"#.#         ",
		"#..#        ",
		"#...#       ",
		"#....#      ",
		"#.....#     ",
		"#......#    ",
		"#.......#   ",
		"#........#  ",
		"#.........# ",
		"#......#####",
		"#...#..#    ",
		"#..##..#    ",
		"#.#  #..#   ",
		"##   #..#   ",
		"#     #..#  ",
		"      #..#  ",
		"       ##   ",
	};
	static uint32_t pixels[ARROW_WIDTH * ARROW_HEIGHT];

	for (int y = 0; y < ARROW_HEIGHT; y++)
		for (int x = 0; x < ARROW_WIDTH; x++)
			pixels[y * ARROW_WIDTH + x] = shape[y][x] == '#'   ? 0xff000000
						      : shape[y][x] == '.' ? 0xffffffff
									   : 0;
	return pixels;
}
