/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The recycle bin of a datastore: what is removed goes there with a label, comes back to its
 * place when it is wanted, and ends when its time is over. Moves are renames, so the bin lies on
 * the same file system. Calls for one datastore are not made at the same time.
 *
 *	FOLDER/recycle/TOKEN/label.json    { "v", "path", "reason", "removed", "until" }
 *	FOLDER/recycle/TOKEN/item/NAME     the file or folder; it keeps its name, so that references.h sees disks
 */
#pragma once

#include "base/clock.h"
#include "base/err.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define RECYCLE_TOKEN_SIZE 17
#define RECYCLE_REASON_MAX 200 /* bytes */

struct recycle_entry {
	char token[RECYCLE_TOKEN_SIZE];
	char path[PATH_MAX];  /* where it was */
	char item[PATH_MAX];  /* where it is */
	char reason[RECYCLE_REASON_MAX + 1];
	int64_t removed_ms, until_ms; /* wall clock */
	bool is_whole; /* false: a crash came between label and item */
};

/*
 * Moves path (absolute, below folder) into the bin. now_ms and keep_ms: wall clock, milliseconds.
 * PST_ENOTFOUND, PST_EINVAL for a path that is not below folder. ret may be NULL.
 */
int recycle_put(const char *folder, const char *path, const char *reason, int64_t now_ms, int64_t keep_ms,
	struct recycle_entry *ret_entry, struct pst_err *err);

/* Moves it back; PST_ECONFLICT when something stands there now, PST_ENOTFOUND. */
int recycle_restore(const char *folder, const char *token, struct pst_err *err);

/* Each entry, borrowed for the call; what has no readable label is left out. Not 0 ends it. */
typedef int (*recycle_cb)(const struct recycle_entry *entry, void *arg, struct pst_err *err);
int recycle_list(const char *folder, recycle_cb visit, void *arg, struct pst_err *err);

/* Ends this one now. PST_ENOTFOUND, PST_EBUSY while an overlay (as in recycle_purge) stands on it. */
int recycle_end(const char *folder, const char *const *others, const char *token, struct pst_err *err);

/*
 * Ends what is over at now_ms, and half-made entries. An image that an overlay in the datastore (perhaps in the
 * bin) or in one of the others (as in references.h) still stands on stays until the next time.
 * ret_n may be NULL.
 */
int recycle_purge(const char *folder, const char *const *others, int64_t now_ms, unsigned *ret_n, struct pst_err *err);
