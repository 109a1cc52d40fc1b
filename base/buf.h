/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A growing byte buffer that is born with a ceiling. Failure is sticky: append all
 * fields, then test `failed` once. A failed buffer keeps what it had and ignores
 * further appends until reset.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pst_buf {
	uint8_t *data; /* NULL until the first byte; moves when the buffer grows */
	size_t len;
	size_t cap;
	size_t max;  /* ceiling of len, in bytes */
	bool failed; /* the ceiling was hit or memory ran out */
};

void pst_buf_init(struct pst_buf *b, size_t max);

/* Frees the bytes; the struct may be initialised again. Accepts a zeroed struct. */
void pst_buf_finish(struct pst_buf *b);

/* Empties and clears `failed`, keeps the memory. */
void pst_buf_reset(struct pst_buf *b);

/* The same, and memory above keep bytes is given back: for buffers that are large now and then. */
void pst_buf_reset_to(struct pst_buf *b, size_t keep);

/* Makes room for n more bytes and returns where they go (len unchanged); NULL on failure. */
uint8_t *pst_buf_reserve(struct pst_buf *b, size_t n);

/* Adds n reserved bytes to len. */
void pst_buf_commit(struct pst_buf *b, size_t n);

/* All return 0 or PST_ELIMIT / PST_ENOMEM, which also sets `failed`. */
int pst_buf_append(struct pst_buf *b, const void *p, size_t n);
int pst_buf_put_str(struct pst_buf *b, const char *s);
int pst_buf_put_zero(struct pst_buf *b, size_t n);
int pst_buf_put_u8(struct pst_buf *b, uint8_t v);
int pst_buf_put_be16(struct pst_buf *b, uint16_t v);
int pst_buf_put_be32(struct pst_buf *b, uint32_t v);
int pst_buf_put_be64(struct pst_buf *b, uint64_t v);
int pst_buf_put_le16(struct pst_buf *b, uint16_t v);
int pst_buf_put_le32(struct pst_buf *b, uint32_t v);
int pst_buf_put_le64(struct pst_buf *b, uint64_t v);
int pst_buf_printf(struct pst_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int pst_buf_vprintf(struct pst_buf *b, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

/* Overwrites 4 bytes at offset at (< len - 3), for lengths known later. */
void pst_buf_poke_be32(struct pst_buf *b, size_t at, uint32_t v);
void pst_buf_poke_le32(struct pst_buf *b, size_t at, uint32_t v);

/* Drops n bytes (<= len) from the front. */
void pst_buf_consume(struct pst_buf *b, size_t n);

/* Terminates with a zero byte (not counted in len); "" when empty, NULL on failure. */
const char *pst_buf_cstr(struct pst_buf *b);
