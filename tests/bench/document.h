/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pages of text as a word processor or a browser shows them: a real typeface with smooth edges, words of
 * natural lengths, headings, links, empty lines. All from a number, the same everywhere.
 */
#pragma once

#include "protocol/source/lobby/canvas.h"
#include "protocol/source/lobby/font.h"

#define DOCUMENT_LINE 18 /* pixels from one line to the next */

struct document {
	struct font *font;
};

/* The program ends with a reason when there is no memory. */
void document_open(struct document *d);
/* The part r of page's text, scrolled by top pixels; nothing beside r is touched. */
void document_draw(struct document *d, struct canvas *c, const struct rect *r, uint32_t page, int32_t top);
/* The letter of this step, from x on, on white, and how wide it is. */
int32_t document_letter(struct document *d, struct canvas *c, int32_t x, int32_t y, int step);
/* One line of words of ours, bold. */
void document_title(struct document *d, struct canvas *c, int32_t x, int32_t y, const char *text);
