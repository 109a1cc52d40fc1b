/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What people and things may be called. Pure. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define NAME_MAX_CHARS 64
#define NAME_MAX_BYTES (NAME_MAX_CHARS * 4)

/*
 * Any text of 1-64 characters without control or invisible direction characters, and without
 * space at its ends. what ("user", "group") starts the sentence of the error.
 */
int name_check(const char *what, const char *name, struct pst_err *err);

/* For names that become parts of paths, host names and URLs: [A-Za-z0-9._-], starts with one of
 * the first two kinds, 1-64. */
int slug_check(const char *what, const char *name, struct pst_err *err);

/* A log-in name may also not hold '#': it parts the user from the pool in RDP and VNC. */
int username_check(const char *name, struct pst_err *err);

/*
 * "ana#pool" into user and pool (empty without '#'). PST_EINVAL when a part does not fit or
 * is no name.
 */
int username_split(const char *text, char *ret_user, size_t user_size, char *ret_pool,
	size_t pool_size);
