/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the table of AVX-512 has in common with AVX2's, where sixteen pixels at a time gain nothing. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

bool avx2_same_row(const uint32_t *a, const uint32_t *b, int32_t n);
void avx2_copy_row(uint32_t *dst, const uint32_t *src, int32_t n);
void avx2_see_colours(uint8_t *seen, const uint32_t *row, int32_t n);
void avx2_mark_apart(uint32_t *apart, const uint32_t *row, int32_t n, uint32_t colour);
uint64_t avx2_hash_row(const uint32_t *row, int32_t n);
int32_t avx2_find_any4(const uint32_t *row, int32_t from, int32_t n, const uint32_t colours[4]);
void avx2_slopes(const uint32_t *row, int32_t n, uint32_t *equal, uint32_t *soft);
void avx2_residues(
	const uint8_t *cur, const uint8_t *above, int32_t n, uint8_t *const out[4], uint32_t weights[4]);
void avx2_i420_rows(const uint32_t *row0, const uint32_t *row1, int32_t n, uint8_t *y0, uint8_t *y1,
	uint8_t *u, uint8_t *v);
void avx2_chroma_rows(const uint32_t *row0, const uint32_t *row1, int32_t n, uint8_t *const out[8]);
