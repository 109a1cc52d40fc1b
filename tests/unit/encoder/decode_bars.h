/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ClearCodec without its subcodec layer, read from [MS-RDPEGFX] 2.2.4.1 and docs/flat-codec.md, not from the encoder. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bars_decoder;

struct bars_decoder *bars_decoder_create(void);
void bars_decoder_destroy(struct bars_decoder *d);
/* Fills ret with w × h pixels 0x00RRGGBB; false when the bytes are not exactly such a picture. */
bool bars_decode(struct bars_decoder *d, const uint8_t *p, size_t n, int w, int h, uint32_t *ret);
