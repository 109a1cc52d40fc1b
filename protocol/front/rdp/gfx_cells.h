/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pages that were seen before: the screen's cells of 256 × 128 pixels of text that the client keeps in its bitmap cache, [MS-RDPEGFX] 3.3.1.4. A page that
 * comes again is a number for each cell, also when everything else that went through the channel has pushed its bytes out of the
 * bulk compressor's history. It knows what the client keeps, so one belongs to one connection.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "encoder/pixmap.h"

#define GFX_CELL_WIDTH 256
#define GFX_CELL_HEIGHT 128

struct gfx_cells;

/* Of a screen of this size. */
uint32_t gfx_cells_count(int32_t width, int32_t height);

/* For a screen of this size; of the client's slots those from first to first + len - 1, for a cell each. Returns owned; NULL without memory. */
struct gfx_cells *gfx_cells_create(uint16_t first, uint16_t len, int32_t width, int32_t height);
/* Accepts NULL. */
void gfx_cells_destroy(struct gfx_cells *c);

/* Appends what empties the client's slots. */
void gfx_cells_empty(struct gfx_cells *c, struct pst_buf *out);

/*
 * Of each rectangle of text, in the order of the frame. True when the client knows most of what stands in r: four cells or more, and three quarters of
 * those that are not plain.
 */
bool gfx_cells_know(struct gfx_cells *c, const struct pixmap *sent, const struct rect *r);

/*
 * After that, of the same r: appends what is known, in whole cells, and hands over the rest of r in rectangles. What lies in a cell beside r is
 * drawn as the sent picture has it. A failure of put ends the walk and is returned.
 */
int gfx_cells_put(struct gfx_cells *c, uint16_t surface, const struct rect *r, struct pst_buf *out,
		  int (*put)(void *arg, const struct rect *rest, struct pst_err *err), void *arg, struct pst_err *err);

/*
 * The frame is over. When the client shows the sent picture exactly, appends what makes it keep the cells that its operations have filled, if these
 * are four or more.
 */
void gfx_cells_keep(struct gfx_cells *c, const struct pixmap *sent, bool is_exact, uint16_t surface, struct pst_buf *out);
