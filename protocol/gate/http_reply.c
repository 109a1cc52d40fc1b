/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Response heads. */
#include "protocol/gate/http_reply.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char security_fields[] =
	"Content-Security-Policy: default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; "
	"connect-src 'self'; worker-src 'self'; font-src 'self'; media-src 'self' blob:; manifest-src 'self'; frame-ancestors 'none'; "
	"base-uri 'none'; form-action 'self'\r\n"
	"Strict-Transport-Security: max-age=63072000\r\n"
	"X-Content-Type-Options: nosniff\r\n"
	"X-Frame-Options: DENY\r\n"
	"Referrer-Policy: no-referrer\r\n"
	"Cross-Origin-Opener-Policy: same-origin\r\n"
	"Cross-Origin-Embedder-Policy: require-corp\r\n"
	"Cross-Origin-Resource-Policy: same-origin\r\n"
	"Permissions-Policy: camera=(), microphone=(), geolocation=(), clipboard-read=(self), clipboard-write=(self), fullscreen=(self)\r\n";

const char *http_status_text(int status)
{
	static const struct {
		int status;
		const char *text;
	} known[] = {
		{ 100, "Continue" },
		{ 101, "Switching Protocols" },
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 304, "Not Modified" },
		{ 308, "Permanent Redirect" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 411, "Length Required" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 421, "Misdirected Request" },
		{ 422, "Unprocessable Content" },
		{ 426, "Upgrade Required" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
		{ 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (known[i].status == status)
			return known[i].text;
	return "Status";
}

static bool is_value(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

bool http_reply_field(struct pst_buf *b, const char *name, const char *value)
{
	if (!is_value(value))
		return false;
	pst_buf_put_str(b, name);
	pst_buf_put_str(b, ": ");
	pst_buf_put_str(b, value);
	pst_buf_put_str(b, "\r\n");
	return true;
}

void http_reply_begin(struct pst_buf *b, const struct http_reply *r)
{
	pst_buf_printf(b, "HTTP/1.1 %d %s\r\n", r->status, http_status_text(r->status));
	pst_buf_put_str(b, security_fields);
	if (r->is_chunked)
		pst_buf_put_str(b, "Transfer-Encoding: chunked\r\n");
	else if (r->length != HTTP_LENGTH_UNKNOWN && r->status != 304 && r->status != 204)
		pst_buf_printf(b, "Content-Length: %" PRIu64 "\r\n", r->length);
	if (!r->keep_alive)
		pst_buf_put_str(b, "Connection: close\r\n");
	if (r->type)
		http_reply_field(b, "Content-Type", r->type);
	if (r->is_gzip)
		pst_buf_put_str(b, "Content-Encoding: gzip\r\n");
	http_reply_field(b, "Cache-Control", r->cache ? r->cache : "no-store");
	if (r->etag)
		http_reply_field(b, "ETag", r->etag);
	if (r->location)
		http_reply_field(b, "Location", r->location);
	if (r->retry_after)
		pst_buf_printf(b, "Retry-After: %" PRIu32 "\r\n", r->retry_after);
}

void http_reply_end(struct pst_buf *b)
{
	pst_buf_put_str(b, "\r\n");
}

void http_problem(struct pst_buf *b, int status, const char *code, const char *title_en, const char *title_es)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:i, s:s}", "type", "about:blank", "title", title_en, "title_es", title_es, "status", status, "code",
			      code);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	pst_buf_put_str(b, text ? text : "{}");
	free(text);
	json_decref(o);
}
