/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The body of a decoder, shared by the files of its encodings. */
#pragma once

#include "protocol/source/rfb/decoder.h"
#include "protocol/source/rfb/tile.h"
#include "protocol/source/rfb/unpack.h"

#define TIGHT_STREAMS 4

/* A rectangle of Tight that has begun; see tight.c. */
struct rfb_tight {
	uint8_t stream, filter;
	bool has_control, has_filter, is_packed, has_length;
	size_t left; /* packed bytes that are still to come */
	struct rfb_palette palette;
	uint8_t row[SCREEN_SIDE_MAX * 3]; /* the row above, for the gradient */
};

/* One kind of rectangle. take is called until it says done (x, y and the rest are its own); it uses what it
 * can of len bytes. */
struct rfb_rect_type {
	int32_t encoding;
	long (*take)(struct rfb_decoder *d, const uint8_t *data, size_t len, struct pst_err *err);
	bool is_done_empty; /* without a pixel there is not a byte either */
};

struct rfb_decoder {
	const struct rfb_rect_type *type;
	struct rfb_screen *screen;
	struct rect rect;
	int32_t x, y; /* of the next pixel, row or tile, within the rectangle */
	bool is_done;
	uint32_t background, foreground; /* Hextile's, from tile to tile */
	struct rfb_palette palette;      /* TRLE's */
	bool has_length;                 /* ZRLE's */
	size_t left;
	struct rfb_unpack zrle, tight_unpack[TIGHT_STREAMS];
	struct rfb_tight tight;
	uint32_t tile[RFB_TILE_SIDE_MAX * RFB_TILE_SIDE_MAX];
};

/* The place of the next tile of this side, on the screen. */
struct rect rfb_decoder_tile(const struct rfb_decoder *d, int32_t side);
/* On to the tile after it; the last one ends the rectangle. */
void rfb_decoder_step(struct rfb_decoder *d, int32_t side);

/* hextile.c, zrle.c, tight.c */
long rfb_hextile_take(struct rfb_decoder *d, const uint8_t *data, size_t len, struct pst_err *err);
long rfb_trle_take(struct rfb_decoder *d, const uint8_t *data, size_t len, struct pst_err *err);
long rfb_zrle_take(struct rfb_decoder *d, const uint8_t *data, size_t len, struct pst_err *err);
long rfb_tight_take(struct rfb_decoder *d, const uint8_t *data, size_t len, struct pst_err *err);
