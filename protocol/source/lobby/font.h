/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text in one typeface, which is part of the program: a worker may open no file. Any bytes may be drawn: what
 * is no UTF-8 and what the typeface lacks becomes a box, control characters become spaces. One line at a
 * time, left to right; no thread may share a font.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "protocol/source/lobby/canvas.h"

struct font;

struct font_style {
	int32_t px; /* height of the em, FONT_PX_MIN…FONT_PX_MAX */
	bool is_bold;
};

#define FONT_PX_MIN 8
#define FONT_PX_MAX 200

/* Returns owned, or NULL with err. */
struct font *font_open(struct pst_err *err);
/* Accepts NULL. */
void font_close(struct font *f);
/* Pixels from the first letter to where a next one would stand. */
int32_t font_width(struct font *f, const struct font_style *style, const char *text, size_t len);
/* From x on, standing on the baseline y. */
void font_draw(struct font *f, const struct font_style *style, struct canvas *c, int32_t x, int32_t y,
	uint32_t colour, const char *text, size_t len);
