/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The agent's folder: small files that are whole or not there, and that nobody but SYSTEM may read. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define DISK_PATH_MAX 600

struct disk {
	char dir[DISK_PATH_MAX]; /* UTF-8 */
};

/* Makes the folder: dir, or NULL for ProgramData\Puesto. Whoever runs this as another account (by hand, in tests) may use it, too. */
int disk_open(struct disk *d, const char *dir, struct pst_err *err);

/* Returns owned text, terminated; PST_ENOTFOUND, PST_ELIMIT above max bytes. */
int disk_read(const struct disk *d, const char *name, size_t max, char **ret_text, size_t *ret_len, struct pst_err *err);
/* The same by a path of its own. */
int disk_read_path(const char *path, size_t max, char **ret_text, size_t *ret_len, struct pst_err *err);
/* On the disk when it returns; the earlier one or the new one, whatever happens. */
int disk_write(const struct disk *d, const char *name, const char *text, size_t len, struct pst_err *err);
void disk_remove(const struct disk *d, const char *name);
bool disk_has(const struct disk *d, const char *name);

/* DIR\NAME; PST_ELIMIT. */
int disk_path(const struct disk *d, const char *name, char out[DISK_PATH_MAX], struct pst_err *err);
