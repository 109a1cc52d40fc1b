/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SHA-256 of a whole file of any size, read in pieces. Any thread. */
#pragma once

#include "base/err.h"
#include "base/hash.h"

#include <stdbool.h>
#include <stdint.h>

/* After each piece, 0 to 10,000; false ends it with PST_ECLOSED. */
typedef bool (*digest_cb)(void *arg, uint32_t basis_points);

/* fd is borrowed, its position stays. go_on may be NULL. ret_size (bytes) may be NULL. */
int digest_file(int fd, digest_cb go_on, void *arg, char ret_hex[PST_SHA256_HEX_SIZE], uint64_t *ret_size,
	struct pst_err *err);
