/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of roll-outs, and the times of versions that they are judged by.
 */
#pragma once

#include "db/db.h"
#include "db/row.h"

#define DB_ROLLOUTS_MAX 50 /* of one image; older ones are not listed */
#define DB_TIMES_KEPT 32   /* of one version and kind */

struct db_rollout {
	char id[DB_ID_SIZE], image_id[DB_ID_SIZE], version[DB_WORD_SIZE], previous[DB_WORD_SIZE];
	char phase[DB_WORD_SIZE], by[DB_NAME_SIZE];
	bool paused, kept;
	int64_t canary, canary_s, unavailable, max_failures, samples, slower, force_at;
	int64_t tries, failures, logons, logons_failed;
	struct db_reason reason;
	int64_t created, since, updated; /* wall milliseconds */
};

/* Writes the row, new or not. PST_ECONFLICT: the image has another one that goes on. */
int db_rollout_put(struct db *db, const struct db_rollout *row, struct pst_err *err);
/* Of each image the newest. row is borrowed for the call. */
int db_rollout_each_last(
	struct db *db, int (*fn)(void *arg, const struct db_rollout *row), void *arg, struct pst_err *err);
/* Of one image, newest first. */
int db_rollout_list(struct db *db, const char *image_id, void (*fn)(const struct db_rollout *row, void *arg),
	void *arg, struct pst_err *err);

struct db_time {
	char image_id[DB_ID_SIZE], version[DB_WORD_SIZE], kind[DB_WORD_SIZE];
	int64_t ms;
};

/* Adds it, and forgets what is older than the last DB_TIMES_KEPT of its kind. */
int db_time_add(struct db *db, const struct db_time *row, struct pst_err *err);
/* In the order of their coming. */
int db_time_each(
	struct db *db, int (*fn)(void *arg, const struct db_time *row), void *arg, struct pst_err *err);
