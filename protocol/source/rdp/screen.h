/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The picture that the viewer's side reads: memory that can be shared by its descriptor. FreeRDP paints in memory of its own;
 * what has changed is copied here while nobody reads (source_ready), so a frame is never half painted.
 */
#pragma once

#include "base/err.h"
#include "encoder/pixmap.h"
#include "encoder/rect.h"

struct rdp_screen {
	struct pixmap view;
	uint8_t *pixels; /* what view shows */
	size_t size;
	int fd;
};

/* Sides are 1…SCREEN_SIDE_MAX. Returns owned, black; NULL with err. Any thread. */
struct rdp_screen *rdp_screen_create(int32_t width, int32_t height, struct pst_err *err);
/* Accepts NULL. */
void rdp_screen_destroy(struct rdp_screen *s);
/* from has the screen's size or more, in B G R X; r lies on both. */
void rdp_screen_take(struct rdp_screen *s, const uint8_t *from, uint32_t stride, const struct rect *r);
