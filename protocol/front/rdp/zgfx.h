/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * RDP 8.0 bulk compression, [MS-RDPEGFX] 3.1.9.1: matches in the last 2,500,000 bytes of all that one connection's graphics channel
 * has carried, with the specification's fixed codes, and bytes as they are where nothing matches. Pure: no library, no clock.
 */
#pragma once

#include "base/buf.h"

#define ZGFX_HISTORY 2500000

/* The sender's side of one channel, about 4 MB: every byte that its client is told passes through it, in order. */
struct zgfx;

/* Returns owned; NULL without memory. */
struct zgfx *zgfx_create(void);
/* Accepts NULL. */
void zgfx_destroy(struct zgfx *z);

/*
 * Appends data as one RDP_SEGMENTED_DATA (2.2.5.1), in segments of at most 65,535 bytes; nothing for no data. When out fails, the client
 * has lost the thread: its connection is over.
 */
void zgfx_pack(struct zgfx *z, const void *data, size_t len, struct pst_buf *out);
