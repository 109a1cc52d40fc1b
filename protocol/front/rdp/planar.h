/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Planes with run lengths, [MS-RDPEGDI] 2.2.2.5.1, from the library's codec, which cuts planes short without a word when the packed
 * ones fill its buffer of four bytes a pixel: one column of pixels needs six. A client that reads such data closes its channel.
 */
#pragma once

#include <freerdp/codec/planar.h>

#include "base/buf.h"
#include "encoder/pixmap.h"

/* Returns owned (free), or NULL when the pixels as they are would be shorter. The context's picture is at least as large as r. */
BYTE *planar_pack(BITMAP_PLANAR_CONTEXT *context, const struct pixmap *sent, const struct rect *r, UINT32 *ret_len);

/*
 * Appends three planes as they are, one byte for each pixel's red, then green, then blue: what slides softly is made of long matches for the bulk
 * compression of the graphics channel.
 */
void planar_put_plain(struct pst_buf *out, const struct pixmap *sent, const struct rect *r);
