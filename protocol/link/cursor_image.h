/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A pointer shape: w × h pixels of premultiplied B G R A, rows without padding, with its hot spot inside. 0 × 0 hides the pointer. */
#pragma once

#include <stdint.h>

#define CURSOR_SIDE_MAX 256

struct cursor_image {
	uint16_t w, h, hot_x, hot_y;
	const uint32_t *pixels; /* borrowed for the call that passes it */
};
