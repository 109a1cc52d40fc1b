/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finds what was only moved: scrolled by rows, or dragged anywhere. Every copy it gives has been compared
 * pixel by pixel between the live screen and the sent picture, and has been carried out in the sent picture,
 * with its lossy marks.
 */
#pragma once

#include "encoder/encoder.h"

struct motion;

/* NULL when out of memory. For one screen size. */
struct motion *motion_create(int32_t width, int32_t height);
/* Accepts NULL. */
void motion_destroy(struct motion *m);

/*
 * Looks at the tiles' changes, adds OP_COPY operations to the plan, and shrinks the changes to what is left.
 * Forced damage takes no part. 0, or PST_ENOMEM when the plan could not grow.
 */
int motion_search(struct encoder *e, const struct pixmap *screen);

/* Adds one copy to the plan and carries it out: in the sent picture, its lossy marks and the changes of the tiles that it touches. 0 or PST_ENOMEM. */
int motion_copy(struct encoder *e, const struct pixmap *screen, const struct rect *r, int32_t from_x, int32_t from_y);
