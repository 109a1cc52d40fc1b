/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A zlib stream that lives as long as a connection and is flushed after every rectangle. */
#pragma once

#include <zlib.h>

#include "base/buf.h"
#include "base/err.h"

struct zstream {
	z_stream z;
	bool is_open;
	int level;
};

/* level 1…9. PST_ENOMEM when zlib cannot start. */
int zstream_open(struct zstream *s, int level, struct pst_err *err);
/* For what a filter leaves of photos: Huffman codes and runs, without a search for what came before. */
int zstream_open_residues(struct zstream *s, struct pst_err *err);
/* Accepts a zeroed struct. */
void zstream_close(struct zstream *s);
/* Another level for what comes; levels 4 to 9 may follow each other without a flush. */
void zstream_set_level(struct zstream *s, int level);
/*
 * Compresses n bytes into out; after a flush the reader can show all of them. It is a partial flush (an empty
 * block of 10 bits): a sync flush would cost every rectangle 3 to 4 bytes more.
 */
int zstream_write(struct zstream *s, const uint8_t *data, size_t n, bool flush, struct pst_buf *out,
	struct pst_err *err);
