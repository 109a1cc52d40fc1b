/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small strict readers of three headers; anything unexpected is a "no". */
#include "broker/auth/cookie.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_token_char(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_';
}

bool cookie_find(const char *header, char out[COOKIE_VALUE_SIZE])
{
	static const char name[] = COOKIE_NAME "=";
	const char *at = header;

	while (at && *at) {
		at += strspn(at, " \t;");
		size_t len = strcspn(at, ";");

		if (len == sizeof(name) - 1 + COOKIE_VALUE_SIZE - 1 && strncmp(at, name, sizeof(name) - 1) == 0) {
			const char *value = at + sizeof(name) - 1;
			size_t good = 0;

			while (good < COOKIE_VALUE_SIZE - 1 && is_token_char(value[good]))
				good++;
			if (good == COOKIE_VALUE_SIZE - 1) {
				memcpy(out, value, good);
				out[good] = '\0';
				return true;
			}
		}
		at += len;
	}
	return false;
}

void cookie_format(const char *token, char *out, size_t out_size)
{
	snprintf(out, out_size, COOKIE_NAME "=%s; Path=/; Secure; HttpOnly; SameSite=Strict%s", token,
		*token ? "" : "; Max-Age=0");
}

/* The name without its port and brackets; false when it is not a host. */
static bool host_name(const char *host, char *out, size_t out_size)
{
	size_t len;

	if (*host == '[') {
		len = strcspn(++host, "]");
		if (host[len] != ']' || (host[len + 1] && host[len + 1] != ':'))
			return false;
	} else {
		len = strcspn(host, ":");
	}
	if (len == 0 || len >= out_size)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)host[i]) && !strchr(".-_:%", host[i]))
			return false;
	}
	memcpy(out, host, len);
	out[len] = '\0';
	return true;
}

static bool is_address(const char *name)
{
	unsigned char buf[16];

	return inet_pton(AF_INET, name, buf) == 1 || inet_pton(AF_INET6, name, buf) == 1;
}

bool host_is_allowed(const char *host, const char *allowed)
{
	char name[256];

	if (!host || !host_name(host, name, sizeof(name)))
		return false;
	if (is_address(name) || strcasecmp(name, "localhost") == 0)
		return true;
	for (const char *at = allowed; *at;) {
		at += strspn(at, ", ");
		size_t len = strcspn(at, ", ");

		if ((len == 1 && *at == '*') || (len == strlen(name) && strncasecmp(at, name, len) == 0))
			return true;
		at += len;
	}
	return false;
}

bool origin_matches(const char *origin, const char *host)
{
	static const char scheme[] = "https://";

	if (!origin || !host || strncasecmp(origin, scheme, sizeof(scheme) - 1) != 0)
		return false;
	origin += sizeof(scheme) - 1;
	if (strcasecmp(origin, host) == 0)
		return true;
	/* A browser leaves out the default port in both; a client may write it in one. */
	size_t len = strlen(origin);
	return (strncasecmp(origin, host, len) == 0 && strcmp(host + len, ":443") == 0) ||
		(strncasecmp(host, origin, strlen(host)) == 0 && strcmp(origin + strlen(host), ":443") == 0);
}
