/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decoders written from the specifications, independent of the encoders: what a client would show. Pixels are
 * 0x00RRGGBB. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

struct inflater {
	z_stream z;
};

struct tight_decoder {
	struct inflater streams[4];
};

void tight_decoder_open(struct tight_decoder *d);
void tight_decoder_close(struct tight_decoder *d);
/* All return false when the bytes are not exactly one well-formed rectangle. */
bool tight_decode(
	struct tight_decoder *d, const uint8_t *p, size_t n, int w, int h, uint32_t *ret, bool *ret_is_jpeg);

void inflater_open(struct inflater *s);
void inflater_close(struct inflater *s);
bool zrle_decode(struct inflater *s, const uint8_t *p, size_t n, int w, int h, uint32_t *ret);

bool jpeg_decode(const uint8_t *p, size_t n, int w, int h, uint32_t *ret);

struct flat_decoder;
struct flat_decoder *flat_decoder_create(void);
void flat_decoder_destroy(struct flat_decoder *d);
/* is_single: the bytes are a whole zstd frame of their own. */
bool flat_decode(
	struct flat_decoder *d, bool is_single, const uint8_t *p, size_t n, int w, int h, uint32_t *ret);
