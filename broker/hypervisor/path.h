/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Paths that are put together and never silently cut. Any thread. */
#pragma once

#include "base/err.h"

#include <limits.h>

/* snprintf into out; PST_ELIMIT when it does not fit. err may be NULL. */
int path_make(char out[PATH_MAX], struct pst_err *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
