/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The colours of a rectangle, up to 256, each with the index at which it was first seen. A colour is
 * 0x00RRGGBB. */
#pragma once

#include "encoder/pixmap.h"

#define PALETTE_MAX 256
#define PALETTE_SLOTS 1024 /* a power of two, at most a quarter full */

struct palette {
	uint32_t colours[PALETTE_MAX];
	uint32_t key[PALETTE_SLOTS]; /* colour + 1; 0 is a free slot */
	uint8_t index[PALETTE_SLOTS];
	int32_t len;
};

void palette_clear(struct palette *p);

/* The colour's index, or -1. */
int32_t palette_find(const struct palette *p, uint32_t colour);

/* The colour's index, added when new; -1 when the palette is full at max (at most PALETTE_MAX). */
int32_t palette_add(struct palette *p, uint32_t colour, int32_t max);

/* Adds every colour of r (which lies in pm). False as soon as there are more than max; the palette then holds
 * the first max. */
bool palette_scan(struct palette *p, const struct pixmap *pm, const struct rect *r, int32_t max);

/* Writes the indices of n pixels; every colour is in the palette. */
void palette_map_row(const struct palette *p, const uint32_t *row, int32_t n, uint8_t *ret_indices);

/* Bits of an index on our wires: 1, 2, 4 or 8 for up to 2, 4, 16, 256 colours. */
int32_t palette_bits(int32_t len);

/* Packs n indices of 1, 2, 4 or 8 bits, first pixel in the highest bits. Returns the bytes written: (n × bits
 * + 7) / 8. */
size_t palette_pack_row(const uint8_t *indices, int32_t n, int32_t bits, uint8_t *out);
