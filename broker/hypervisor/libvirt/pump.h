/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file that never lies on a disk: a named pipe into which a head and then the rest of another file go.
 * So many children are restored from one saved parent, each by a head of its own, and nothing is copied.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct pump;

/*
 * Makes the pipe at path (absolute; what is there goes) and a thread that fills it for whoever opens it, for one after the other and
 * for each from the beginning. head is copied; file is borrowed until pump_end, read from at on to its end. Returns owned, NULL with err.
 */
struct pump *pump_begin(const char *path, const void *head, size_t len, int file, uint64_t at, struct pst_err *err);
/* Ends the thread, whether or not anybody has read all, and removes the pipe. Accepts NULL. */
void pump_end(struct pump *p);
