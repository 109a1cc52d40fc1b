/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Encodings and strict parsing of text that came from outside. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sizes of encoded text without the terminating zero. */
#define PST_HEX_LEN(n) ((size_t)(n)*2)
#define PST_BASE64_LEN(n) (((size_t)(n) + 2) / 3 * 4)

/*
 * Encoders write a terminated string of out_size bytes at most and return its length,
 * or PST_ELIMIT (out is then "" when out_size > 0). base64url has no padding.
 */
long pst_hex_encode(const void *p, size_t n, char *out, size_t out_size);
long pst_base64_encode(const void *p, size_t n, char *out, size_t out_size);
long pst_base64url_encode(const void *p, size_t n, char *out, size_t out_size);

/*
 * Decoders return the number of bytes, PST_EINVAL on a foreign character, bad length or
 * stray bits, PST_ELIMIT when out_size is too small. Whitespace is foreign. base64 wants
 * its padding, base64url refuses it.
 */
long pst_hex_decode(const char *s, size_t n, void *out, size_t out_size);
long pst_base64_decode(const char *s, size_t n, void *out, size_t out_size);
long pst_base64url_decode(const char *s, size_t n, void *out, size_t out_size);

/* Strict UTF-8: no overlong forms, surrogates, or values above U+10FFFF. */
bool pst_utf8_valid(const char *s, size_t n);

/*
 * Decodes one code point and returns its length in bytes (1-4), 0 when n is 0, or
 * PST_EINVAL (skip one byte to go on).
 */
int pst_utf8_next(const char *s, size_t n, uint32_t *ret_code_point);

/* Writes 1-4 bytes (not terminated) and returns how many; 0 for an impossible code point. */
int pst_utf8_put(uint32_t code_point, char out[4]);

/* Copies with termination; 0, or PST_ELIMIT when cut (out still terminated). */
int pst_strlcpy(char *out, size_t out_size, const char *s);

/*
 * A whole decimal number within [min, max]: digits only (one '-' for i64), no spaces, no
 * sign '+'. 0, PST_EINVAL or PST_ELIMIT (out of range). ret is written only on success.
 */
int pst_parse_u32(const char *s, uint32_t min, uint32_t max, uint32_t *ret);
int pst_parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret);
int pst_parse_i64(const char *s, int64_t min, int64_t max, int64_t *ret);

/* Percent-encodes what may not stand in a part of a URL's path or query; false when out is too small. */
bool pst_url_escape(const char *text, char *out, size_t out_size);

/* true/false, yes/no, on/off, 1/0. */
int pst_parse_bool(const char *s, bool *ret);

bool pst_str_starts(const char *s, const char *prefix);
bool pst_str_ends(const char *s, const char *suffix);

/*
 * A name that people type for things (pool, user, desktop): 1..max bytes of valid UTF-8
 * without control characters, leading or trailing space.
 */
bool pst_name_valid(const char *s, size_t max);
