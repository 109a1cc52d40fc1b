/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RFB Tight beyond one rectangle: text of more than 256 colours goes as several, see layers.h. */
#pragma once

#include "encoder/codec.h"

/* Writes the header of a rectangle of the wire. */
typedef void (*tight_head)(void *arg, struct pst_buf *out, const struct rect *r);

/*
 * As codec_encode with codec_tight, without loss, with the rectangles' headers; to be carried out in order. Returns how many rectangles, at most
 * TIGHT_RECTS_MAX, 0 when nothing was written because another codec does better (many colours everywhere), or negative.
 */
#define TIGHT_RECTS_MAX 513
int tight_put(struct codec *tight, const struct pixmap *p, const struct rect *r, tight_head head, void *arg, struct pst_buf *out,
	struct pst_err *err);

/* Whether the viewer knows the gradient filter; at first not: noVNC throws at it. Photos without loss then take a fifth to a third less, in half the time. */
void tight_set_gradient(struct codec *tight, bool has_gradient);
