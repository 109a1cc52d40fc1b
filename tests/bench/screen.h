/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The screen of an X server as pixels: over the X protocol with shared memory, or from the file that Xvfb
 * keeps it in (-fbdir). */
#pragma once

#include <X11/Xlib.h>
#include <X11/extensions/XShm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "encoder/rect.h"

struct screen {
	struct rect whole;
	Display *dpy; /* NULL: a file */
	XShmSegmentInfo shm;
	Visual *visual;
	const uint8_t *map; /* of the file */
	size_t stride;
	size_t start;
};

/* A display such as ":91", or a path. False with a sentence on standard error. */
bool screen_open(struct screen *s, const char *name);
/* Copies this part, which must lie within the screen, as 0x00RRGGBB; rows without padding. */
bool screen_grab(struct screen *s, const struct rect *r, uint32_t *ret_px);
