/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The head of a response with the security headers that every one of them carries. Pure: fields in, bytes appended to a buffer.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define HTTP_LENGTH_UNKNOWN UINT64_MAX /* sent in chunks, or until the connection ends for HTTP/1.0 */

struct http_reply {
	int status;
	uint64_t length;    /* of the body */
	bool keep_alive;
	bool is_chunked;
	const char *type;   /* Content-Type, NULL for none */
	bool is_gzip;       /* the body is compressed */
	const char *cache;  /* Cache-Control, NULL for no-store */
	const char *etag;   /* with quotes, or NULL */
	const char *location;
	uint32_t retry_after; /* seconds, 0 for none */
};

/* Status line and headers, without the empty line: further ones may follow by http_reply_field. */
void http_reply_begin(struct pst_buf *b, const struct http_reply *r);
/* One more header. Values with control characters are left out (and false comes back): nothing from outside splits a response. */
bool http_reply_field(struct pst_buf *b, const char *name, const char *value);
void http_reply_end(struct pst_buf *b);

const char *http_status_text(int status);

/* An application/problem+json body with our words for a status; code is snake_case. */
void http_problem(struct pst_buf *b, int status, const char *code, const char *title_en, const char *title_es);
