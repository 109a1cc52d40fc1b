/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bands layer of ClearCodec, [MS-RDPEGFX] 2.2.4.1.1.2: columns of at most 52 pixels, V-Bars, which the client keeps whole (32,768) and without the
 * background above and below (16,384). A column that it knows costs two bytes.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "encoder/pixmap.h"

#define CLEAR_BAR_MAX 52 /* pixels of a column */

/* What one client has in its two storages, about 1 MB. */
struct clear_bars;

/* Returns owned; NULL without memory. */
struct clear_bars *clear_bars_create(void);
/* Accepts NULL. */
void clear_bars_destroy(struct clear_bars *b);

/* Appends one CLEARCODEC_BAND (2.2.4.1.1.2.1) for r, at most CLEAR_BAR_MAX high, in a picture whose origin is x, y of p. */
void clear_bars_put(struct clear_bars *b, const struct pixmap *p, int32_t x, int32_t y, const struct rect *r, uint32_t background, struct pst_buf *out);
