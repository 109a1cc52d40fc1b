/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A parent's memory as all its children map it: in a file of the kernel's (memfd_create(2)) that is sealed against
 * writing for good. QEMU opens what it maps for reading and writing, so a file that a uid can open so could be
 * written by a child that was broken into, and be in all others. Here the kernel refuses. Any thread.
 */
#pragma once

#include "base/err.h"
#include "base/hash.h"

#include <stdint.h>

/*
 * Copies size bytes of file (borrowed) with its holes into a sealed one. Returns its descriptor (owned). ret_hex
 * gets a digest of what was copied, holes included.
 */
int memory_seal(int file, uint64_t size, char ret_hex[PST_SHA256_HEX_SIZE], struct pst_err *err);
