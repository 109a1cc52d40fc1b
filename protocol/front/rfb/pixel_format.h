/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pixel format that a viewer asks for (RFC 6143 §7.4) and the translation of our pixels to it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "encoder/pixmap.h"

struct rfb_pixel_format {
	uint8_t bits, depth;
	bool is_big_endian, is_true_colour;
	uint16_t max[3];  /* red, green, blue */
	uint8_t shift[3];
};

/* 32 bits, depth 24, B G R X in memory: the encoder's own. */
extern const struct rfb_pixel_format rfb_pixel_format_native;

/* Reads and writes the 16 bytes of the wire, padding included. */
void rfb_pixel_format_read(struct pst_cursor *c, struct rfb_pixel_format *ret);
void rfb_pixel_format_write(struct pst_buf *out, const struct rfb_pixel_format *f);

/* True colour, 8, 16 or 32 bits, each maximum 2^n - 1 that fits with its shift. */
bool rfb_pixel_format_is_valid(const struct rfb_pixel_format *f);

/* 32 bits with 8 bits per colour, in any order: what Tight's three-byte pixels stand for. */
bool rfb_pixel_format_is_888(const struct rfb_pixel_format *f);
/* The encoder's own order too: what the ZRLE codec writes. */
bool rfb_pixel_format_is_native(const struct rfb_pixel_format *f);

/* Appends the pixels of r, row by row, in format f. r lies in p. */
void rfb_pixel_format_translate(const struct rfb_pixel_format *f, const struct pixmap *p, const struct rect *r,
	struct pst_buf *out);
