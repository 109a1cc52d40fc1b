/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sends damaged pixels as bytes where a worker cannot map our memory: compressed tiles, a few at a time so
 * that the link's queue stays short, and the DAMAGE that closes them.
 */
#pragma once

#include "encoder/pixmap.h"
#include "protocol/link/channel.h"

struct tiles;

/* Returns owned; NULL on no memory. link is borrowed for its life. */
struct tiles *tiles_create(struct link_channel *link);
void tiles_destroy(struct tiles *t);

/* Begins a report of n (<= LINK_RECTS_MAX) rectangles of screen, which stays alive until the report has ended
 * or a new one begins. */
void tiles_begin(
	struct tiles *t, const struct pixmap *screen, const struct rect *rects, size_t n, uint32_t sequence);

/* Goes on: to be called when the link has drained. */
void tiles_pump(struct tiles *t);
