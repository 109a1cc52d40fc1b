/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Strict reader of HTTP/1.1 request heads. */
#include "protocol/gate/http_head.h"

#include <string.h>
#include <strings.h>

static const char *const method_names[HTTP_METHODS] = {
	[HTTP_GET] = "GET",	[HTTP_HEAD] = "HEAD",	  [HTTP_POST] = "POST",	      [HTTP_PUT] = "PUT",
	[HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS",
};

/* Fields whose second coming would let two readers disagree. */
static const char *const single_fields[] = {
	"host",	      "content-length", "transfer-encoding", "content-type", "authorization",	  "origin",	   "cookie",
	"connection", "upgrade",	"x-csrf-token",	     "if-match",     "sec-websocket-key", "last-event-id", "sec-websocket-version",
};

static bool is_token_char(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return true;
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
		return true;
	return c && strchr("!#$%&'*+-.^_`|~", c);
}

static bool is_value_char(unsigned char c)
{
	return c == '\t' || (c >= 0x20 && c != 0x7f);
}

/* RFC 3986 path and query characters; nothing that needs quoting anywhere. */
static bool is_target_char(unsigned char c)
{
	return c > 0x20 && c < 0x7f && !strchr("#\"<>\\^`{}|", c);
}

/* The length of the head with its empty line, 0 when that has not come yet. */
static size_t find_end(const char *p, size_t len)
{
	const char *at = memmem(p, len, "\r\n\r\n", 4);

	return at ? (size_t)(at - p) + 4 : 0;
}

/* Cuts the next line off (which must end with CRLF); NULL when a bare CR, LF or NUL is in it. */
static char *next_line(char **rest)
{
	char *line = *rest, *p = line;

	while (*p && *p != '\r' && *p != '\n')
		p++;
	if (p[0] != '\r' || p[1] != '\n')
		return NULL;
	*p = '\0';
	*rest = p + 2;
	return line;
}

static int parse_method(struct http_head *h, const char *name)
{
	for (int i = 0; i < HTTP_METHODS; i++)
		if (!strcmp(name, method_names[i])) {
			h->method = i;
			return 0;
		}
	return -501;
}

static int parse_target(struct http_head *h, char *target)
{
	char *q;

	if (target[0] != '/')
		return -400;
	for (const char *p = target; *p; p++)
		if (!is_target_char((unsigned char)*p))
			return -400;
	q = strchr(target, '?');
	if (q)
		*q++ = '\0';
	h->path = target;
	h->query = q ? q : "";
	return 0;
}

static int parse_request_line(struct http_head *h, char *line)
{
	char *target = strchr(line, ' ');
	char *version = target ? strchr(target + 1, ' ') : NULL;
	int rc;

	if (!version)
		return -400;
	*target++ = '\0';
	*version++ = '\0';
	if (strncmp(version, "HTTP/", 5))
		return -400;
	if (strcmp(version, "HTTP/1.1") && strcmp(version, "HTTP/1.0"))
		return -505;
	h->minor = version[7] - '0';
	rc = parse_method(h, line);
	return rc ? rc : parse_target(h, target);
}

static int parse_field(struct http_head *h, char *line)
{
	char *colon = strchr(line, ':'), *value, *end;

	if (!colon || colon == line || h->n_fields == HTTP_FIELDS_MAX)
		return colon && colon != line ? -431 : -400;
	for (char *p = line; p < colon; p++) {
		if (!is_token_char((unsigned char)*p))
			return -400;
		if (*p >= 'A' && *p <= 'Z')
			*p |= 0x20;
	}
	*colon = '\0';
	value = colon + 1;
	for (const char *p = value; *p; p++)
		if (!is_value_char((unsigned char)*p))
			return -400;
	value += strspn(value, " \t");
	end = value + strlen(value);
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	h->fields[h->n_fields++] = (struct http_field){ line, value };
	return 0;
}

static bool has_doubles(const struct http_head *h)
{
	for (size_t s = 0; s < sizeof(single_fields) / sizeof(*single_fields); s++) {
		int seen = 0;

		for (size_t i = 0; i < h->n_fields; i++)
			seen += !strcmp(h->fields[i].name, single_fields[s]);
		if (seen > 1)
			return true;
	}
	return false;
}

static int parse_length(struct http_head *h)
{
	const char *text = http_head_get(h, "content-length");
	uint64_t n = 0;

	if (http_head_get(h, "transfer-encoding"))
		return text ? -400 : -411;
	if (!text)
		return 0;
	if (!*text || strlen(text) > 15 || strspn(text, "0123456789") != strlen(text))
		return -400;
	for (const char *p = text; *p; p++)
		n = n * 10 + (uint64_t)(*p - '0');
	if (n > HTTP_BODY_MAX)
		return -413;
	h->has_length = true;
	h->length = (uint32_t)n;
	return 0;
}

static int parse_meaning(struct http_head *h)
{
	const char *host = http_head_get(h, "host"), *upgrade = http_head_get(h, "upgrade"), *expect = http_head_get(h, "expect");

	if (has_doubles(h) || (h->minor == 1 && !host))
		return -400;
	h->keep_alive = h->minor == 1 && !http_head_has_token(h, "connection", "close");
	h->is_upgrade = upgrade && h->minor == 1 && !strcasecmp(upgrade, "websocket") && http_head_has_token(h, "connection", "upgrade");
	h->expects_continue = expect && !strcasecmp(expect, "100-continue");
	return parse_length(h);
}

int http_head_parse(struct http_head *h, const void *bytes, size_t len)
{
	size_t size = find_end(bytes, len < HTTP_HEAD_MAX ? len : HTTP_HEAD_MAX);
	char *rest = h->text, *line;
	int rc;

	if (!size)
		return len >= HTTP_HEAD_MAX ? -431 : 0;
	memcpy(h->text, bytes, size);
	h->text[size] = '\0';
	h->n_fields = 0;
	h->has_length = false;
	h->length = 0;
	line = next_line(&rest);
	rc = line ? parse_request_line(h, line) : -400;
	while (!rc) {
		line = next_line(&rest);
		if (!line)
			return -400;
		if (!*line)
			break;
		rc = parse_field(h, line);
	}
	if (!rc && rest != h->text + size)
		rc = -400;
	if (!rc)
		rc = parse_meaning(h);
	return rc ? rc : (int)size;
}

const char *http_head_get(const struct http_head *h, const char *name)
{
	for (size_t i = 0; i < h->n_fields; i++)
		if (!strcmp(h->fields[i].name, name))
			return h->fields[i].value;
	return NULL;
}

bool http_head_has_token(const struct http_head *h, const char *name, const char *token)
{
	const char *p = http_head_get(h, name);
	size_t want = strlen(token);

	while (p && *p) {
		size_t len;

		p += strspn(p, " \t,");
		len = strcspn(p, " \t,");
		if (len == want && !strncasecmp(p, token, len))
			return true;
		p += len;
	}
	return false;
}

const char *http_method_name(enum http_method m)
{
	return method_names[m];
}

bool http_method_is_safe(enum http_method m)
{
	return m == HTTP_GET || m == HTTP_HEAD || m == HTTP_OPTIONS;
}
