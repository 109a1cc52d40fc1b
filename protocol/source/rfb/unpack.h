/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A zlib stream that goes on from rectangle to rectangle, unpacked a window at a time: whatever a server
 * packs, no more memory than the window is used.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#include "base/err.h"

#define RFB_WINDOW (32 * 1024) /* bytes; more than any one piece that its readers wait for */

struct rfb_unpack {
	z_stream z;
	bool is_open;
	size_t len; /* unpacked bytes that are not used yet */
	uint8_t window[RFB_WINDOW];
};

/* The stream begins anew; what it had is forgotten. PST_ENOMEM. */
int rfb_unpack_reset(struct rfb_unpack *u, struct pst_err *err);
void rfb_unpack_close(struct rfb_unpack *u);

/*
 * Unpacks data until it or the window's room is at its end. *data and *len move on. PST_EPROTO when it is no
 * zlib stream. Call it again, also with *len 0, after the window was read: zlib may keep output back.
 */
int rfb_unpack_fill(struct rfb_unpack *u, const uint8_t **data, size_t *len, struct pst_err *err);
/* The first n bytes of the window were used. */
void rfb_unpack_used(struct rfb_unpack *u, size_t n);
