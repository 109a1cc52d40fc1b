/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The log-in cookie, and who may call from a browser: Host and Origin. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define COOKIE_NAME "__Host-puesto"
#define COOKIE_TOKEN_BYTES 32
#define COOKIE_VALUE_SIZE 44 /* base64url of 32 bytes and a zero */

/* Finds our cookie in a Cookie header; false when it is not there or not shaped like ours. */
bool cookie_find(const char *header, char out[COOKIE_VALUE_SIZE]);

/* The Set-Cookie value; token "" makes the browser forget it. */
void cookie_format(const char *token, char *out, size_t out_size);

/*
 * host is the Host header ("name", "name:port", "[v6]:port"). allowed is a comma-separated
 * list of names, without ports; "*" allows all. IP literals and localhost are always good:
 * a page of another site cannot make a browser send one of those for its own name.
 */
bool host_is_allowed(const char *host, const char *allowed);

/* True when the origin is https:// and exactly this host header. */
bool origin_matches(const char *origin, const char *host);
