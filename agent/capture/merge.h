/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Makes a damage list short: neighbours that nearly touch become one, and never more than a ceiling remain.
 * Pure. */
#pragma once

#include "encoder/rect.h"

/*
 * Clips n rectangles to the screen 0,0 width × height, drops empty ones and joins neighbours in place; every
 * damaged pixel stays covered. Returns how many remain (at most max, which is at least 1).
 */
size_t merge_rects(struct rect *rects, size_t n, int32_t width, int32_t height, size_t max);
