/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The query of a URL: "a=b&c=d%20e", at most CALL_PAIRS_MAX pairs. */
#include "broker/api/query.h"

#include "base/text.h"

#include <string.h>

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode(char *s)
{
	char *out = s, *start = s;

	for (; *s; s++) {
		char c = *s == '+' ? ' ' : *s;

		if (*s == '%') {
			int hi = hex(s[1]), lo = hi < 0 ? -1 : hex(s[2]);

			if (lo < 0)
				return false;
			c = (char)(hi * 16 + lo);
			s += 2;
		}
		if (c == '\0')
			return false;
		*out++ = c;
	}
	*out = '\0';
	return pst_utf8_valid(start, (size_t)(out - start));
}

int query_parse(char *text, struct call_pair pairs[CALL_PAIRS_MAX], size_t *ret_count)
{
	size_t n = 0;
	char *save = NULL;

	for (char *item = strtok_r(text, "&", &save); item; item = strtok_r(NULL, "&", &save)) {
		char *value = strchr(item, '=');

		if (n == CALL_PAIRS_MAX)
			return PST_ELIMIT;
		if (value)
			*value++ = '\0';
		else
			value = item + strlen(item);
		if (!decode(item) || !decode(value))
			return PST_EINVAL;
		pairs[n].name = item;
		pairs[n++].value = value;
	}
	*ret_count = n;
	return 0;
}
