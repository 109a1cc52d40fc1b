/* SPDX-License-Identifier: GPL-3.0-or-later */
/* UUIDs of hash.h. */
#include "base/hash.h"

#include "base/err.h"
#include "base/text.h"

#include <string.h>

struct pst_uuid pst_uuid_make(void)
{
	struct pst_uuid u;

	pst_random(u.b, sizeof(u.b));
	u.b[6] = (uint8_t)((u.b[6] & 0x0f) | 0x40);
	u.b[8] = (uint8_t)((u.b[8] & 0x3f) | 0x80);
	return u;
}

/* A dash stands before bytes 4, 6, 8 and 10. */
static bool dash_before(size_t i)
{
	return i == 4 || i == 6 || i == 8 || i == 10;
}

void pst_uuid_text(const struct pst_uuid *u, char out[PST_UUID_SIZE])
{
	size_t o = 0;

	for (size_t i = 0; i < sizeof(u->b); i++) {
		if (dash_before(i))
			out[o++] = '-';
		pst_hex_encode(&u->b[i], 1, out + o, 3);
		o += 2;
	}
}

int pst_uuid_parse(const char *s, struct pst_uuid *ret_uuid)
{
	struct pst_uuid u;

	if (!s || strlen(s) != PST_UUID_SIZE - 1)
		return PST_EINVAL;

	for (size_t i = 0; i < sizeof(u.b); i++) {
		if (dash_before(i) && *s++ != '-')
			return PST_EINVAL;
		if (pst_hex_decode(s, 2, &u.b[i], 1) != 1)
			return PST_EINVAL;
		s += 2;
	}
	*ret_uuid = u;
	return 0;
}

bool pst_uuid_equal(const struct pst_uuid *a, const struct pst_uuid *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

bool pst_uuid_is_nil(const struct pst_uuid *u)
{
	static const struct pst_uuid nil;

	return pst_uuid_equal(u, &nil);
}
