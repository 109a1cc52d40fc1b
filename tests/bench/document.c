/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text with a real typeface; see document.h. */
#include "document.h"

#include <stdio.h>
#include <string.h>

#include "window.h"

#define MARGIN 24
#define BASELINE 13
#define BODY_PX 13
#define LINE_BYTES_MAX 512

static const char *const words[] = { "the", "of", "and", "to", "in", "a", "is", "that", "for", "it", "as",
	"was", "with", "be", "by", "on", "not", "he", "his", "but", "at", "are", "this", "have", "from", "or",
	"had", "an", "they", "which", "one", "you", "were", "all", "her", "she", "there", "would", "their",
	"we", "him", "been", "has", "when", "who", "will", "no", "more", "if", "out", "so", "up", "said",
	"what", "its", "about", "than", "into", "them", "can", "only", "other", "time", "new", "some",
	"could", "these", "two", "may", "first", "then", "do", "any", "like", "my", "now", "over", "such",
	"our", "man", "me", "even", "most", "made", "after", "also", "well", "did", "many", "before", "must",
	"years", "back", "through", "much", "where", "your", "down", "should", "because", "long", "each",
	"people", "those", "state", "between", "under", "office", "desktop", "network", "picture", "letter",
	"window", "company", "government", "information", "development", "different", "however", "2,048",
	"1997", "(see", "below)", "Monday,", "Europe", "Madrid.", "question:", "therefore", "performance" };

static uint32_t hash32(uint32_t v)
{
	v = (v ^ v >> 16) * 0x7feb352du;
	v = (v ^ v >> 15) * 0x846ca68bu;
	return v ^ v >> 16;
}

void document_open(struct document *d)
{
	struct pst_err err = { 0 };

	d->font = font_open(&err);
	if (!d->font)
		die("the typeface cannot be read");
}

/* Words until the line is about as long as the hash says; now and then a line is short, as paragraphs end. */
static size_t line_text(char text[LINE_BYTES_MAX], uint32_t hash, size_t letters)
{
	size_t want = hash % 7 == 0 ? letters / 3 : letters - hash / 8 % (letters / 8 + 1), used = 0;

	for (uint32_t i = 0; used < want && used + 24 < LINE_BYTES_MAX; i++) {
		uint32_t h = hash32(hash + i);
		/* Short words are frequent: the smaller of two dice. */
		uint32_t n = sizeof(words) / sizeof(*words), a = h % n, b = h / n % n;

		used += (size_t)snprintf(
			text + used, LINE_BYTES_MAX - used, "%s ", words[h % 5 ? (a < b ? a : b) : a]);
	}
	return used;
}

static void draw_line(struct document *d, struct canvas *c, const struct rect *r, uint32_t page, int32_t line)
{
	static const struct font_style body = { BODY_PX, false }, heading = { 15, true };
	uint32_t h = hash32(page * 7919 + (uint32_t)line);
	bool is_heading = h % 23 == 0, is_link = !is_heading && h % 11 == 0;
	size_t letters = is_heading ? 40 : (size_t)(r->w > 2 * MARGIN ? (r->w - 2 * MARGIN) / 7 : 1);
	char text[LINE_BYTES_MAX];

	if (h % 13 == 1)
		return; /* between paragraphs */
	font_draw(d->font, is_heading ? &heading : &body, c, r->x + MARGIN, r->y + BASELINE,
		is_heading ? 0x1f3864
		: is_link  ? 0x0645ad
			   : 0x1a1a1a,
		text, line_text(text, h, letters));
}

void document_draw(struct document *d, struct canvas *c, const struct rect *r, uint32_t page, int32_t top)
{
	canvas_clip(c, r);
	canvas_fill(c, r, 0xffffff);
	for (int32_t line = top / DOCUMENT_LINE; line * DOCUMENT_LINE < top + r->h; line++) {
		const struct rect at = { r->x, r->y + line * DOCUMENT_LINE - top, r->w, DOCUMENT_LINE };

		draw_line(d, c, &at, page, line);
	}
	canvas_clip(c, &(struct rect){ 0, 0, c->width, c->height });
}

int32_t document_letter(struct document *d, struct canvas *c, int32_t x, int32_t y, int step)
{
	static const struct font_style style = { BODY_PX, false };
	static const char text[] = "thequickbrownfoxjumpsoverthelazydogandsheltersbehindastonywallofgrey";
	const char *letter = text + (size_t)step % (sizeof(text) - 1);
	int32_t width = font_width(d->font, &style, letter, 1) + 1;
	const struct rect cell = { x, y, width, DOCUMENT_LINE };

	canvas_clip(c, &cell);
	canvas_fill(c, &cell, 0xffffff);
	font_draw(d->font, &style, c, x, y + BASELINE, 0x1a1a1a, letter, 1);
	canvas_clip(c, &(struct rect){ 0, 0, c->width, c->height });
	return width;
}

void document_title(struct document *d, struct canvas *c, int32_t x, int32_t y, const char *text)
{
	static const struct font_style style = { BODY_PX, true };

	font_draw(d->font, &style, c, x, y + BASELINE, 0x333333, text, strlen(text));
}
