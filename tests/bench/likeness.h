/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How alike two pictures of one size are; pixels 0x00RRGGBB, rows of stride pixels. */
#pragma once

#include <stdint.h>

#define PSNR_SAME 99 /* what equal pictures have */

struct likeness {
	double psnr; /* dB, over red, green and blue */
	double ssim; /* of brightness, windows of 8 × 8 at every fourth pixel; Wang et al. 2004 */
};

struct likeness likeness_of(
	const uint32_t *a, int32_t a_stride, const uint32_t *b, int32_t b_stride, int32_t w, int32_t h);
/* 0…255, as BT.601 weighs the colours. */
int brightness(uint32_t pixel);
