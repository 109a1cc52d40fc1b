/* SPDX-License-Identifier: GPL-3.0-or-later */
/* UTF-8, names, bounded copies and strict numbers. Encodings are in encode.c. */
#include "base/text.h"

#include "base/err.h"

#include <string.h>

/* RFC 3629 table 3-7 of Unicode: the lead byte fixes the range of the second. */
static int utf8_lead(uint8_t lead, uint8_t *lo, uint8_t *hi)
{
	*lo = 0x80;
	*hi = 0xbf;
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef) {
		*lo = lead == 0xe0 ? 0xa0 : 0x80;
		*hi = lead == 0xed ? 0x9f : 0xbf;
		return 3;
	}
	if (lead >= 0xf0 && lead <= 0xf4) {
		*lo = lead == 0xf0 ? 0x90 : 0x80;
		*hi = lead == 0xf4 ? 0x8f : 0xbf;
		return 4;
	}
	return 0;
}

int pst_utf8_next(const char *s, size_t n, uint32_t *ret_code_point)
{
	const uint8_t *p = (const uint8_t *)s;
	uint8_t lo, hi;

	if (n == 0)
		return 0;

	int len = utf8_lead(p[0], &lo, &hi);
	if (len == 0 || (size_t)len > n)
		return PST_EINVAL;

	uint32_t cp = len == 1 ? p[0] : p[0] & (0x7fu >> len);
	for (int i = 1; i < len; i++) {
		if (p[i] < lo || p[i] > hi)
			return PST_EINVAL;
		cp = cp << 6 | (p[i] & 0x3f);
		lo = 0x80;
		hi = 0xbf;
	}
	*ret_code_point = cp;
	return len;
}

bool pst_utf8_valid(const char *s, size_t n)
{
	uint32_t cp;

	while (n > 0) {
		int len = pst_utf8_next(s, n, &cp);
		if (len < 0)
			return false;
		s += len;
		n -= (size_t)len;
	}
	return true;
}

int pst_utf8_put(uint32_t cp, char out[4])
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return 0;

	int len = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	for (int i = len - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (cp & 0x3f));
		cp >>= 6;
	}
	out[0] = (char)((0xf00u >> len) | cp);
	return len;
}

int pst_strlcpy(char *out, size_t out_size, const char *s)
{
	size_t n = strlen(s);

	if (out_size == 0)
		return PST_ELIMIT;

	bool fits = n < out_size;
	if (!fits)
		n = out_size - 1;
	memcpy(out, s, n);
	out[n] = '\0';
	return fits ? 0 : PST_ELIMIT;
}

int pst_parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (!s || !*s)
		return PST_EINVAL;

	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return PST_EINVAL;
		if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
			__builtin_add_overflow(v, (uint64_t)(*s - '0'), &v)) {
			/* Still say "no number" when a letter follows. */
			return strspn(s, "0123456789") == strlen(s) ? PST_ELIMIT : PST_EINVAL;
		}
	}
	if (v < min || v > max)
		return PST_ELIMIT;

	*ret = v;
	return 0;
}

int pst_parse_u32(const char *s, uint32_t min, uint32_t max, uint32_t *ret)
{
	uint64_t v;
	int rc = pst_parse_u64(s, min, max, &v);

	if (rc == 0)
		*ret = (uint32_t)v;
	return rc;
}

int pst_parse_i64(const char *s, int64_t min, int64_t max, int64_t *ret)
{
	bool negative = s && *s == '-';
	uint64_t magnitude;
	uint64_t ceiling = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
	int rc = pst_parse_u64(negative ? s + 1 : s, 0, ceiling, &magnitude);

	if (rc < 0)
		return rc;

	int64_t v = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	if (v < min || v > max)
		return PST_ELIMIT;

	*ret = v;
	return 0;
}

int pst_parse_bool(const char *s, bool *ret)
{
	static const char *const words[] = { "true", "false", "yes", "no", "on", "off", "1", "0" };

	for (size_t i = 0; s && i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(s, words[i]) == 0) {
			*ret = i % 2 == 0;
			return 0;
		}
	}
	return PST_EINVAL;
}

bool pst_str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool pst_str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

bool pst_name_valid(const char *s, size_t max)
{
	size_t n = strlen(s);
	uint32_t cp;

	if (n == 0 || n > max || s[0] == ' ' || s[n - 1] == ' ')
		return false;

	while (n > 0) {
		int len = pst_utf8_next(s, n, &cp);
		if (len < 0 || cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
			return false;
		s += len;
		n -= (size_t)len;
	}
	return true;
}
