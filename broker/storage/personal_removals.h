/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Users' own disks that are to be removed: each is a row that says so, and the provisioner is asked, one after the
 * other, until the disk lies in the recycle bin. One that a desktop still holds waits for that. Loop thread only.
 */
#pragma once

#include "broker/storage/ops.h"

#include <uv.h>

struct db;
struct personal_removals;

/* db and ops are borrowed. Returns owned; NULL with err. */
struct personal_removals *personal_removals_create(uv_loop_t *loop, struct db *db, const struct storage_ops *ops, void *arg,
	struct pst_err *err);
void personal_removals_destroy(struct personal_removals *r);

/* A row has been marked; also looked for by itself, every half minute. */
void personal_removals_kick(struct personal_removals *r);
/* The provisioner is there, or there again. */
void personal_removals_connected(struct personal_removals *r);
void personal_removals_gone(struct personal_removals *r);
