/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rectangles of an update into a picture (RFC 6143, 7.7): Raw, CopyRect, Hextile, TRLE, ZRLE, and Tight
 * without JPEG, for pixels of 32 bits, B G R X. It takes bytes as they come, paints what they say, and needs
 * no more memory for a large rectangle than for a small one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "protocol/source/rfb/screen.h"

/* The longest piece that is not taken before all of it is there. */
#define RFB_PIECE_MAX (20 * 1024)

struct rfb_decoder;

/* NULL without memory. */
struct rfb_decoder *rfb_decoder_create(void);
/* Accepts NULL. */
void rfb_decoder_destroy(struct rfb_decoder *d);

bool rfb_decoder_knows(int32_t encoding);

/* The next rectangle, of a known encoding. s is borrowed until it is done. PST_EPROTO when r is not on it. */
int rfb_decoder_begin(struct rfb_decoder *d, struct rfb_screen *s, const struct rect *r, int32_t encoding,
	struct pst_err *err);
/* Returns how many bytes were used, 0 when it waits for more; PST_EPROTO or PST_ENOMEM with err, and then
 * nothing more may be taken. */
long rfb_decoder_take(struct rfb_decoder *d, const uint8_t *data, size_t len, struct pst_err *err);
/* The rectangle is whole. */
bool rfb_decoder_is_done(const struct rfb_decoder *d);
