/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Twins: a small change that already stands elsewhere in the sent picture, as a typed letter does in its
 * text. A copy of it costs every wire a fraction of its pixels. Only what the client holds exactly is copied,
 * and every copy has been compared pixel by pixel.
 */
#pragma once

#include "encoder/encoder.h"

/*
 * Looks at the tiles' changes when they are few and small, adds OP_COPY operations to the plan, and shrinks
 * the changes to what is left. Forced damage takes no part. 0, or PST_ENOMEM when the plan could not grow.
 */
int twin_search(struct encoder *e, const struct pixmap *screen);
