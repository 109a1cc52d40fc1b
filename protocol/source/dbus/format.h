/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pixels as QEMU has them, named by a code of pixman ("bpp << 24 | type << 16 | a << 12 | r << 8 | g << 4 | b",
 * widths in bits), as the screen has them: B G R X in memory. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dbus_format {
	uint8_t bytes;     /* of a pixel: 2, 3 or 4 */
	bool is_plain;     /* the screen's own: nothing is to be done */
	uint8_t at[3];     /* of red, green and blue, in bits from the lowest */
	uint8_t widths[3]; /* 1…8 bits */
};

/* False: a kind that cannot be shown. */
bool dbus_format_read(uint32_t code, struct dbus_format *ret);
/* n pixels: from has n × f->bytes. */
void dbus_format_row(const struct dbus_format *f, const uint8_t *from, uint32_t *to, size_t n);
