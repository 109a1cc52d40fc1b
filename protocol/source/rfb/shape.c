/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pointer shapes. */
#include "protocol/source/rfb/shape.h"

#include "base/cursor.h"
#include "base/mem.h"
#include "protocol/source/rfb/wire.h"

static size_t mask_row(int32_t w)
{
	return ((size_t)w + 7) / 8;
}

size_t rfb_shape_bytes(int32_t w, int32_t h, bool has_alpha)
{
	size_t pixels = (size_t)w * (size_t)h * 4;

	return has_alpha ? 4 + pixels : pixels + mask_row(w) * (size_t)h;
}

/* A part of a colour is never more than its opacity. */
static uint32_t alpha_pixel(const uint8_t *p)
{
	uint32_t a = p[3];

	return a << 24 | PST_MIN((uint32_t)p[0], a) << 16 | PST_MIN((uint32_t)p[1], a) << 8 |
	       PST_MIN((uint32_t)p[2], a);
}

static bool alpha_read(const uint8_t *data, size_t count, uint32_t *out)
{
	struct pst_cursor c;

	pst_cursor_init(&c, data, 4);
	if ((int32_t)pst_cursor_be32(&c) != RFB_RAW)
		return false;
	data += 4;
	for (size_t i = 0; i < count; i++)
		out[i] = alpha_pixel(data + i * 4);
	return true;
}

bool rfb_shape_read(const uint8_t *data, int32_t w, int32_t h, bool has_alpha, uint32_t *out)
{
	const uint8_t *mask = data + (size_t)w * (size_t)h * 4;

	if (has_alpha)
		return alpha_read(data, (size_t)w * (size_t)h, out);
	for (int32_t y = 0; y < h; y++, mask += mask_row(w))
		for (int32_t x = 0; x < w; x++, data += 4) {
			bool is_shown = mask[x / 8] >> (7 - x % 8) & 1;

			*out++ = is_shown ? 0xff000000u | (uint32_t)data[2] << 16 | (uint32_t)data[1] << 8 |
						    data[0]
					  : 0;
		}
	return true;
}
