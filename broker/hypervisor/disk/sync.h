/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Waits for the disk, shared. A journalling file system writes one commit for all who wait
 * at the same time, and a disk empties its cache once for them: so many files are synced
 * side by side, not one after the other, and nobody else's data is waited for. Any thread.
 */
#pragma once

#include <stddef.h>

/*
 * fsync of each descriptor, of a file or a folder; -1 among them is left out. ret_errors[i] gets 0 or the errno,
 * and is untouched for -1. Returns how many failed. Starts a few threads of its own and ends them.
 */
size_t sync_files(const int *fds, int *ret_errors, size_t n);
