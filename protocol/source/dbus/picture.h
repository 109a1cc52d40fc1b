/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The screen of QEMU's D-Bus display: either memory of ours that is painted with what comes, or QEMU's own,
 * which is looked into. What comes is hostile until it came through here: every size has a ceiling, no
 * rectangle leads outside.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "encoder/pixmap.h"

/* What a message brings: rows from the first on, stride bytes apart; the last row may end with its pixels. */
struct dbus_pixels {
	int64_t width, height;
	uint32_t stride, format; /* dbus_format_read */
	const uint8_t *data;     /* borrowed */
	size_t len;
};

struct dbus_picture {
	uint32_t *own; /* rows without padding; NULL when it is QEMU's */
	void *map;
	size_t map_size;
	struct pixmap shown; /* data is NULL before the first */
};

/* All return 0, or PST_EPROTO, PST_ELIMIT, PST_EUNSUPPORTED or PST_ENOMEM with err. */

/* A picture of ours with these pixels; *ret is overwritten. */
int dbus_picture_make(struct dbus_picture *ret, const struct dbus_pixels *in, struct pst_err *err);
/* QEMU's memory fd (borrowed), from offset on; in->data and len count for nothing. Only pixels as the screen's are shown so. */
int dbus_picture_map(struct dbus_picture *ret, int fd, uint32_t offset, const struct dbus_pixels *in, struct pst_err *err);
/* Ours, of this size already: to be painted rather than made. */
bool dbus_picture_fits(const struct dbus_picture *p, const struct dbus_pixels *in);
/* Paints what of in at x, y lies on the picture, which is ours; *ret is that. */
int dbus_picture_paint(struct dbus_picture *p, int64_t x, int64_t y, const struct dbus_pixels *in, struct rect *ret, struct pst_err *err);
/* What of it lies on the picture; false: nothing. */
bool dbus_picture_clip(const struct dbus_picture *p, int64_t x, int64_t y, int64_t w, int64_t h, struct rect *ret);
/* Accepts an empty one. */
void dbus_picture_finish(struct dbus_picture *p);
