/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pixel kernels: a table of slots, first in C, then for what this processor has. All take rows of 32-bit
 * pixels (0xXXRRGGBB) and ignore the X byte. Every entry gives exactly the C table's answer; a test holds
 * each to it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DSP_RGB 0x00ffffffu /* the bits that count */
#define DSP_SEEN 2048
#define DSP_FILTERS 4
#define DSP_CHROMA_PLANES 8

struct dsp {
	const char *name;
	/* True when the rows differ; then *ret_first and *ret_last are the outermost differing columns. */
	bool (*diff_row)(
		const uint32_t *a, const uint32_t *b, int32_t n, int32_t *ret_first, int32_t *ret_last);
	/* True when both rows show the same. */
	bool (*same_row)(const uint32_t *a, const uint32_t *b, int32_t n);
	/* Copies with X set to zero. The rows must not overlap. */
	void (*copy_row)(uint32_t *dst, const uint32_t *src, int32_t n);
	/* True when every pixel has this colour. */
	bool (*is_colour)(const uint32_t *row, int32_t n, uint32_t colour);
	/* Writes 1 to the place of each colour in seen, of DSP_SEEN bytes, by a hash. */
	void (*see_colours)(uint8_t *seen, const uint32_t *row, int32_t n);
	/* Sets bits in apart[i] where row[i] has another colour; apart keeps what it had. */
	void (*mark_apart)(uint32_t *apart, const uint32_t *row, int32_t n, uint32_t colour);
	/* A hash of the row's colours, 0 when all are the same; good for votes, verified by comparison
	 * later. n is at most 2^20. */
	uint64_t (*hash_row)(const uint32_t *row, int32_t n);
	/* Column of the first pixel from column `from` that has one of the four colours, n when none has. */
	int32_t (*find_any4)(const uint32_t *row, int32_t from, int32_t n, const uint32_t colours[4]);
	/* How many horizontal neighbours are equal, and how many differ by at most 24 in every channel (a
	 * slope, as photos have). */
	void (*slopes)(const uint32_t *row, int32_t n, uint32_t *equal, uint32_t *soft);
	/*
	 * What is left of n bytes of a row, three a pixel, by each filter of the flat codec: none, the pixel
	 * to the left, the one above, and left + above - corner. cur[-3…-1] and above[-3…-1] are readable:
	 * the pixel before the first. weights are the sums of the residues as signed numbers without their
	 * signs.
	 */
	void (*residues)(const uint8_t *cur, const uint8_t *above, int32_t n, uint8_t *const out[DSP_FILTERS],
		uint32_t weights[DSP_FILTERS]);
	/*
	 * Two rows to BT.709 full range: 2 × ((n+1) & ~1) luma, and half as many u and v. An odd n repeats
	 * its last pixel; for an odd height the caller passes the last row twice.
	 */
	void (*i420_rows)(const uint32_t *row0, const uint32_t *row1, int32_t n, uint8_t *y0, uint8_t *y1,
		uint8_t *u, uint8_t *v);
	/*
	 * The chroma that i420_rows leaves out, each pixel's own, where the second view of AVC444v2 has it
	 * ([MS-RDPEGFX] 3.3.8.3.3): u and v of the odd columns of both rows, half as many as pixels, rounded
	 * up; then of the second row's columns 0, 4, 8… u and v, and of 2, 6, 10… u and v, a quarter. Columns
	 * that are not there are the last one. See DSP_CHROMA_….
	 */
	void (*chroma_rows)(
		const uint32_t *row0, const uint32_t *row1, int32_t n, uint8_t *const out[DSP_CHROMA_PLANES]);
};

enum dsp_chroma {
	DSP_CHROMA_U0,
	DSP_CHROMA_V0,
	DSP_CHROMA_U1,
	DSP_CHROMA_V1,
	DSP_CHROMA_U1_AT_0,
	DSP_CHROMA_V1_AT_0,
	DSP_CHROMA_U1_AT_2,
	DSP_CHROMA_V1_AT_2,
};

/* The place of a colour. Two rounds: greys are an arithmetic progression, which one multiplication spreads
 * too evenly to be counted. */
static inline uint32_t dsp_place(uint32_t px)
{
	uint32_t h = px & DSP_RGB;

	h = (h ^ h >> 9) * 0x9e3779b1u;
	return (h ^ h >> 15) * 0x85ebca6bu >> 21;
}

/* What the tables' hashes share: the key of pixel i of the group at `at`, and the end. */
#define DSP_HASH_KEY(at, i) ((uint32_t)((at) / 8 + 1) * 0x9e3779b1u ^ (uint32_t)((i) + 1) * 0x85ebca6bu)
uint64_t dsp_hash_end(const uint64_t lane[4], uint64_t h);

extern const struct dsp dsp_c;
/* NULL slots never occur; the whole table is absent (NULL) where the processor lacks the instructions. */
const struct dsp *dsp_avx2(void);
const struct dsp *dsp_avx512(void);
const struct dsp *dsp_neon(void);
/* The best table for this processor. */
const struct dsp *dsp_best(void);
