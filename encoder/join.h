/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pieces are what a plan sends of each tile; joining makes them into as few larger rectangles as is worth it,
 * so that wires carry pixels and not headers.
 */
#pragma once

#include "encoder/op.h"

/*
 * A sketch of a set of colours: 2048 bits, one per hashed colour. It tells within a few colours whether a
 * piece has at most 256, and costs a fraction of a real palette.
 */
#define SKETCH_WORDS 32

struct piece {
	struct rect rect;
	uint8_t kind;  /* enum op_kind: OP_FILL, OP_LOSSLESS or OP_LOSSY */
	uint8_t klass; /* enum op_class */
	uint8_t quality;
	bool has_paper;  /* a text on one colour */
	bool is_refine;
	bool is_gone; /* joined into another one */
	uint32_t fill, paper;
	int32_t column, row; /* the tile it stands in; the leftmost of a run */
};

/* Makes a sketch of what a kernel has seen (see dsp.h): DSP_SEEN bytes of 0 or 1. */
void sketch_make(uint64_t sketch[SKETCH_WORDS], const uint8_t *seen);

/* True when it is (nearly always) right to expect at most 256 colours. */
bool sketch_fits(const uint64_t sketch[SKETCH_WORDS]);

/* About how many colours it holds: a little less than the truth. */
int sketch_count(const uint64_t sketch[SKETCH_WORDS]);

/* Pieces in reading order of their tiles, n of them. Returns how many are left, in order. */
size_t join_pieces(struct piece *pieces, size_t n);
