/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The header of the file that `Xvfb -fbdir` draws into: where the pixels are. The desktop's own uid can write
 * that file, so it is hostile data. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Bytes that are enough for any header and colour map we accept. */
#define XWD_HEADER_MAX (64 * 1024)

struct xwd {
	uint32_t width, height,
		stride;  /* of the screen at its start: RandR shrinks within it and the stride stays */
	uint64_t offset; /* of the first pixel */
};

/* head: the file's first bytes (100 at least); file_size: all of it. Only 24 bits in 32, little-endian B G R
 * X, is accepted. */
int xwd_parse(const void *head, size_t head_len, uint64_t file_size, struct xwd *ret, struct pst_err *err);
