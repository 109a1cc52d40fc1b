/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Base64 in lines of 64 characters. */
#include "agent/windows/pem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define LINE_BYTES 48 /* make 64 characters */
#define LABEL_LINE 80

int pem_write(struct pst_buf *out, const char *label, const void *der, size_t len)
{
	char line[PST_BASE64_LEN(LINE_BYTES) + 1];

	pst_buf_printf(out, "-----BEGIN %s-----\n", label);
	for (size_t at = 0; at < len; at += LINE_BYTES) {
		pst_base64_encode((const uint8_t *)der + at, PST_MIN(len - at, (size_t)LINE_BYTES), line, sizeof(line));
		pst_buf_put_str(out, line);
		pst_buf_put_u8(out, '\n');
	}
	pst_buf_printf(out, "-----END %s-----\n", label);
	return pst_buf_cstr(out) ? 0 : PST_ELIMIT;
}

/* Without its line ends. Returns owned. */
static char *body_copy(const char *from, const char *to)
{
	char *body = pst_zalloc(1, (size_t)(to - from) + 1);
	size_t n = 0;

	for (; body && from < to; from++)
		if (*from != '\n' && *from != '\r')
			body[n++] = *from;
	return body;
}

int pem_read(const char *text, const char *label, struct pst_buf *out, struct pst_err *err)
{
	char begin[LABEL_LINE], end[LABEL_LINE];

	snprintf(begin, sizeof(begin), "-----BEGIN %s-----", label);
	snprintf(end, sizeof(end), "-----END %s-----", label);
	const char *from = strstr(text, begin), *to = from ? strstr(from, end) : NULL;
	if (!to)
		return pst_err_set(err, PST_EINVAL, "there is no %s in PEM", label);
	char *body = body_copy(from + strlen(begin), to);
	size_t len = body ? strlen(body) : 0;
	uint8_t *room = body ? pst_buf_reserve(out, len) : NULL;
	long n = room ? pst_base64_decode(body, len, room, len) : PST_ENOMEM;
	free(body);
	if (n <= 0)
		return pst_err_set(err, n == PST_ENOMEM ? PST_ENOMEM : PST_EINVAL, "the %s is no base64", label);
	pst_buf_commit(out, (size_t)n);
	return 0;
}
