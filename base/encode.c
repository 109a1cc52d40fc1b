/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hex, base64, base64url and the escapes of URLs, of text.h. */
#include "base/text.h"

#include "base/err.h"

#include <stdio.h>
#include <string.h>

static const char hex_digits[] = "0123456789abcdef";
static const char b64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static long no_room(char *out, size_t out_size)
{
	if (out_size)
		out[0] = '\0';
	return PST_ELIMIT;
}

long pst_hex_encode(const void *p, size_t n, char *out, size_t out_size)
{
	const uint8_t *in = p;

	if (n >= out_size || 2 * n >= out_size)
		return no_room(out, out_size);

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = hex_digits[in[i] >> 4];
		out[2 * i + 1] = hex_digits[in[i] & 15];
	}
	out[2 * n] = '\0';
	return (long)(2 * n);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

long pst_hex_decode(const char *s, size_t n, void *out, size_t out_size)
{
	uint8_t *bytes = out;

	if (n % 2)
		return PST_EINVAL;
	if (n / 2 > out_size)
		return PST_ELIMIT;

	for (size_t i = 0; i < n / 2; i++) {
		int hi = hex_value(s[2 * i]), lo = hex_value(s[2 * i + 1]);
		if (hi < 0 || lo < 0)
			return PST_EINVAL;
		bytes[i] = (uint8_t)(hi << 4 | lo);
	}
	return (long)(n / 2);
}

static long b64_encode(const char *digits, bool pad, const void *p, size_t n, char *out,
	size_t out_size)
{
	const uint8_t *in = p;
	size_t o = 0;

	if (n > SIZE_MAX / 2 || PST_BASE64_LEN(n) >= out_size + (pad ? 0 : (3 - n % 3) % 3))
		return no_room(out, out_size);

	for (size_t i = 0; i < n; i += 3) {
		size_t have = n - i < 3 ? n - i : 3;
		uint32_t v = (uint32_t)in[i] << 16;

		v |= have > 1 ? (uint32_t)in[i + 1] << 8 : 0;
		v |= have > 2 ? in[i + 2] : 0;
		for (size_t k = 0; k < 4; k++) {
			if (k <= have)
				out[o++] = digits[v >> (18 - 6 * k) & 63];
			else if (pad)
				out[o++] = '=';
		}
	}
	out[o] = '\0';
	return (long)o;
}

long pst_base64_encode(const void *p, size_t n, char *out, size_t out_size)
{
	return b64_encode(b64_digits, true, p, n, out, out_size);
}

long pst_base64url_encode(const void *p, size_t n, char *out, size_t out_size)
{
	return b64_encode(url_digits, false, p, n, out, out_size);
}

static int b64_value(const char *digits, char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == digits[62])
		return 62;
	return c == digits[63] ? 63 : -1;
}

/* n characters without padding. */
static long b64_decode(const char *digits, const char *s, size_t n, uint8_t *out, size_t out_size)
{
	uint32_t v = 0;
	unsigned bits = 0;
	size_t o = 0;

	if (n % 4 == 1)
		return PST_EINVAL;
	if (n / 4 * 3 + (n % 4 ? n % 4 - 1 : 0) > out_size)
		return PST_ELIMIT;

	for (size_t i = 0; i < n; i++) {
		int d = b64_value(digits, s[i]);
		if (d < 0)
			return PST_EINVAL;
		v = v << 6 | (uint32_t)d;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[o++] = (uint8_t)(v >> bits);
		}
	}
	/* Stray bits would give one value two texts. */
	return v & ((1u << bits) - 1) ? PST_EINVAL : (long)o;
}

long pst_base64_decode(const char *s, size_t n, void *out, size_t out_size)
{
	if (n % 4)
		return PST_EINVAL;

	for (int pad = 0; pad < 2 && n > 0 && s[n - 1] == '='; pad++)
		n--;
	return b64_decode(b64_digits, s, n, out, out_size);
}

long pst_base64url_decode(const char *s, size_t n, void *out, size_t out_size)
{
	return b64_decode(url_digits, s, n, out, out_size);
}

bool pst_url_escape(const char *text, char *out, size_t out_size)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	size_t at = 0;

	for (; *text; text++) {
		if (at + 4 > out_size)
			return false;
		if (strchr(plain, *text))
			out[at++] = *text;
		else
			at += (size_t)snprintf(out + at, 4, "%%%02X", (unsigned char)*text);
	}
	if (at >= out_size)
		return false;
	out[at] = '\0';
	return true;
}
