/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Paths that are put together and never silently cut. Any thread. */
#pragma once

#include "base/err.h"

#include <limits.h>

/* snprintf into out; PST_ELIMIT when it does not fit. err may be NULL. */
int path_make(char out[PATH_MAX], struct pst_err *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define PATH_MARK_SIZE 80

/* What a file is at this moment: "inode:size:time of its last change"; "-" without one. */
void path_mark(const char *path, char out[PATH_MARK_SIZE]);
