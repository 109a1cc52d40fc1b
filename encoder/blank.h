/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pixels of a lossless operation with paper where its repeats follow: what is left to be coded. */
#pragma once

#include "base/buf.h"
#include "encoder/op.h"
#include "encoder/pixmap.h"

/* Fills ret_pixels, which is reset, and makes a view of it: its corner is the operation's. 0 or PST_ELIMIT when the buffer's ceiling is lower. */
int blank_repeats(const struct op *op, const struct pixmap *sent, struct pst_buf *ret_pixels, struct pixmap *ret);
