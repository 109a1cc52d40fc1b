/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One tile of TRLE or ZRLE (RFC 6143, 7.7.5 and 7.7.6): colours of three bytes, B G R. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define RFB_TILE_SIDE_MAX 64
/* The longest tile that there can be: a palette, and a run for each pixel. */
#define RFB_TILE_BYTES_MAX (1 + 127 * 3 + RFB_TILE_SIDE_MAX * RFB_TILE_SIDE_MAX * 4)

struct rfb_palette {
	uint32_t colours[256];
	unsigned count; /* 0: there was none yet */
};

/*
 * Reads a tile of w × h pixels (1…64) into out. can_reuse: the last tile's palette may be named again (TRLE).
 * Returns its length, 0 when more bytes are needed, or PST_EPROTO with err.
 */
long rfb_tile_decode(const uint8_t *data, size_t len, int32_t w, int32_t h, bool can_reuse,
	struct rfb_palette *palette, uint32_t *out, struct pst_err *err);
