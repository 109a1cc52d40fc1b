/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the provisioner is told about a desktop's disk beside its commands, and the way back of a deleted desktop. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct core_actor;
struct pst_err;
struct reconciler;
struct recycled_row;

/* Part of a provider_command. */
struct recycling {
	const char *pool; /* its name, for whoever places a disk; NULL when it is not known */
	int64_t keep_ms;  /* create and destroy: a used disk goes into the recycle bin for that long; 0: it is removed */
	bool is_restore;  /* create: the disk comes out of it */
};

/* One that was deleted comes back with its disk, for the user who had it. PST_ECONFLICT when he has another in that pool. */
int reconciler_restore(struct reconciler *r, const struct recycled_row *was, const struct core_actor *by, struct pst_err *err);
