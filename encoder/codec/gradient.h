/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The gradient filter of RFB Tight: each channel is predicted from its neighbours to the left and above, and what is left of a photo is small numbers. */
#pragma once

#include "base/buf.h"
#include "encoder/pixmap.h"

/* Appends three bytes for each pixel of r, at most GRADIENT_WIDTH_MAX wide: R, G, B less left + above - corner, held within 0 and 255. */
#define GRADIENT_WIDTH_MAX 2048
void gradient_put(const struct pixmap *p, const struct rect *r, struct pst_buf *out);

/* Whether that and Huffman codes are likely to take less than the pixels and zlib, by some of the rows: photos, not what repeats. */
bool gradient_pays(const struct pixmap *p, const struct rect *r);
