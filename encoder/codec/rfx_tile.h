/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A tile of RemoteFX, [MS-RDPRFX] 3.1.8.1: 64 × 64 pixels become three planes, each planes ten bands of coefficients, which are
 * divided and then packed by RLGR3 (rlgr.h).
 */
#pragma once

#include "encoder/pixmap.h"

#define RFX_TILE_SIDE 64
#define RFX_TILE_AREA (RFX_TILE_SIDE * RFX_TILE_SIDE)

/* LL3, LH3, HL3, HH3, LH2, HL2, HH2, LH1, HL1, HH1, as on the wire: 6 keeps whole numbers, each one more halves them. */
struct rfx_quant {
	uint8_t at[10];
};

/* The pixels of r, at most a tile, as Y, Cb and Cr, 32 times their size; what is missing repeats the last column and row. */
void rfx_tile_planes(const struct pixmap *p, const struct rect *r, int16_t (*ret_planes)[RFX_TILE_AREA]);

/* One plane becomes its coefficients in the order in which they are packed. */
void rfx_tile_bands(int16_t *plane, const struct rfx_quant *quant);
