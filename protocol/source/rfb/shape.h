/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pointer shapes of RFB servers (RFC 6143, 7.8.1, and the extension with transparency) in our form. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "protocol/link/cursor_image.h"

/* Bytes of a shape of this size behind its rectangle's head. */
size_t rfb_shape_bytes(int32_t w, int32_t h, bool has_alpha);

/*
 * Fills out, w × h pixels of premultiplied B G R A. data: the bytes of above. has_alpha: an encoding (which
 * must be Raw) and R G B A, premultiplied; else B G R X and a mask of bits. False: the encoding is another.
 */
bool rfb_shape_read(const uint8_t *data, int32_t w, int32_t h, bool has_alpha, uint32_t *out);
