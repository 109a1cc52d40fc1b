/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads untrusted bytes with a sticky error: read all fields, test ok once. After a
 * short read every value is 0 or NULL and nothing moves any more. Borrows the data.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pst_cursor {
	const uint8_t *data;
	size_t len;
	size_t at; /* next byte to read; <= len */
	bool failed;
};

void pst_cursor_init(struct pst_cursor *c, const void *data, size_t len);

uint8_t pst_cursor_u8(struct pst_cursor *c);
uint16_t pst_cursor_be16(struct pst_cursor *c);
uint32_t pst_cursor_be32(struct pst_cursor *c);
uint64_t pst_cursor_be64(struct pst_cursor *c);
uint16_t pst_cursor_le16(struct pst_cursor *c);
uint32_t pst_cursor_le32(struct pst_cursor *c);
uint64_t pst_cursor_le64(struct pst_cursor *c);

/* Borrowed pointer to the next n bytes, alive as long as the data; NULL when short. */
const uint8_t *pst_cursor_bytes(struct pst_cursor *c, size_t n);

/* Copies the next n bytes to out; false (out zeroed) when short. */
bool pst_cursor_copy(struct pst_cursor *c, void *out, size_t n);

void pst_cursor_skip(struct pst_cursor *c, size_t n);

/* Bytes not read yet; 0 after a failure. */
size_t pst_cursor_left(const struct pst_cursor *c);

bool pst_cursor_ok(const struct pst_cursor *c);

/* For parsers: a field had an impossible value. */
void pst_cursor_fail(struct pst_cursor *c);
