/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How puesto-unpack tells what is in a stranger's archive. It reads with a library's large parsers, in a
 * sandbox, and may by then be the stranger's own; so this is as plain as can be, and whoever reads it trusts nothing. Pure.
 *
 *	u8 kind · u8 0 · u16 bytes of the path · u16 bytes of the link · u16 0 · u32 mode · u32 uid · u32 gid ·
 *	u64 size · u64 offset · i64 mtime · path · link · size bytes (of RECORD_FILE alone)         little endian
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_HEAD_SIZE 44
#define RECORD_PATH_MAX 1023 /* bytes */

enum record_kind {
	RECORD_FILE = 1,
	RECORD_FOLDER,
	RECORD_SYMLINK,
	RECORD_HARDLINK,
	RECORD_WHITEOUT, /* path goes, as the layers below have it */
	RECORD_OPAQUE,   /* all in the folder goes, as the layers below have it */
	RECORD_OTHER,    /* a device, a pipe, a socket: is left out */
	RECORD_MEMBER,   /* of an archive that is only listed: a file of size bytes at offset */
	RECORD_LIMIT,    /* it would be more than was allowed: nothing follows */
	RECORD_END,      /* the last one; path: the SHA-256 of what was unpacked, as digits */
	RECORD_KINDS,
};

struct record {
	enum record_kind kind;
	uint32_t mode, uid, gid;
	uint64_t size, offset;
	int64_t mtime;
	char path[RECORD_PATH_MAX + 1];
	char link[RECORD_PATH_MAX + 1];
};

/* Appends it without its content. Failure is sticky in b. */
void record_put(struct pst_buf *b, const struct record *r);

/* Takes a stream in pieces. The functions are called on the feeding thread; not 0 ends it with that. */
struct record_reader {
	int (*record)(void *arg, const struct record *r, struct pst_err *err);
	int (*content)(void *arg, const uint8_t *data, size_t len, struct pst_err *err); /* of the last RECORD_FILE */
	void *arg;
	struct record now;
	uint64_t content_left;
	size_t n; /* bytes in head */
	bool is_over;
	uint8_t head[RECORD_HEAD_SIZE + 2 * RECORD_PATH_MAX];
};

/* Zeroed but for the functions and arg before the first call. PST_EPROTO for what is no such stream. */
int record_feed(struct record_reader *r, const uint8_t *data, size_t len, struct pst_err *err);

/* After the last piece: was it whole? */
int record_finish(const struct record_reader *r, struct pst_err *err);
