/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The head of one HTTP/1.1 request, read by strict rules (RFC 9112) into fixed space. It refuses what proxies and servers read in two
 * ways: bare line feeds, folded lines, doubled length or host, Content-Length beside Transfer-Encoding, absolute targets. Pure: bytes in, fields out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_MAX 8192   /* bytes of the request line and all header lines */
#define HTTP_FIELDS_MAX 64
#define HTTP_BODY_MAX (256 * 1024)

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS, HTTP_METHODS };

struct http_field {
	const char *name;  /* lower case, NUL-terminated */
	const char *value; /* without white space around it, NUL-terminated */
};

/* All pointers go into text, so the struct may not be copied. */
struct http_head {
	char text[HTTP_HEAD_MAX + 1];
	enum http_method method;
	const char *path;  /* as sent: starts with '/', may hold %XX */
	const char *query; /* without '?', "" when there is none */
	int minor;         /* HTTP/1.0 or 1.1 */
	bool keep_alive, is_upgrade, expects_continue, has_length;
	uint32_t length; /* of the body, at most HTTP_BODY_MAX */
	size_t n_fields;
	struct http_field fields[HTTP_FIELDS_MAX];
};

/*
 * Reads a head from the first bytes of a connection. Returns the bytes used when it is whole, 0 when more bytes are needed,
 * or the negative HTTP status of a refusal (-400, -411, -413, -414, -431, -501, -505).
 */
int http_head_parse(struct http_head *h, const void *bytes, size_t len);

/* The value of a field by its lower-case name, NULL when it is not there. */
const char *http_head_get(const struct http_head *h, const char *name);

/* True when a comma-separated field holds the token, without regard to case. */
bool http_head_has_token(const struct http_head *h, const char *name, const char *token);

const char *http_method_name(enum http_method m);
/* Methods that change nothing. */
bool http_method_is_safe(enum http_method m);
