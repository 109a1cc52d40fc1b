/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Times each kernel of each table that this processor has, and prints it as a share of the C table's: rows of
 * 64 pixels, as tiles have them, and of 1920.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "encoder/dsp/dsp.h"

#define WIDE 1920
#define ROWS 64
#define ROUNDS 9 /* the quickest counts */
#define WORK_PX (1 << 21)

static uint32_t a[ROWS][WIDE], b[ROWS][WIDE], out[WIDE];
static uint8_t seen[DSP_SEEN], planes[4][WIDE], residues[DSP_FILTERS][WIDE * 3];
static volatile uint64_t sink;

static void run_same(const struct dsp *d, int row, int32_t n)
{
	sink += d->same_row(a[row], a[row], n);
}

static void run_diff(const struct dsp *d, int row, int32_t n)
{
	int32_t first = 0, last = 0;

	sink += d->diff_row(a[row], b[row], n, &first, &last) + (uint32_t)last;
}

static void run_copy(const struct dsp *d, int row, int32_t n)
{
	d->copy_row(out, a[row], n);
}

static void run_is_colour(const struct dsp *d, int row, int32_t n)
{
	sink += d->is_colour(out, n, (uint32_t)row ^ (uint32_t)row);
}

static void run_hash(const struct dsp *d, int row, int32_t n)
{
	sink += d->hash_row(a[row], n);
}

static void run_find(const struct dsp *d, int row, int32_t n)
{
	const uint32_t colours[4] = { 1, 2, 3, 4 };

	sink += (uint32_t)d->find_any4(a[row], 0, n, colours);
}

static void run_slopes(const struct dsp *d, int row, int32_t n)
{
	uint32_t equal = 0, soft = 0;

	d->slopes(a[row], n, &equal, &soft);
	sink += equal + soft;
}

static void run_see(const struct dsp *d, int row, int32_t n)
{
	d->see_colours(seen, a[row], n);
}

static void run_apart(const struct dsp *d, int row, int32_t n)
{
	d->mark_apart(out, a[row], n, 0xffffff);
}

static void run_residues(const struct dsp *d, int row, int32_t n)
{
	uint8_t *const to[DSP_FILTERS] = { residues[0], residues[1], residues[2], residues[3] };
	uint32_t weights[DSP_FILTERS];

	d->residues((const uint8_t *)a[row] + 3, (const uint8_t *)b[row] + 3, n * 3, to, weights);
	sink += weights[0];
}

static void run_i420(const struct dsp *d, int row, int32_t n)
{
	d->i420_rows(a[row], b[row], n, planes[0], planes[1], planes[2], planes[3]);
}

static void run_chroma(const struct dsp *d, int row, int32_t n)
{
	uint8_t *residue[DSP_CHROMA_PLANES];

	for (int k = 0; k < DSP_CHROMA_PLANES; k++)
		residue[k] = residues[k / 2] + k % 2 * WIDE;
	d->chroma_rows(a[row], b[row], n, residue);
}

static const struct {
	const char *name;
	void (*run)(const struct dsp *d, int row, int32_t n);
} kernels[] = { { "same_row", run_same }, { "diff_row", run_diff }, { "copy_row", run_copy },
	{ "is_colour", run_is_colour }, { "hash_row", run_hash }, { "find_any4", run_find },
	{ "slopes", run_slopes }, { "see_colours", run_see }, { "mark_apart", run_apart },
	{ "residues", run_residues }, { "i420_rows", run_i420 }, { "chroma_rows", run_chroma } };

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t quickest(const struct dsp *d, size_t k, int32_t n)
{
	uint64_t best = UINT64_MAX;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t begin;

		memset(out, 0, sizeof(out));
		begin = cpu_ns();
		for (int i = 0; i < WORK_PX / n; i++)
			kernels[k].run(d, i % ROWS, n);
		begin = cpu_ns() - begin;
		best = PST_MIN(best, begin);
	}
	return best;
}

/* Text: paper, and letters in a third of the pixels; b differs in its middle. */
static void draw(void)
{
	uint32_t seed = 1;

	for (int y = 0; y < ROWS; y++) {
		for (int x = 0; x < WIDE; x++) {
			seed = seed * 1664525u + 1013904223u;
			a[y][x] = b[y][x] = x % 12 < 8 ? 0xffffff : (seed >> 24) * 0x010101u;
		}
		b[y][WIDE / 2] = b[y][31] = 0x123456;
	}
}

int main(void)
{
	const struct dsp *tables[] = { dsp_avx2(), dsp_avx512(), dsp_neon() };
	const int32_t widths[] = { 64, WIDE };

	draw();
	for (size_t i = 0; i < PST_ARRAY_LEN(kernels); i++) {
		for (size_t w = 0; w < 2; w++) {
			uint64_t c = quickest(&dsp_c, i, widths[w]);

			printf("%-12s %5d px: c %6.3f ns/px", kernels[i].name, widths[w],
				(double)c / WORK_PX);
			for (size_t t = 0; t < PST_ARRAY_LEN(tables); t++)
				if (tables[t])
					printf("  %s %5.2f x", tables[t]->name,
						(double)c / (double)quickest(tables[t], i, widths[w]));
			printf("\n");
		}
	}
	return 0;
}
