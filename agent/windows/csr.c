/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Written from the inside to the outside: each length is known when it is put down. */
#include "agent/windows/csr.h"

#include <string.h>

enum tag { TAG_INTEGER = 0x02, TAG_BIT_STRING = 0x03, TAG_UTF8 = 0x0c, TAG_SEQUENCE = 0x30, TAG_SET = 0x31, TAG_ATTRIBUTES = 0xa0 };

/* X.690, 8.1.3: the definite form. */
static void head_put(struct pst_buf *out, enum tag tag, size_t len)
{
	pst_buf_put_u8(out, (uint8_t)tag);
	if (len >= 0x100) {
		pst_buf_put_u8(out, 0x82);
		pst_buf_put_be16(out, (uint16_t)len);
	} else {
		if (len >= 0x80)
			pst_buf_put_u8(out, 0x81);
		pst_buf_put_u8(out, (uint8_t)len);
	}
	if (len > UINT16_MAX)
		out->failed = true;
}

static void put(struct pst_buf *out, enum tag tag, const void *data, size_t len)
{
	head_put(out, tag, len);
	pst_buf_append(out, data, len);
}

/* Puts inner into out as that tag, and empties it for the next. */
static void wrap(struct pst_buf *out, enum tag tag, struct pst_buf *inner)
{
	put(out, tag, inner->data, inner->len);
	out->failed |= inner->failed;
	pst_buf_reset(inner);
}

static void bit_string(struct pst_buf *out, const void *data, size_t len)
{
	head_put(out, TAG_BIT_STRING, len + 1);
	pst_buf_put_u8(out, 0); /* no unused bits */
	pst_buf_append(out, data, len);
}

void csr_p256_key(struct pst_buf *out, const uint8_t xy[64])
{
	/* id-ecPublicKey, prime256v1 (RFC 5480); then the point, uncompressed. */
	static const uint8_t algorithm[] = { 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
		0x01, 0x07 };
	uint8_t point[65] = { 0x04 };

	memcpy(point + 1, xy, 64);
	head_put(out, TAG_SEQUENCE, sizeof(algorithm) + 3 + sizeof(point));
	pst_buf_append(out, algorithm, sizeof(algorithm));
	bit_string(out, point, sizeof(point));
}

void csr_info(struct pst_buf *out, const char *name, const void *key, size_t key_len)
{
	static const uint8_t common_name[] = { 0x06, 0x03, 0x55, 0x04, 0x03 };
	struct pst_buf a, b;

	pst_buf_init(&a, CSR_MAX);
	pst_buf_init(&b, CSR_MAX);
	pst_buf_append(&a, common_name, sizeof(common_name));
	put(&a, TAG_UTF8, name, strlen(name));
	wrap(&b, TAG_SEQUENCE, &a);
	wrap(&a, TAG_SET, &b);
	put(&b, TAG_INTEGER, "", 1); /* version 1 is 0 */
	wrap(&b, TAG_SEQUENCE, &a);
	pst_buf_append(&b, key, key_len);
	head_put(&b, TAG_ATTRIBUTES, 0);
	wrap(out, TAG_SEQUENCE, &b);
	pst_buf_finish(&a);
	pst_buf_finish(&b);
}

/* Without zeros before it, and with one where it would be negative. */
static void integer_put(struct pst_buf *out, const uint8_t *n, size_t len)
{
	while (len > 1 && n[0] == 0) {
		n++;
		len--;
	}
	head_put(out, TAG_INTEGER, len + (n[0] >> 7));
	if (n[0] & 0x80)
		pst_buf_put_u8(out, 0);
	pst_buf_append(out, n, len);
}

void csr_ecdsa(struct pst_buf *out, const uint8_t rs[64])
{
	struct pst_buf both;

	pst_buf_init(&both, CSR_MAX);
	integer_put(&both, rs, 32);
	integer_put(&both, rs + 32, 32);
	wrap(out, TAG_SEQUENCE, &both);
	pst_buf_finish(&both);
}

void csr_whole(struct pst_buf *out, const struct pst_buf *info, const void *algorithm, size_t algorithm_len, const void *signature, size_t signature_len)
{
	struct pst_buf all;

	pst_buf_init(&all, CSR_MAX);
	pst_buf_append(&all, info->data, info->len);
	pst_buf_append(&all, algorithm, algorithm_len);
	bit_string(&all, signature, signature_len);
	all.failed |= info->failed;
	wrap(out, TAG_SEQUENCE, &all);
	pst_buf_finish(&all);
}
