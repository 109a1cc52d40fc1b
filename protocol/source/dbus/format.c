/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kinds of pixels. */
#include "protocol/source/dbus/format.h"

#include <string.h>

enum { RED, GREEN, BLUE };

/* The order of the parts, from the lowest bit or from the highest. */
static const struct {
	uint8_t type, order[3];
	bool is_from_top;
} types[] = {
	{ 2, { BLUE, GREEN, RED }, false }, /* ARGB */
	{ 3, { RED, GREEN, BLUE }, false }, /* ABGR */
	{ 8, { BLUE, GREEN, RED }, true },  /* BGRA */
	{ 9, { RED, GREEN, BLUE }, true },  /* RGBA */
};

static bool order_read(uint32_t bpp, uint8_t type, struct dbus_format *f)
{
	uint32_t used = 0;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].type != type)
			continue;
		for (size_t part = 0; part < 3; part++) {
			uint8_t colour = types[i].order[part];
			uint8_t width = f->widths[colour];

			if (used + width > bpp)
				return false;
			f->at[colour] = (uint8_t)(types[i].is_from_top ? bpp - used - width : used);
			used += width;
		}
		return true;
	}
	return false;
}

bool dbus_format_read(uint32_t code, struct dbus_format *ret)
{
	uint32_t bpp = code >> 24;
	struct dbus_format f = { .bytes = (uint8_t)(bpp / 8), .widths = { code >> 8 & 15, code >> 4 & 15, code & 15 } };

	if (bpp != 16 && bpp != 24 && bpp != 32)
		return false;
	for (size_t i = 0; i < 3; i++)
		if (f.widths[i] < 1 || f.widths[i] > 8)
			return false;
	if (!order_read(bpp, code >> 16 & 0xff, &f))
		return false;
	f.is_plain = bpp == 32 && f.widths[RED] == 8 && f.at[RED] == 16 && f.widths[GREEN] == 8 && f.at[GREEN] == 8 && f.widths[BLUE] == 8 && f.at[BLUE] == 0;
	*ret = f;
	return true;
}

static uint32_t part(const struct dbus_format *f, uint32_t pixel, int colour)
{
	uint32_t most = (1u << f->widths[colour]) - 1;

	return ((pixel >> f->at[colour] & most) * 255 + most / 2) / most;
}

void dbus_format_row(const struct dbus_format *f, const uint8_t *from, uint32_t *to, size_t n)
{
	if (f->is_plain) {
		memcpy(to, from, n * sizeof(*to));
		return;
	}
	for (size_t i = 0; i < n; i++, from += f->bytes) {
		uint32_t pixel = 0;

		memcpy(&pixel, from, f->bytes);
		to[i] = part(f, pixel, RED) << 16 | part(f, pixel, GREEN) << 8 | part(f, pixel, BLUE);
	}
}
