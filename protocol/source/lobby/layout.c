/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One card in the middle: name, title, text, then clock or rows, and what the reader can do. */
#include "protocol/source/lobby/layout.h"

#include <string.h>

#include "base/mem.h"

#define PX_MIN 12
#define PX_MAX 44
#define PX_AT_100 15    /* on a client that says its scale */
#define CARD_EMS 40     /* width of the card */
#define PARAGRAPH_MAX 8 /* lines of one paragraph */

/* What the page says by itself, by kind. */
static const struct page_text hints[] = {
	[PAGE_PROGRESS] = { "Esc: stop waiting", "Esc: dejar de esperar" },
	[PAGE_NOTICE] = { "Enter or a click: close", "Intro o un clic: cerrar" },
	[PAGE_CHOICE] = { "Arrow keys and Enter, a digit, or a click. Esc: leave",
		"Flechas e Intro, un número o un clic. Esc: salir" },
};

struct flow {
	struct layout *l;
	const struct page *page;
	struct font *font;
	int32_t x, y, width;
};

int32_t layout_px(int32_t width, int32_t height, uint32_t scale_pct)
{
	int32_t px = PST_MIN(width / 60, height / 46), room = PST_MIN(width / 24, height / 20);

	if (scale_pct)
		px = PST_MAX(px, (int32_t)(PX_AT_100 * scale_pct / 100));
	return PST_CLAMP(PST_MIN(px, room), PX_MIN, PX_MAX);
}

static bool is_blank(char c)
{
	return (unsigned char)c <= ' ';
}

/* The start of the next character: continuation bytes of UTF-8 stay with their first. */
static size_t next_char(const char *text, size_t len, size_t i)
{
	for (i++; i < len && ((unsigned char)text[i] & 0xc0) == 0x80;)
		i++;
	return i;
}

static size_t fitting(
	struct font *f, const struct font_style *style, const char *text, size_t len, int32_t width)
{
	size_t low = 0, high = len;

	/* Widths rise with the length (a kerning pair aside), so halving finds the place; then back to a
	 * whole character. */
	while (low < high) {
		size_t middle = (low + high + 1) / 2;

		if (font_width(f, style, text, middle) <= width)
			low = middle;
		else
			high = middle - 1;
	}
	while (low > 0 && low < len && ((unsigned char)text[low] & 0xc0) == 0x80)
		low--;
	return low;
}

size_t layout_break(
	struct font *f, const struct font_style *style, const char *text, size_t len, int32_t width)
{
	size_t fits = fitting(f, style, text, len, width), at = fits;

	if (fits == len || (fits && is_blank(text[fits])))
		return fits;
	while (at > 0 && !is_blank(text[at - 1]))
		at--;
	if (at > 0)
		return at;
	/* A word that is wider than the card is broken where it must be. */
	return fits ? fits : next_char(text, len, 0);
}

size_t layout_cut(struct font *f, const struct font_style *style, const char *text, size_t len, int32_t width)
{
	if (font_width(f, style, text, len) <= width)
		return len;
	return fitting(
		f, style, text, len, width - font_width(f, style, LAYOUT_ELLIPSIS, strlen(LAYOUT_ELLIPSIS)));
}

static int32_t line_height(const struct font_style *style)
{
	return style->px * 3 / 2;
}

static struct layout_line *add_line(
	struct flow *w, const struct font_style *style, enum tone tone, const char *text, size_t len)
{
	struct layout_line *line = &w->l->lines[w->l->n_lines];

	if (w->l->n_lines == LAYOUT_LINES_MAX)
		return NULL;
	w->l->n_lines++;
	*line = (struct layout_line){ w->x, w->y + style->px * 11 / 10, *style, tone, text, len, false };
	w->y += line_height(style);
	return line;
}

static void add_paragraph(struct flow *w, const struct font_style *style, enum tone tone, const char *text)
{
	size_t len = strlen(text);

	for (int i = 0; i < PARAGRAPH_MAX; i++) {
		struct layout_line *line;
		size_t n;

		for (; len && is_blank(*text); len--)
			text++;
		if (!len)
			return;
		n = i + 1 < PARAGRAPH_MAX ? layout_break(w->font, style, text, len, w->width)
					  : layout_cut(w->font, style, text, len, w->width);
		line = add_line(w, style, tone, text, n);
		if (line && i + 1 == PARAGRAPH_MAX)
			line->is_cut = n < len;
		text += n;
		len -= n;
	}
}

