/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Landlock: which files a process may still open. */
#pragma once

#include "base/err.h"

/*
 * From here on the calling thread, and whatever it starts, opens files for reading below the directory dir_fd and nothing else; what is open
 * stays open. The process must have no_new_privs. PST_EUNSUPPORTED where the kernel has no Landlock.
 */
int pst_landlock_read_below(int dir_fd, struct pst_err *err);
