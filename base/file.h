/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole small files: read with a ceiling, written so that a crash leaves old or new. */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <sys/types.h>

/* mkdir -p with mode for the last part; an existing directory is fine. */
int pst_mkdirs(const char *path, mode_t mode, struct pst_err *err);

/* Reads a whole regular file of at most max bytes, zero-terminated; returns owned (free()). */
int pst_file_read(const char *path, size_t max, char **ret_text, size_t *ret_len,
	struct pst_err *err);

/* Writes a new file, syncs it and renames it into place. */
int pst_file_write(const char *path, const void *data, size_t len, mode_t mode,
	struct pst_err *err);
