/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Paints a page as its layout says. */
#pragma once

#include "protocol/source/lobby/layout.h"
#include "protocol/source/lobby/reply.h"

/* All of it. */
void draw_page(struct canvas *c, struct font *f, const struct layout *l, const struct page *p,
	const struct reply *r, uint64_t elapsed_s);
/* What changes each second: l->clock, and nothing outside. */
void draw_clock(struct canvas *c, struct font *f, const struct layout *l, uint64_t elapsed_s);
/* The pointer's shape, ARROW_WIDTH × ARROW_HEIGHT of premultiplied B G R A with its hot spot at 0, 0. */
const uint32_t *draw_arrow(void);

#define ARROW_WIDTH 12
#define ARROW_HEIGHT 19
