/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Display sessions as people look at them, newest first. The core writes these rows. */
#pragma once

#include <stdint.h>

struct db;
struct pst_err;

struct viewer_row {
	char id[37];
	char user_id[37], user_name[257], desktop_id[37], desktop_name[257], pool_id[37], pool_name[257];
	char protocol[8], state[16], remote[64], gateway[65];
	char end_code[65], end_reason[512], end_reason_es[512]; /* the Spanish may be missing */
	char stats[4096]; /* JSON */
	int64_t epoch, granted, started, ended;
};

struct viewer_filter {
	const char *state;               /* a word, "live", or "" */
	const char *user, *desktop, *pool; /* ids, "" is any */
	const char *part;                /* of the name of the user or of the desktop, "" is any */
	int64_t before;                  /* granted before; INT64_MAX: from the newest */
	const char *before_id;           /* and, at the same time, id before */
};

typedef void (*db_viewer_visit)(const struct viewer_row *v, void *arg);

int db_viewer_get(struct db *db, const char *id, struct viewer_row *ret, struct pst_err *err);
int db_viewer_list(struct db *db, const struct viewer_filter *f, int limit, db_viewer_visit visit, void *arg,
	struct pst_err *err);
