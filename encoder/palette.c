/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small open hash of colours. Runs of one colour, which screens are made of, skip the hash. */
#include "encoder/palette.h"

#include <string.h>

#define RGB 0x00ffffffu

static uint32_t slot_of(uint32_t colour)
{
	return colour * 0x9e3779b1u >> 22; /* the top ten bits: PALETTE_SLOTS */
}

void palette_clear(struct palette *p)
{
	memset(p->key, 0, sizeof(p->key));
	p->len = 0;
}

int32_t palette_find(const struct palette *p, uint32_t colour)
{
	uint32_t at = slot_of(colour);

	while (p->key[at]) {
		if (p->key[at] == colour + 1)
			return p->index[at];
		at = (at + 1) % PALETTE_SLOTS;
	}
	return -1;
}

int32_t palette_add(struct palette *p, uint32_t colour, int32_t max)
{
	uint32_t at = slot_of(colour);

	while (p->key[at]) {
		if (p->key[at] == colour + 1)
			return p->index[at];
		at = (at + 1) % PALETTE_SLOTS;
	}
	if (p->len >= max)
		return -1;

	p->key[at] = colour + 1;
	p->index[at] = (uint8_t)p->len;
	p->colours[p->len] = colour;
	return p->len++;
}

bool palette_scan(struct palette *p, const struct pixmap *pm, const struct rect *r, int32_t max)
{
	uint32_t last = UINT32_MAX;

	for (int32_t y = r->y; y < r->y + r->h; y++) {
		const uint32_t *row = pixmap_at(pm, r->x, y);

		for (int32_t x = 0; x < r->w; x++) {
			uint32_t colour = row[x] & RGB;

			if (colour == last)
				continue;
			if (palette_add(p, colour, max) < 0)
				return false;
			last = colour;
		}
	}
	return true;
}

void palette_map_row(const struct palette *p, const uint32_t *row, int32_t n, uint8_t *ret_indices)
{
	uint32_t last = UINT32_MAX;
	uint8_t index = 0;

	for (int32_t x = 0; x < n; x++) {
		uint32_t colour = row[x] & RGB;

		if (colour != last) {
			index = (uint8_t)palette_find(p, colour);
			last = colour;
		}
		ret_indices[x] = index;
	}
}

int32_t palette_bits(int32_t len)
{
	return len <= 2 ? 1 : len <= 4 ? 2 : len <= 16 ? 4 : 8;
}

size_t palette_pack_row(const uint8_t *indices, int32_t n, int32_t bits, uint8_t *out)
{
	size_t bytes = ((size_t)n * (size_t)bits + 7) / 8;

	if (bits == 8) {
		memcpy(out, indices, bytes);
		return bytes;
	}
	memset(out, 0, bytes);
	for (int32_t x = 0; x < n; x++) {
		int32_t bit = x * bits;

		out[bit / 8] |= (uint8_t)(indices[x] << (8 - bits - bit % 8));
	}
	return bytes;
}
