/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pixel formats of viewers; see pixel_format.h. */
#include "protocol/front/rfb/pixel_format.h"

#include <string.h>

const struct rfb_pixel_format rfb_pixel_format_native = {
	.bits = 32,
	.depth = 24,
	.is_true_colour = true,
	.max = { 255, 255, 255 },
	.shift = { 16, 8, 0 },
};

void rfb_pixel_format_read(struct pst_cursor *c, struct rfb_pixel_format *ret)
{
	ret->bits = pst_cursor_u8(c);
	ret->depth = pst_cursor_u8(c);
	ret->is_big_endian = pst_cursor_u8(c) != 0;
	ret->is_true_colour = pst_cursor_u8(c) != 0;
	for (int i = 0; i < 3; i++)
		ret->max[i] = pst_cursor_be16(c);
	for (int i = 0; i < 3; i++)
		ret->shift[i] = pst_cursor_u8(c);
	pst_cursor_skip(c, 3);
}

void rfb_pixel_format_write(struct pst_buf *out, const struct rfb_pixel_format *f)
{
	pst_buf_put_u8(out, f->bits);
	pst_buf_put_u8(out, f->depth);
	pst_buf_put_u8(out, f->is_big_endian);
	pst_buf_put_u8(out, f->is_true_colour);
	for (int i = 0; i < 3; i++)
		pst_buf_put_be16(out, f->max[i]);
	for (int i = 0; i < 3; i++)
		pst_buf_put_u8(out, f->shift[i]);
	pst_buf_put_zero(out, 3);
}

static bool channel_is_valid(uint16_t max, uint8_t shift, uint8_t bits)
{
	bool is_mask = max != 0 && (max & (max + 1)) == 0;
	return is_mask && max <= 255 && shift < bits && ((uint64_t)max << shift) < ((uint64_t)1 << bits);
}

bool rfb_pixel_format_is_valid(const struct rfb_pixel_format *f)
{
	if (!f->is_true_colour || (f->bits != 8 && f->bits != 16 && f->bits != 32))
		return false;
	for (int i = 0; i < 3; i++)
		if (!channel_is_valid(f->max[i], f->shift[i], f->bits))
			return false;
	return true;
}

bool rfb_pixel_format_is_888(const struct rfb_pixel_format *f)
{
	return f->bits == 32 && f->depth == 24 && f->max[0] == 255 && f->max[1] == 255 && f->max[2] == 255;
}

bool rfb_pixel_format_is_native(const struct rfb_pixel_format *f)
{
	return rfb_pixel_format_is_888(f) && !f->is_big_endian && f->shift[0] == 16 && f->shift[1] == 8 && f->shift[2] == 0;
}

static uint32_t translate_pixel(const struct rfb_pixel_format *f, uint32_t px)
{
	uint32_t value = 0;
	for (int i = 0; i < 3; i++) {
		uint32_t channel = (px >> (16 - 8 * i)) & 255;
		value |= (channel * f->max[i] + 127) / 255 << f->shift[i];
	}
	return value;
}

static void put_pixel(const struct rfb_pixel_format *f, uint32_t value, uint8_t *to)
{
	unsigned bytes = f->bits / 8;
	for (unsigned i = 0; i < bytes; i++)
		to[f->is_big_endian ? bytes - 1 - i : i] = (uint8_t)(value >> (8 * i));
}

void rfb_pixel_format_translate(const struct rfb_pixel_format *f, const struct pixmap *p, const struct rect *r,
	struct pst_buf *out)
{
	size_t bytes = f->bits / 8;
	bool is_native = rfb_pixel_format_is_native(f);
	for (int32_t y = r->y; y < r->y + r->h; y++) {
		const uint32_t *row = pixmap_at(p, r->x, y);
		uint8_t *to = pst_buf_reserve(out, (size_t)r->w * bytes);
		if (!to)
			return;
		if (is_native)
			memcpy(to, row, (size_t)r->w * 4);
		else
			for (int32_t x = 0; x < r->w; x++)
				put_pixel(f, translate_pixel(f, row[x]), to + (size_t)x * bytes);
		pst_buf_commit(out, (size_t)r->w * bytes);
	}
}
