/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the broker asks of the datastores' recycle bins: what lies there, back with one, an end to one. Any thread; reads file systems. */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/storage/stores.h"

#include <jansson.h>

enum bin_job_kind {
	BIN_LIST,
	BIN_RESTORE,
	BIN_REMOVE,
};

struct bin_job {
	enum bin_job_kind kind;
	char datastore[PLACEMENT_NAME_SIZE]; /* restore, remove: or the provider whose own folder it is (bins.h) */
	char token[32];
};

/* op "bin_list", "bin_restore" or "bin_remove"; PST_EUNSUPPORTED for another. */
int bin_job_parse(const json_t *msg, struct bin_job *ret, struct pst_err *err);

/*
 * Returns the reply's body, owned, or NULL with err. A list is {"items": [{"datastore", "token", "kind":
 * "desktop"|"version"|"personal"|"other", "name", "reason", "removed_ms", "until_ms", "bytes"}]}; a personal disk's name is
 * OWNER/DISK. Datastores that are offline are named in "unlisted".
 */
json_t *bin_job_run(struct stores *set, const struct bin_job *job, struct pst_err *err);
