/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A desk: a drawn screen, its encoder and the reference client, driven step by step. Asserts at every frame.
 */
#pragma once

#include "encoder/encoder.h"
#include "model.h"

#define ALL_OPS \
	(OP_BIT(OP_COPY) | OP_BIT(OP_FILL) | OP_BIT(OP_LOSSLESS) | OP_BIT(OP_LOSSY) | OP_BIT(OP_VIDEO))
#define MS 1000000ull

struct desk {
	struct encoder_params params;
	struct encoder *enc;
	struct model *model;
	uint32_t *px;
	struct pixmap screen;
	uint64_t now;
	uint32_t seed, first_seed; /* the first is named by every failure: ENCODER_SEED=n repeats the run */
};

void desk_open(struct desk *d, uint32_t seed, int32_t w, int32_t h, uint32_t ops);
void desk_close(struct desk *d);
/* A new screen and client; the encoder is not told. */
void desk_screen(struct desk *d, int32_t w, int32_t h);
uint32_t *px_at(struct desk *d, int32_t x, int32_t y);
struct rect random_rect(struct desk *d);

void draw_fill(struct desk *d, const struct rect *r);
void draw_text(struct desk *d, const struct rect *r);
void draw_picture(struct desk *d, const struct rect *r);
/* Draws anything, or moves what is there, and reports the damage. */
void draw_something(struct desk *d, const struct rect *r);
/* An endless text in black on white, scrolled by top. */
void draw_page(struct desk *d, int32_t top);
/* Frame n of a moving picture. */
void draw_clip(struct desk *d, const struct rect *r, int frame);

/* One frame, applied to the client and checked. */
struct op_list desk_plan(struct desk *d, uint64_t bytes);
struct op_list desk_plan_for(struct desk *d, const struct encoder_budget *budget);
/* Lets time pass without drawing until nothing is due; the client must then show the screen. */
void desk_settle(struct desk *d, uint64_t bytes);
