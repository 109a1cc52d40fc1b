/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decoders of text: what they take, the encoders give back byte for byte. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trips(const char *s, size_t n)
{
	uint8_t bytes[512];
	char back[1100];
	long len = pst_base64_decode(s, n, bytes, sizeof(bytes));

	if (len >= 0 && (pst_base64_encode(bytes, (size_t)len, back, sizeof(back)) != (long)n || memcmp(back, s, n)))
		abort();
	len = pst_base64url_decode(s, n, bytes, sizeof(bytes));
	if (len >= 0 &&
		(pst_base64url_encode(bytes, (size_t)len, back, sizeof(back)) != (long)n || memcmp(back, s, n)))
		abort();
	pst_hex_decode(s, n, bytes, sizeof(bytes));
}

static void numbers(const char *s)
{
	struct pst_uuid uuid;
	int64_t ms, i;
	char out[PST_RFC3339_SIZE];

	if (pst_rfc3339_parse(s, &ms) == 0)
		pst_rfc3339(ms, out);
	pst_parse_i64(s, -5, INT64_MAX, &i);
	pst_uuid_parse(s, &uuid);
	pst_name_valid(s, 64);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *s = strndup((const char *)data, size);

	pst_utf8_valid((const char *)data, size);
	round_trips((const char *)data, size);
	numbers(s);
	free(s);
	return 0;
}
