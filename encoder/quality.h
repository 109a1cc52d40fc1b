/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The quality of lossy pictures. Where pictures move, it follows the path: as coarse as lets the path carry most of their frames, and where that is
 * not enough, fewer frames before mud. Pure: time is a parameter.
 */
#pragma once

#include <stdint.h>

#define QUALITY_MIN 15 /* coarser ones spoil pictures and save little */
#define QUALITY_STEP 5

struct quality {
	uint8_t now;         /* a multiple of the step, or the ceiling */
	uint64_t changed_ns; /* when it was changed last */
};

/* What moves, and what it is to go through. */
struct quality_load {
	uint64_t px_per_s;   /* of moving pictures, 0: nothing moves */
	uint32_t rate_kbps;  /* of the path, 0: unknown */
	uint64_t px_bytes;   /* what 2^16 pixels take at the quality that is now */
};

/* About what a picture takes at a quality from 1 to 100, in parts of what it takes at 40, which is 35. */
uint32_t quality_weight(uint8_t quality);

/* The quality of the next frame, at most the ceiling. */
uint8_t quality_next(struct quality *q, uint8_t ceiling, const struct quality_load *load, uint64_t now_ns);
