/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Anchors: a few places of the screen with detail and a rare colour, which are searched in the sent picture.
 * Where two of them were found moved by the same way, that is a shift worth verifying.
 */
#pragma once

#include "encoder/encoder_priv.h"

struct vector {
	int32_t dx, dy; /* the source is at the destination plus this */
};

/* The shift within bounds on which at least two anchors agree; false when there is none. */
bool anchor_vote(
	const struct encoder *e, const struct pixmap *screen, const struct rect *bounds, struct vector *ret);
