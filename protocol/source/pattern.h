/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The test card: bars, ramp, fine text-like lines, a moving square and a counter; frame n always looks the same. Needs no desktop. */
#pragma once

#include "protocol/source/source.h"

extern const struct source_type source_pattern;

/* Paints frame n of a card into w × h pixels at data (stride w × 4). For tests that compare pictures. */
void pattern_paint(uint32_t *data, int32_t w, int32_t h, uint32_t n);
/* The rectangles that differ between frame n - 1 and n, at most PATTERN_DAMAGE_MAX. */
#define PATTERN_DAMAGE_MAX 3
size_t pattern_damage(int32_t w, int32_t h, uint32_t n, struct rect *ret);
