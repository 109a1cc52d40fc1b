/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A reference client: carries out operations on a picture of its own. Lossy and video operations paint wrong
 * colours on purpose, so that an encoder which takes them for exact is found out.
 */
#pragma once

#include "encoder/encoder.h"

struct model {
	uint32_t *px;
	int32_t w, h;
	uint32_t seed;
};

struct model *model_create(int32_t w, int32_t h, uint32_t seed);
void model_destroy(struct model *m);
/* Applies a frame; sent is the encoder's sent picture. False with a message on stderr when an operation is
 * out of bounds or malformed. */
bool model_apply(struct model *m, const struct op_list *list, const struct pixmap *sent,
	const struct encoder_params *params);
/* Pixels that differ from the pixmap within r (colours only). */
int64_t model_differs(const struct model *m, const struct pixmap *p, const struct rect *r);

/* A small generator: xorshift, the same everywhere. */
uint32_t model_random(uint32_t *state);
static inline int32_t model_below(uint32_t *state, int32_t n)
{
	return n > 0 ? (int32_t)(model_random(state) % (uint32_t)n) : 0;
}
