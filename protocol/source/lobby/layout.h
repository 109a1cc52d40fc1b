/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where everything of a page stands on a screen of some size. No pixel is touched here. */
#pragma once

#include <stdbool.h>

#include "protocol/source/lobby/font.h"
#include "protocol/source/page.h"

#define LAYOUT_LINES_MAX 64
#define LAYOUT_ROWS_MAX 64 /* entries of a choice in sight */

enum tone { TONE_BRAND, TONE_TITLE, TONE_TEXT, TONE_QUIET, TONE_FAINT };

struct layout_line {
	int32_t x, baseline;
	struct font_style style;
	enum tone tone;
	const char *text; /* borrowed from the page, or constant */
	size_t len;
	bool is_cut; /* an ellipsis follows */
};

struct layout {
	int32_t px; /* size of the text; every other measure is a multiple of it */
	struct rect card, icon;
	struct rect clock; /* dots and time of a progress page; else empty */
	struct rect rows[LAYOUT_ROWS_MAX];
	size_t n_rows, n_lines;
	struct layout_line lines[LAYOUT_LINES_MAX];
};

/* The page must outlive the layout. */
void layout_make(struct layout *l, const struct page *p, struct font *f, int32_t width, int32_t height);
/* How many bytes of text fit into width when broken between words; more than 0 unless len is. */
size_t layout_break(
	struct font *f, const struct font_style *style, const char *text, size_t len, int32_t width);
/* How many bytes stand before an ellipsis so that both fit; len when all fits. */
size_t layout_cut(
	struct font *f, const struct font_style *style, const char *text, size_t len, int32_t width);
/* A size of text that can be read on a screen of so many pixels; scale_pct is the client's, 0 unknown. */
int32_t layout_px(int32_t width, int32_t height, uint32_t scale_pct);

#define LAYOUT_ELLIPSIS "…"
#define LAYOUT_PX_SMALL 11 /* smaller is not read with ease */
