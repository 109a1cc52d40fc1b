/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Colours, wavelets and division; see rfx_tile.h. Numbers carry five bits of fraction until they are divided. */
#include "encoder/codec/rfx_tile.h"

#include <string.h>

#include "base/mem.h"

#define SIDE RFX_TILE_SIDE
#define FRACTION 5
#define STEP 16 /* columns at once: the smallest square */

/* 3.1.8.1.3, the weights as fractions of 32768. Loops of a fixed length over arrays that do not overlap are what compilers widen. */
static void put_colours(const uint32_t *restrict px, int16_t *restrict y, int16_t *restrict cb, int16_t *restrict cr)
{
	for (int i = 0; i < SIDE; i++) {
		int32_t r = (int32_t)(px[i] >> 16 & 255), g = (int32_t)(px[i] >> 8 & 255), b = (int32_t)(px[i] & 255);
		y[i] = (int16_t)(((9798 * r + 19235 * g + 3735 * b) >> 10) - (128 << FRACTION));
		int32_t blue = (-5535 * r - 10868 * g + 16403 * b) >> 10, red = (16377 * r - 13714 * g - 2663 * b) >> 10;
		cb[i] = (int16_t)(blue > 4095 ? 4095 : blue);
		cr[i] = (int16_t)(red > 4095 ? 4095 : red);
	}
}

void rfx_tile_planes(const struct pixmap *p, const struct rect *r, int16_t (*ret_planes)[RFX_TILE_AREA])
{
	uint32_t line[SIDE];
	for (int32_t j = 0; j < SIDE; j++) {
		const uint32_t *row = pixmap_at(p, r->x, r->y + PST_MIN(j, r->h - 1));
		memcpy(line, row, (size_t)r->w * sizeof(*line));
		for (int32_t i = r->w; i < SIDE; i++)
			line[i] = row[r->w - 1];
		put_colours(line, &ret_planes[0][j * SIDE], &ret_planes[1][j * SIDE], &ret_planes[2][j * SIDE]);
	}
}

/* Two rows of STEP numbers and the even one behind them: a row of differences and one of sums. */
static void split_step(const int16_t *restrict even, const int16_t *restrict odd, const int16_t *restrict next, const int16_t *before,
		       int16_t *restrict low, int16_t *restrict high)
{
	for (int x = 0; x < STEP; x++)
		high[x] = (int16_t)((odd[x] - ((even[x] + next[x]) >> 1)) >> 1);
	if (!before)
		before = high;
	for (int x = 0; x < STEP; x++)
		low[x] = (int16_t)(even[x] + ((before[x] + high[x]) >> 1));
}

/* Rows of an even side n become n/2 rows of sums and then n/2 of differences: 5/3 wavelets, 3.1.8.1.4. */
static void split_rows(const int16_t *from, int16_t *to, int n)
{
	for (int k = 0; k < n / 2; k++) {
		const int16_t *even = from + (ptrdiff_t)2 * k * n, *odd = even + n, *next = k < n / 2 - 1 ? odd + n : even;
		int16_t *low = to + (ptrdiff_t)k * n, *high = low + (ptrdiff_t)n / 2 * n;
		for (int x = 0; x < n; x += STEP)
			split_step(even + x, odd + x, next + x, k > 0 ? high - n + x : NULL, low + x, high + x);
	}
}

/* The same along one row. */
static void split_row(const int16_t *from, int16_t *low, int16_t *high, int n)
{
	for (int k = 0; k < n / 2; k++) {
		int next = from[k < n / 2 - 1 ? 2 * k + 2 : 2 * k];
		high[k] = (int16_t)((from[2 * k + 1] - ((from[2 * k] + next) >> 1)) >> 1);
		low[k] = (int16_t)(from[2 * k] + ((high[k > 0 ? k - 1 : 0] + high[k]) >> 1));
	}
}

/* A square becomes four: differences along rows, along columns, along both, and what is left, each half as wide. */
static void split(int16_t *square, int n)
{
	int16_t rows[RFX_TILE_AREA];
	int half = n / 2, quarter = half * half;
	split_rows(square, rows, n);
	for (int k = 0; k < half; k++) {
		split_row(rows + (ptrdiff_t)k * n, square + 3 * quarter + k * half, square + k * half, n);
		split_row(rows + (ptrdiff_t)(half + k) * n, square + quarter + k * half, square + 2 * quarter + k * half, n);
	}
}

/* Towards zero by a little: a small coefficient is worth fewer bits than it costs. */
static void divide(int16_t *band, int n, int quant)
{
	int shift = quant - 6 + FRACTION, bias = (1 << shift) * 3 / 8;
	for (; n > 0; n -= SIDE, band += SIDE) {
		for (int i = 0; i < SIDE; i++) {
			int v = band[i], sign = v >> 31;
			band[i] = (int16_t)(((((v ^ sign) - sign) + bias) >> shift ^ sign) - sign);
		}
	}
}

static void divide_nearest(int16_t *band, int n, int quant)
{
	int shift = quant - 6 + FRACTION;
	for (int i = 0; i < n; i++)
		band[i] = (int16_t)((band[i] + (1 << (shift - 1))) >> shift);
}

void rfx_tile_bands(int16_t *plane, const struct rfx_quant *quant)
{
	/* In the plane: HL1, LH1, HH1, HL2, LH2, HH2, HL3, LH3, HH3, LL3. */
	static const struct {
		int at, n, quant;
	} bands[] = { { 0, 1024, 8 }, { 1024, 1024, 7 }, { 2048, 1024, 9 }, { 3072, 256, 5 }, { 3328, 256, 4 },
		      { 3584, 256, 6 }, { 3840, 64, 2 }, { 3904, 64, 1 }, { 3968, 64, 3 } };
	split(plane, 64);
	split(plane + 3072, 32);
	split(plane + 3840, 16);
	for (size_t i = 0; i < PST_ARRAY_LEN(bands); i++)
		divide(plane + bands[i].at, bands[i].n, quant->at[bands[i].quant]);
	int16_t *last = plane + 4032;
	divide_nearest(last, 64, quant->at[0]);
	for (int i = 63; i > 0; i--)
		last[i] = (int16_t)(last[i] - last[i - 1]);
}
