/* SPDX-License-Identifier: GPL-3.0-or-later */
/* zlib with a partial flush, into a growing buffer. */
#include "encoder/codec/zstream.h"

#include "base/mem.h"

#define MEM_LEVEL 8 /* zlib's own */
#define STEP ((size_t)16384)

static int open_with(struct zstream *s, int level, int strategy, struct pst_err *err)
{
	if (deflateInit2(&s->z, level, Z_DEFLATED, MAX_WBITS, MEM_LEVEL, strategy) != Z_OK)
		return pst_err_set(err, PST_ENOMEM, "zlib could not start a stream: %s",
			s->z.msg ? s->z.msg : "no memory");

	s->is_open = true;
	s->level = level;
	return 0;
}

int zstream_open(struct zstream *s, int level, struct pst_err *err)
{
	return open_with(s, level, Z_DEFAULT_STRATEGY, err);
}

int zstream_open_residues(struct zstream *s, struct pst_err *err)
{
	return open_with(s, 1, Z_RLE, err);
}

void zstream_close(struct zstream *s)
{
	if (s->is_open)
		deflateEnd(&s->z);
	s->is_open = false;
}

void zstream_set_level(struct zstream *s, int level)
{
	PRE(level >= 4 && s->level >= 4);
	if (level != s->level)
		deflateParams(&s->z, level, Z_DEFAULT_STRATEGY);
	s->level = level;
}

int zstream_write(struct zstream *s, const uint8_t *data, size_t n, bool flush, struct pst_buf *out,
	struct pst_err *err)
{
	PRE(n <= UINT32_MAX);
	s->z.next_in = (Bytef *)(uintptr_t)data;
	s->z.avail_in = (uInt)n;

	/* A flush is complete when zlib leaves room in the output. */
	do {
		size_t room = PST_MAX(STEP, n / 4);
		uint8_t *at = pst_buf_reserve(out, room);

		if (!at)
			return pst_err_set(err, PST_ELIMIT, "no room for %zu compressed bytes", room);
		s->z.next_out = at;
		s->z.avail_out = (uInt)room;
		if (deflate(&s->z, flush ? Z_PARTIAL_FLUSH : Z_NO_FLUSH) == Z_STREAM_ERROR)
			return pst_err_set(err, PST_EINTERNAL, "the zlib stream is broken");
		pst_buf_commit(out, room - s->z.avail_out);
	} while (s->z.avail_out == 0);
	return 0;
}
