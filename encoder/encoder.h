/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The encoder of one viewer: damage in, update operations out.
 *
 *   damage → refine (compare with what was sent) → motion → classify (flat, text, picture, video) → plan
 *
 * It has no socket, no clock and no thread: the caller passes the time and calls from one thread. It keeps a
 * copy of what the client shows (the sent picture, width × height × 4 bytes), and for each 64 × 64 tile
 * whether that is exact or lossy.
 */
#pragma once

#include "base/err.h"
#include "encoder/op.h"
#include "encoder/pixmap.h"

struct encoder;

struct encoder_params {
	int32_t width, height; /* pixels, 1…SCREEN_SIDE_MAX */
	uint32_t ops;          /* OP_BIT of each kind that the front can carry; OP_LOSSLESS is required */
	int32_t video_align;   /* region sides and origins are multiples of this: 2 at least, 16 for RDPGFX */
	uint8_t lossy_quality; /* first quality of OP_LOSSY, 1…100; 0 takes the default */
	uint32_t max_video_regions; /* 0…4 */
	enum video_chroma chroma;   /* what OP_VIDEO may have where its colours need it */
};

struct encoder_stats {
	uint64_t frames, ops[OP_KINDS], pixels[OP_KINDS], video_bytes, refined_pixels, unchanged_pixels;
};

/* Returns owned, or NULL with err set. The whole screen counts as damaged at first. */
struct encoder *encoder_create(const struct encoder_params *params, struct pst_err *err);
void encoder_destroy(struct encoder *e);

/* Takes a new screen size: the sent picture is forgotten and everything is damaged. Same errors as create. */
int encoder_resize(struct encoder *e, int32_t width, int32_t height, struct pst_err *err);

/* Notes damage; rectangles are clipped to the screen, any number and overlap is fine. */
void encoder_damage(struct encoder *e, const struct rect *rects, size_t n);

/* The client lost or distrusts this part (refresh request, a codec that failed): it is sent again even when
 * unchanged. */
void encoder_invalidate(struct encoder *e, const struct rect *r);

/* A client joins that knows nothing of what came before: each video goes on with a key unit. */
void encoder_restart_videos(struct encoder *e);

/* A client joins that takes 4:2:0 alone: so videos go on. Accepts NULL. */
void encoder_give_up_chroma(struct encoder *e);

/* True when a plan at now_ns could produce something. */
bool encoder_has_work(const struct encoder *e, uint64_t now_ns);

/* Since when a video region's picture is to be planned: left for the frame after other changes, or held. It counts as work. UINT64_MAX when none is. */
uint64_t encoder_video_since(const struct encoder *e);

/* When encoder_has_work may turn true by the passing of time alone (a due refinement): monotonic ns,
 * UINT64_MAX for never. */
uint64_t encoder_next_due(const struct encoder *e);

/* What the path to the client can take now. */
struct encoder_budget {
	uint64_t bytes; /* rough ceiling for this frame; 0 = no limit. At least one operation is always given.
			 */
	uint32_t rate_kbps; /* estimated bandwidth, 0 = unknown */
	uint32_t rtt_us;    /* 0 = unknown */
	bool is_small;      /* only small changes go, and nothing when there are none: the path is full but for an echo */
	bool hold_video;    /* the path has not forwarded the last video yet: regions wait, with their newest picture */
};

/*
 * Makes the next frame from the live screen. Copies what it sends into the sent picture first, so a screen
 * that changes under it costs another damage and never a wrong picture. screen must have the encoder's size.
 * Negative on failure.
 */
int encoder_plan(struct encoder *e, const struct pixmap *screen, uint64_t now_ns,
	const struct encoder_budget *budget, struct op_list *ret_ops, struct pst_err *err);

/*
 * Tells how many bytes the wire made of the last plan's operations, and what of the processor's time it took, 0 where that is not measured: later plans know
 * better what fits and what is worth it.
 */
void encoder_note_cost(struct encoder *e, uint64_t bytes, uint64_t cpu_ns);

/* The sent picture. Borrowed; stays still until the next plan or resize. */
const struct pixmap *encoder_sent(const struct encoder *e);

void encoder_stats(const struct encoder *e, struct encoder_stats *ret);
