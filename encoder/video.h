/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Regions of the screen that move like a video: pictures that change several times in half a second. Each has
 * its own H.264 encoder; it ends when nothing in it changed for a while, and leaves lossy tiles behind, which
 * are refined.
 */
#pragma once

#include "encoder/encoder.h"

struct video;

/* NULL when out of memory. */
struct video *video_create(void);
/* Accepts NULL. */
void video_destroy(struct video *v);

/* Regions that touch r end with the next update: their decoders may have lost the picture. */
void video_distrust(struct encoder *e, const struct rect *r);

/* The next unit of each region is a key unit. */
void video_restart(struct encoder *e);

/* An operation other than video changed r in the sent picture: it is no longer what the last frame there was.
 */
void video_touch(struct encoder *e, const struct rect *r);

/*
 * Ends regions at rest, begins new ones, and takes the changes that lie in a region away from the tiles. Where the path is busy with a video, a
 * small change in front of it stays the tiles': it is painted over the video, for a whole unit would wait. After refine, before motion.
 */
void video_update(struct encoder *e, uint64_t now_ns, bool is_busy);

/* Adds an access unit for each region that changed. A region whose encoder fails is ended, and its area is
 * damage again. */
int video_plan(struct encoder *e, const struct pixmap *screen, const struct encoder_budget *budget);

/* Since when a region's change waits to be planned; UINT64_MAX when none does. */
uint64_t video_waiting_since(const struct video *v);

/*
 * Whether one of the operations planned so far touches a region whose change came with it, now: one drawing, of which nobody should see the one half
 * before the other, as a player and its captions. Not on a narrow path, where a unit takes long; a rate of 0 is not known.
 */
bool video_is_drawn_with(const struct encoder *e, uint64_t now_ns, uint32_t rate_kbps);

/* When the next region would end by rest, or an encoder that waits for one; UINT64_MAX for never. */
uint64_t video_next_due(const struct video *v);
