/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pieces are what a plan sends of each tile; joining makes them into as few larger rectangles as is worth it, so that wires carry
 * pixels and not headers.
 */
#pragma once

#include "encoder/op.h"

/* A sketch of a set of colours: 1024 bits, one per hashed colour, good to tell whether two pieces still fit one palette of 256. */
#define SKETCH_WORDS 16

struct piece {
	struct rect rect;
	uint8_t kind;  /* enum op_kind: OP_FILL, OP_LOSSLESS or OP_LOSSY */
	uint8_t klass; /* enum op_class */
	uint8_t quality;
	bool is_indexed; /* up to 256 colours: the sketch holds them */
	bool is_refine;
	bool is_gone; /* joined into another one */
	uint32_t fill;
	int32_t column, row; /* the tile it stands in; the leftmost of a run */
	uint64_t sketch[SKETCH_WORDS];
};

void sketch_add(uint64_t sketch[SKETCH_WORDS], uint32_t colour);

/* Pieces in reading order of their tiles, n of them. Returns how many are left, in order. */
size_t join_pieces(struct piece *pieces, size_t n);
