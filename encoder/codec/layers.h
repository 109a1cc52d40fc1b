/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A rectangle of more than 256 colours as two layers: all of it in its 256 most frequent colours, and boxes of
 * what these lack painted over. Text in two inks is such a rectangle: a link here and there on a page.
 */
#pragma once

#include "base/buf.h"
#include "encoder/palette.h"

#define LAYERS_BOXES_MAX 512
#define LAYERS_COLOURS_MAX 2048
#define LAYERS_SLOTS 8192 /* a power of two, at most a quarter full */

struct layers {
	struct palette palette; /* the most frequent colour is the first */
	struct rect boxes[LAYERS_BOXES_MAX];
	size_t boxes_len;
	/* While it is found: every colour and how often it comes. */
	struct {
		uint32_t key, count; /* colour + 1; 0 is a free slot */
	} slots[LAYERS_SLOTS];
};

/*
 * True when r, which lies in p and has more than 256 colours, goes well as layers: the boxes take a fourth of it at most. ret_indices is then the lower
 * layer, a byte a pixel without padding. The palette of the rectangle before serves again where it can.
 */
bool layers_find(struct layers *l, const struct pixmap *p, const struct rect *r, struct pst_buf *ret_indices);
