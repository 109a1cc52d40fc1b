/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a picture is cut for ClearCodec: rows in which little happens, as between lines of text, are left to the residual layer,
 * and what lies between them becomes bands, so that a letter's columns are the same in every line.
 */
#pragma once

#include "encoder/codec/clear_bars.h"

struct clear_cut {
	int32_t y, h;  /* rows of the picture */
	bool is_band;  /* or rows for the residual layer */
};

/* The next piece of r from row y on (0 ≤ y < r->h). Bands are at most CLEAR_BAR_MAX high. */
struct clear_cut clear_cut_next(const struct pixmap *p, const struct rect *r, int32_t y);

/* The colour that most of the band's pixels have, or some colour of it when there is no such one. */
uint32_t clear_cut_background(const struct pixmap *p, const struct rect *band);

/*
 * r with the rest of the lines of text that its upper and lower edge cut: whole lines are made of columns that are known. What is added may be sent
 * with r in any case, since p is what the client shows. Letters and thin strips stay as they are, and others under 56 rows grow upwards only.
 */
struct rect clear_cut_grow(const struct pixmap *p, const struct rect *r);
