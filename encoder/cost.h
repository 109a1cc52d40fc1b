/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What pixels cost on this viewer's wire, in bytes: a guess at first, then a moving average of what its
 * codecs really made, by sort of content.
 */
#pragma once

#include "encoder/op.h"

enum cost_sort { COST_FLAT, COST_TEXT, COST_PICTURE, COST_LOSSY, COST_SORTS };

struct cost {
	uint32_t rate[COST_SORTS]; /* bytes of 1024 pixels, in 1/64 */
	uint8_t seen[COST_SORTS];  /* frames that moved the rate, up to the weight of the average */
	uint64_t area[COST_SORTS]; /* pixels of the frame that was planned last */
	uint64_t fixed;            /* bytes of it that are known: headers, video */
};

void cost_init(struct cost *c);

enum cost_sort cost_sort_of(uint8_t klass, bool is_lossy);

/* Bytes that an area of this sort will take, with its header. */
uint64_t cost_guess(const struct cost *c, enum cost_sort sort, int64_t area);

/* The sort takes from now on so many parts of what it took. */
void cost_scale(struct cost *c, enum cost_sort sort, uint32_t parts, uint32_t of);

/* A frame begins; adds one of its operations. */
void cost_begin(struct cost *c);
void cost_add(struct cost *c, const struct op *op);

/* The frame took so many bytes on the wire. */
void cost_learn(struct cost *c, uint64_t bytes);
