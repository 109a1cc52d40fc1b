/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Recycle bins (disk/recycle.h) by name: the datastores' own, and those of folders that providers have for themselves, which have
 * the provider's name. A process has one set. Any thread; bins_lock may wait, bins_purge reads and removes files.
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/storage/stores.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BINS_MAX 32 /* of providers */

struct bin_folder {
	char name[PLACEMENT_NAME_SIZE];
	char path[900]; /* FOLDER, in which recycle/ is */
};

/* A provider's. One of the same name is replaced; of several with one folder the first is listed. PST_ECONFLICT where a datastore has the name; PST_ELIMIT, PST_EINVAL for a path that is too long. */
int bins_add(const char *name, const char *folder, struct pst_err *err);

/* The providers' ones in turn; false at the end. */
bool bins_view(size_t index, struct bin_folder *ret);

/* As stores_lock and stores_unlock, of a provider's bin too. */
bool bins_lock(struct stores *set, const char *name, char ret_path[900]);
void bins_unlock(struct stores *set, const char *name);

/* Ends what is over at now_ms in the providers' bins; the datastores see to theirs. Returns how much that was. */
unsigned bins_purge(int64_t now_ms);
