/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A machine's file system follows its disk: a larger one is used while it is in use. */
#pragma once

#include <stdint.h>

/* How many blocks an ext4 of so many should have on a device of that size; 0: as many as it has, or it is not worth it. */
uint64_t grow_blocks(uint64_t device_bytes, uint32_t block_size, uint64_t blocks);
#define GROW_FAILED (-1) /* errno */
#define GROW_FOREIGN (-2) /* it is no ext4 on a device of its own */

/* Makes the ext4 at path as large as its block device. 1: it is larger now; 0: it was as large; or one of those above. */
int grow_file_system(const char *path);
