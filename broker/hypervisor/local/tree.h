/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Removes a tree that somebody hostile has filled. Any thread. */
#pragma once

#include "base/err.h"

/* Directories open at a time; deeper ones are moved up first, so depth has no ceiling. */
#define TREE_DEPTH_MAX 48

/*
 * Removes path and everything below. Never follows a symbolic link, never crosses into
 * another file system (PST_EBUSY: something is mounted there). 0 when it is not there.
 */
int tree_remove(const char *path, struct pst_err *err);
