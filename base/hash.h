/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Digests, random bytes, tokens and UUIDs (GnuTLS underneath). Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PST_SHA256_LEN 32
#define PST_SHA256_HEX_SIZE 65 /* with the terminating zero */

void pst_sha256(const void *p, size_t n, uint8_t out[PST_SHA256_LEN]);
void pst_sha256_hex(const void *p, size_t n, char out[PST_SHA256_HEX_SIZE]);
void pst_hmac_sha256(const void *key, size_t key_len, const void *p, size_t n,
	uint8_t out[PST_SHA256_LEN]);
void pst_hmac_sha1(const void *key, size_t key_len, const void *p, size_t n, uint8_t out[20]);

/* n random bytes of key quality; ends the program when the system has none. */
void pst_random(void *out, size_t n);

/* Size of the text of a token of n random bytes, with its terminating zero. */
#define PST_TOKEN_SIZE(n) (((size_t)(n)*4 + 2) / 3 + 1)
#define PST_TOKEN_MAX 64

/* n (<= PST_TOKEN_MAX) random bytes as base64url text; out has PST_TOKEN_SIZE(n) bytes. */
void pst_token(char *out, size_t n);

struct pst_uuid {
	uint8_t b[16];
};

#define PST_UUID_SIZE 37 /* text with its terminating zero */

/* A random (version 4) UUID. */
struct pst_uuid pst_uuid_make(void);
void pst_uuid_text(const struct pst_uuid *u, char out[PST_UUID_SIZE]);

/* Canonical 8-4-4-4-12 form, either case; PST_EINVAL otherwise. Any version. */
int pst_uuid_parse(const char *s, struct pst_uuid *ret_uuid);
bool pst_uuid_equal(const struct pst_uuid *a, const struct pst_uuid *b);
bool pst_uuid_is_nil(const struct pst_uuid *u);
