/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The pixels of operations as WireToSurface PDUs, [MS-RDPEGFX] 2.2.2.1: ClearCodec for what is drawn, planes for what slides softly and for exact pictures, RemoteFX
 * for lossy ones; tiles of pictures that the client has seen come from its cache. It knows what the client keeps, so one belongs to one connection, and all that it makes is sent in order.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "encoder/op.h"
#include "encoder/pixmap.h"

struct gfx_pixels;

/* For a client whose bitmap cache is small or large. Returns owned, or NULL with err. */
struct gfx_pixels *gfx_pixels_create(bool has_small_cache, struct pst_err *err);
/* Accepts NULL. */
void gfx_pixels_destroy(struct gfx_pixels *x);

/*
 * Pictures have this size from now on; comes before the first put. Appends what empties the client's bitmap cache, which goes before ResetGraphics:
 * nothing says that a cache outlives it.
 */
int gfx_pixels_resize(struct gfx_pixels *x, int32_t width, int32_t height, struct pst_buf *out, struct pst_err *err);

/* Appends the PDUs of an OP_LOSSLESS or OP_LOSSY for a surface. When it fails the connection is over. */
int gfx_pixels_put(struct gfx_pixels *x, const struct op *op, const struct pixmap *sent, uint16_t surface, struct pst_buf *out, struct pst_err *err);

/* After a frame's last operation: appends what the client is to keep of it. is_exact as in op_list. */
void gfx_pixels_end(struct gfx_pixels *x, const struct pixmap *sent, bool is_exact, uint16_t surface, struct pst_buf *out);
