/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The quantiser of each H.264 frame. Without a known rate it follows the picture: what costs many bits
 * although it is coarse becomes coarser, what costs few becomes finer. With a rate, a leaky bucket of 40 ms
 * raises it further. It moves seldom: blocks that are still are only left alone while the quantiser does not
 * fall.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUANTISER_MIN 16
#define QUANTISER_MAX 50 /* coarser ones spoil the picture and save little */

struct quantiser {
	int64_t area;        /* pixels of a frame */
	int64_t frame_bits;  /* what the rate gives each frame; 0: no rate is known */
	int64_t bucket_bits; /* sent and not yet drained */
	int64_t cost;        /* bits a pixel of late frames, in 1/1024 */
	int64_t late_bits, key_bits; /* of a late frame and of a key frame, had the quantiser been QUANTISER_MIN */
	int32_t since_fall;  /* frames */
	uint8_t qp;
};

void quantiser_init(struct quantiser *q, int32_t width, int32_t height, uint32_t rate_kbps);
void quantiser_set_rate(struct quantiser *q, uint32_t rate_kbps);
/* For the frame that comes. */
uint8_t quantiser_next(struct quantiser *q, bool is_key);
/* What it took. */
void quantiser_note(struct quantiser *q, size_t bytes, bool is_key);
