/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How much colour 4:2:0 would lose: coloured letters and thin lines lose most of it, a film nearly nothing.
 */
#pragma once

#include <stdint.h>

#include "encoder/pixmap.h"

/*
 * How far the colour differences of r's pixels lie from the means of their 2 × 2, on an average, in 1/16: 0
 * for greys and for slopes. Looks at a part of the rows.
 */
uint32_t chroma_loss(const struct pixmap *p, const struct rect *r);
