/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The datastores as the provisioner tells of them, what an administrator wishes of each, and the alarms: a level
 * is told once, and the provisioner's levels do not flutter. Loop thread only.
 *
 *	            told by the provisioner            PATCH by an administrator
 *	                     │                                    │
 *	   report ◄──────────┤                        row (wishes)┤
 *	   alarm  ◄── level ─┘ as against row.told                └──► {"op": "datastore"}, also whenever a report differs
 */
#pragma once

#include "broker/storage/ops.h"
#include "db/datastore.h"

struct db;
struct datastores;

#define DATASTORES_MAX 64

/* Returns owned with what the table has; NULL with err. db and ops are borrowed. */
struct datastores *datastores_create(struct db *db, const struct storage_ops *ops, void *arg, struct pst_err *err);
void datastores_destroy(struct datastores *ds);

/* The provisioner's message "datastores": hostile in form only. PST_EPROTO, or what the database said. */
int datastores_told(struct datastores *ds, const json_t *msg, struct pst_err *err);
/* It is gone: what it told of is old. */
void datastores_gone(struct datastores *ds);

/* After its row was written or deleted: reads it anew, and tells the provisioner. */
void datastores_reload(struct datastores *ds, const char *id);

/* A datastore for whoever shows it. Borrowed until the next call that changes anything. */
struct datastore_view {
	const struct datastore_row *row;
	const json_t *report; /* the provisioner's, or NULL when it has not told of it since the broker began */
	bool is_known;        /* the report is of now */
	bool is_online, takes_images;
	const char *state;    /* ready, warning, full, maintenance, offline, unknown */
	int64_t total, free, used;
	int64_t full_s; /* until it is full, at the pace of the last week; -1: not known, or far away */
	char reason_code[24], en[400], es[400];
};

/* By id or name. False: there is none. */
bool datastores_view(const struct datastores *ds, const char *id_or_name, struct datastore_view *ret);
/* In the order of their names; index from 0. */
bool datastores_view_at(const struct datastores *ds, size_t index, struct datastore_view *ret);
