/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The static files of portal, console and client: a request path becomes an open file below the web directory, or nothing. Only plain
 * names and known kinds of files are served; no dot names, no escapes, no way out of the directory (openat2 RESOLVE_BENEATH), no listings.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define WEBFILE_SIZE_MAX (64 * 1024 * 1024)

struct webfile {
	int fd;
	uint64_t size;
	const char *mime; /* static */
	bool is_page;     /* text/html */
	bool is_gzip;     /* NAME.js.gz or .css.gz, a bundle (web/bundle.py): compressed, and its name tells its content, so it never changes */
	char etag[40];    /* with its quotes */
};

/*
 * path is the request's, starting with '/'. Returns 0 with *ret open (the caller closes ret->fd), or a negative HTTP
 * status: -404 unknown, -308 when the path is a folder's name without its slash, -403 for a kind that is not served.
 */
int webfile_open(int web_dir_fd, const char *path, struct webfile *ret);

/* The MIME type by a file name's extension, NULL when that kind is not served: of a compressed one, what is in it. */
const char *webfile_mime(const char *name);
