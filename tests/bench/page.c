/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words in lines. Words are drawn from a short list, the frequent ones more often, as languages do. */
#include "page.h"

const struct page_style page_prose = { 0xffffff,
	{ 0x202124, 0x1a5fb4, 0x202124, 0x202124, 0x202124, 0x202124 }, false };
const struct page_style page_code = { 0x1e1e2e,
	{ 0xcdd6f4, 0x89b4fa, 0xa6e3a1, 0xfab387, 0xcba6f7, 0x7f849c }, true };

static const char *const words[] = { "the", "of", "and", "to", "in", "a", "is", "that", "for", "it", "as",
	"was", "with", "be", "by", "on", "not", "he", "this", "are", "or", "his", "from", "at", "which",
	"but", "have", "an", "had", "they", "you", "were", "their", "one", "all", "we", "can", "her", "has",
	"there", "been", "if", "more", "when", "will", "would", "who", "so", "no", "window", "desktop",
	"server", "viewer", "picture", "machine", "network", "session", "password", "document", "Monday",
	"London", "question", "paragraph", "yesterday", "(see", "page", "42)", "however,", "quickly",
	"jumped", "over", "12:30", "lazy", "dogs.", "Therefore", "another", "between", "government",
	"information", "development", "&", "1999", "management", "important", "experience", "different",
	"particular", "international", "e.g.", "example;", "\"quoted\"", "number_of", "struct", "return",
	"(void)", "{", "}", "=>", "zoo", "KEY" };

#define WORDS (sizeof(words) / sizeof(*words))

static uint32_t hash32(uint32_t v)
{
	v = (v ^ v >> 16) * 0x7feb352du;
	v = (v ^ v >> 15) * 0x846ca68bu;
	return v ^ v >> 16;
}

static uint32_t blend(uint32_t paper, uint32_t ink, uint32_t cover)
{
	uint32_t px = 0;

	for (int shift = 0; shift < 24; shift += 8) {
		uint32_t p = paper >> shift & 255, i = ink >> shift & 255;

		px |= (p * (255 - cover) + i * cover + 127) / 255 << shift;
	}
	return px;
}

void page_glyph(const struct page_target *to, const struct rect *r, int32_t x, int32_t y, int c,
	uint32_t paper, uint32_t ink)
{
	const struct glyph *g = &glyphs[c];

	for (int32_t j = 0; j < g->h; j++) {
		for (int32_t i = 0; i < g->w; i++) {
			int32_t px = x + g->left + i, py = y + g->top + j;
			uint8_t cover = glyph_cover(g, i, j);

			if (cover && px >= r->x && py >= r->y && px < r->x + r->w && py < r->y + r->h)
				to->px[(size_t)py * (size_t)to->stride + (size_t)px] =
					blend(paper, ink, cover);
		}
	}
}

/* Returns the column after the word. */
static int32_t draw_word(const struct page_target *to, const struct rect *r, int32_t x, int32_t y,
	const char *word, uint32_t paper, uint32_t ink)
{
	for (; *word; word++) {
		page_glyph(to, r, x, y, *word - GLYPH_FIRST, paper, ink);
		x += glyphs[*word - GLYPH_FIRST].advance;
	}
	return x;
}

static uint32_t ink_of(const struct page_style *style, uint32_t h)
{
	if (style->is_code)
		return style->inks[h / 7 % PAGE_INKS];
	return style->inks[h % 31 == 0];
}

static void draw_line(const struct page_target *to, const struct rect *r, const struct page_style *style,
	uint32_t seed, int32_t line, int32_t y)
{
	uint32_t l = hash32(seed * 7919 + (uint32_t)line);
	int32_t x = r->x + 8 + (style->is_code ? (int32_t)(l / 11 % 5) * 28 : 0);
	int32_t end = r->x + (style->is_code ? 120 + (int32_t)(l % 640) : l % 5 ? r->w : (int32_t)(l % 900));

	if (l % 9 == 0)
		return;
	for (uint32_t i = 0; x < end && x < r->x + r->w; i++) {
		uint32_t h = hash32(l ^ i * 0x9e3779b9u);
		size_t rank = (size_t)(h % WORDS) * (h / WORDS % WORDS) / WORDS;

		x = draw_word(to, r, x, y, words[rank], style->paper, ink_of(style, h >> 8)) + GLYPH_SPACE;
	}
}

void page_draw(const struct page_target *to, const struct rect *r, const struct page_style *style,
	uint32_t seed, int32_t top)
{
	for (int32_t y = r->y; y < r->y + r->h; y++)
		for (int32_t x = r->x; x < r->x + r->w; x++)
			to->px[(size_t)y * (size_t)to->stride + (size_t)x] = style->paper;
	for (int32_t line = top / PAGE_LINE; line * PAGE_LINE < top + r->h; line++)
		draw_line(to, r, style, seed, line, r->y + line * PAGE_LINE - top);
}
