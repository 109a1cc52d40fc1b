/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which overlays stand on a file: told by the headers of all overlays in some folders (a datastore,
 * the directories of drivers), since a database may have forgotten one. Any thread.
 */
#pragma once

#include "base/err.h"

#include <limits.h>
#include <stdint.h>

struct references {
	uint32_t overlays;    /* that name the file as their backing file */
	uint32_t unreadable;  /* may be overlays, of anything */
	char first[PATH_MAX]; /* one of them, "" for none */
};

/*
 * Reads every overlay below folder and below the others (walk.h; absolute, NULL or ends with NULL, none below
 * another) and compares its backing file's name with path (absolute): by the words, and by what both are, as
 * long as they are. A folder that is not there is PST_ENOTFOUND: who knows what lies in it.
 */
int references_count(const char *folder, const char *const *others, const char *path,
	struct references *ret_references, struct pst_err *err);
