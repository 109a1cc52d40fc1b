/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pointer's present shape by XFixes, as the link carries it. */
#pragma once

#include "agent/x11.h"
#include "protocol/link/cursor_image.h"

/* pixels (CURSOR_SIDE_MAX² of them) get the shape; larger ones are cut around their hot spot. False when
 * there is none to be had. */
bool pointer_shape_get(struct x11 *x, uint32_t *pixels, struct cursor_image *ret);

/* Cuts a w × h image (one pixel in each unsigned long, as XFixes gives them) to the ceiling. Pure. */
void pointer_shape_cut(const unsigned long *from, unsigned w, unsigned h, unsigned hot_x, unsigned hot_y,
	uint32_t *pixels, struct cursor_image *ret);
