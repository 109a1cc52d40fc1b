/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures for the codec tests, and the one round trip that every lossless codec must make. */
#pragma once

#include "encoder/codec.h"

#define W 300
#define H 200

enum content { ONE, TWO, THREE, SIXTEEN, GREYS, TEXT, GRADIENT, NOISE, CONTENTS };

extern uint32_t px[W * H];
extern const struct pixmap pm; /* of px */

void draw(enum content kind, uint32_t seed);
void draw_photo(void);
bool equals(const uint32_t *got, const struct rect *r);
double psnr(const uint32_t *got, const struct rect *r);

/* 600 random rectangles through one stream, each decoded and compared. Asserts. */
void round_trips(const struct codec_type *type);
