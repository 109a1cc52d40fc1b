/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What pixels cost on this viewer's wire, in bytes and in processor time, by sort of content and by the manner in which they are coded: a guess at first,
 * then a moving average of what its codecs really made and took. And the choice that follows: where the path is slow, the manner of fewer bytes is worth
 * its time; where it is fast, the quick one is.
 */
#pragma once

#include "encoder/op.h"

enum cost_sort { COST_FLAT, COST_TEXT, COST_PICTURE, COST_LOSSY, COST_SORTS };
enum cost_manner { COST_PLAIN, COST_THRIFTY, COST_MANNERS }; /* see codec_set_thrift */

/* What the last sixteen frames of a manner were and took. */
struct cost_span {
	uint64_t px, bytes, ns;
};

struct cost {
	uint32_t rate[COST_SORTS][COST_MANNERS]; /* bytes of 1024 pixels, in 1/64 */
	uint32_t time[COST_SORTS][COST_MANNERS]; /* nanoseconds of 1024 pixels */
	uint8_t manner[COST_SORTS];              /* enum cost_manner: how the sort is coded now, */
	uint32_t since[COST_SORTS];              /* for so many frames, */
	uint32_t until_trial[COST_SORTS];        /* and for so many at most before the other manner is tried */
	struct cost_span spans[COST_SORTS][COST_MANNERS];
	uint8_t seen[COST_SORTS];  /* frames that moved the rate, up to the weight of the average */
	uint64_t area[COST_SORTS]; /* pixels of the frame that was planned last */
	uint64_t fixed;            /* bytes of it that are known: headers, video */
};

void cost_init(struct cost *c);

enum cost_sort cost_sort_of(uint8_t klass, bool is_lossy);

/* Bytes that an area of this sort will take, with its header. */
uint64_t cost_guess(const struct cost *c, enum cost_sort sort, int64_t area);
/* The processor's nanoseconds for it. */
uint64_t cost_guess_ns(const struct cost *c, enum cost_sort sort, int64_t area);

/* The sort takes from now on so many parts of what it took. */
void cost_scale(struct cost *c, enum cost_sort sort, uint32_t parts, uint32_t of);

/* A frame begins; adds one of its operations. */
void cost_begin(struct cost *c);
void cost_add(struct cost *c, const struct op *op);

/* Chooses the manner of each sort in the frame for a path of this rate, 0 unknown. Now and then the other one is tried, or it would never be known. */
void cost_choose(struct cost *c, uint32_t rate_kbps);

/* The frame took so many bytes on the wire, and so much processor time, 0 where nobody looked. */
void cost_learn(struct cost *c, uint64_t bytes, uint64_t cpu_ns);