/* In the reader's language, or in both: the second one quieter, for the eye to skip. */
static void add_text(struct flow *w, const struct font_style *style, enum tone tone, enum tone second,
	const struct page_text *t)
{
	const char *es = *t->es ? t->es : t->en;

	if (w->page->language != PAGE_SPANISH)
		add_paragraph(w, style, tone, t->en);
	if (w->page->language == PAGE_SPANISH)
		add_paragraph(w, style, tone, es);
	if (w->page->language == PAGE_BOTH && strcmp(es, t->en))
		add_paragraph(w, style, second, es);
}

static void add_brand(struct flow *w)
{
	const struct font_style style = { w->l->px, true };

	w->l->icon = (struct rect){ w->x, w->y + style.px / 10, style.px * 5 / 4, style.px * 5 / 4 };
	w->x += style.px * 7 / 4;
	add_line(w, &style, TONE_BRAND, "Puesto", strlen("Puesto"));
	w->x -= style.px * 7 / 4;
	w->y += style.px;
}

static void add_rows(struct flow *w, size_t n)
{
	int32_t px = w->l->px;

	for (size_t i = 0; i < n; i++) {
		w->l->rows[i] = (struct rect){ w->x, w->y, w->width, px * 5 / 2 };
		w->y += px * 5 / 2 + px / 4;
	}
	w->l->n_rows = n;
	w->y += px / 2;
}

static void add_clock(struct flow *w)
{
	int32_t px = w->l->px;

	w->l->clock = (struct rect){ w->x, w->y, w->width, px * 2 };
	w->y += px * 3;
}

/* From the top of the card down; returns its height. */
static int32_t flow_page(struct layout *l, const struct page *p, struct font *f, size_t n_rows)
{
	const int32_t pad = l->px * 2;
	const struct font_style title = { l->px * 3 / 2, true }, text = { l->px, false },
				small = { PST_MAX(l->px * 7 / 8, LAYOUT_PX_SMALL), false };
	struct flow w = { l, p, f, l->card.x + pad, pad, PST_MAX(l->card.w - 2 * pad, 1) };

	l->n_lines = 0;
	add_brand(&w);
	add_text(&w, &title, TONE_TITLE, TONE_QUIET, &p->title);
	w.y += l->px / 2;
	add_text(&w, &text, TONE_TEXT, TONE_QUIET, &p->text);
	w.y += l->px;
	if (p->kind == PAGE_PROGRESS)
		add_clock(&w);
	if (p->kind == PAGE_CHOICE)
		add_rows(&w, n_rows);
	add_text(&w, &small, TONE_FAINT, TONE_FAINT, &hints[p->kind]);
	return w.y + pad;
}

static void move_down(struct layout *l, int32_t by)
{
	l->icon.y += by;
	l->clock.y += by;
	for (size_t i = 0; i < l->n_rows; i++)
		l->rows[i].y += by;
	for (size_t i = 0; i < l->n_lines; i++)
		l->lines[i].baseline += by;
}

void layout_make(struct layout *l, const struct page *p, struct font *f, int32_t width, int32_t height)
{
	int32_t margin, room;
	size_t n_rows = 0;

	memset(l, 0, sizeof(*l));
	l->px = layout_px(width, height, p->scale_pct);
	margin = l->px;
	l->card.w = PST_MAX(PST_MIN(width - 2 * margin, l->px * CARD_EMS), 1);
	l->card.x = (width - l->card.w) / 2;
	if (p->kind == PAGE_CHOICE && p->n_entries) {
		/* What the rest leaves on the screen is for rows; the others come by scrolling. */
		room = height - 2 * margin - flow_page(l, p, f, 0);
		n_rows = (size_t)PST_MAX(room / (l->px * 5 / 2 + l->px / 4), 1);
		n_rows = PST_MIN(PST_MIN(n_rows, p->n_entries), (size_t)LAYOUT_ROWS_MAX);
	}
	l->card.h = flow_page(l, p, f, n_rows);
	l->card.y = PST_MAX((height - l->card.h) / 2, 0);
	move_down(l, l->card.y);
}
