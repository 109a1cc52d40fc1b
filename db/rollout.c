/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of roll-outs, and the times of versions.
 */
#include "db/rollout.h"

#include "base/err.h"

#define COLUMNS                                                                                          \
	"id, image_id, version, previous, phase, paused, canary, canary_s, unavailable, max_failures, "  \
	"samples, slower, kept, "                                                                        \
	"force_at, tries, failures, logons, logons_failed, reason_code, reason_en, reason_es, by_name, " \
	"created, since, updated"

static void rollout_bind(struct db_query *q, const struct db_rollout *row)
{
	db_bind_text(q, row->id);
	db_bind_text(q, row->image_id);
	db_bind_text(q, row->version);
	db_bind_text(q, row->previous);
	db_bind_text(q, row->phase);
	db_bind_int(q, row->paused);
	db_bind_int(q, row->canary);
	db_bind_int(q, row->canary_s);
	db_bind_int(q, row->unavailable);
	db_bind_int(q, row->max_failures);
	db_bind_int(q, row->samples);
	db_bind_int(q, row->slower);
	db_bind_int(q, row->kept);
	db_bind_int(q, row->force_at);
	db_bind_int(q, row->tries);
	db_bind_int(q, row->failures);
	db_bind_int(q, row->logons);
	db_bind_int(q, row->logons_failed);
	db_bind_text(q, row->reason.code);
	db_bind_text(q, row->reason.en);
	db_bind_text(q, row->reason.es);
	db_bind_text(q, row->by);
	db_bind_int(q, row->created);
	db_bind_int(q, row->since);
	db_bind_int(q, row->updated);
}

int db_rollout_put(struct db *db, const struct db_rollout *row, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db,
		"INSERT INTO rollouts (" COLUMNS
		") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
		" ON CONFLICT (id) DO UPDATE SET previous = excluded.previous, phase = excluded.phase, paused = excluded.paused, canary = "
		"excluded.canary,"
		" canary_s = excluded.canary_s, unavailable = excluded.unavailable, max_failures = "
		"excluded.max_failures,"
		" samples = excluded.samples, slower = excluded.slower, kept = excluded.kept, force_at = "
		"excluded.force_at,"
		" tries = excluded.tries, failures = excluded.failures, logons = excluded.logons,"
		" logons_failed = excluded.logons_failed, reason_code = excluded.reason_code, reason_en = "
		"excluded.reason_en,"
		" reason_es = excluded.reason_es, since = excluded.since, updated = excluded.updated",
		err);
	rollout_bind(&q, row);
	return db_query_run(&q);
}

static void rollout_read(struct db_query *q, struct db_rollout *row)
{
	db_col_text(q, row->id, sizeof(row->id));
	db_col_text(q, row->image_id, sizeof(row->image_id));
	db_col_text(q, row->version, sizeof(row->version));
	db_col_text(q, row->previous, sizeof(row->previous));
	db_col_text(q, row->phase, sizeof(row->phase));
	row->paused = db_col_bool(q);
	row->canary = db_col_int(q);
	row->canary_s = db_col_int(q);
	row->unavailable = db_col_int(q);
	row->max_failures = db_col_int(q);
	row->samples = db_col_int(q);
	row->slower = db_col_int(q);
	row->kept = db_col_bool(q);
	row->force_at = db_col_int(q);
	row->tries = db_col_int(q);
	row->failures = db_col_int(q);
	row->logons = db_col_int(q);
	row->logons_failed = db_col_int(q);
	db_col_text(q, row->reason.code, sizeof(row->reason.code));
	db_col_text(q, row->reason.en, sizeof(row->reason.en));
	db_col_text(q, row->reason.es, sizeof(row->reason.es));
	db_col_text(q, row->by, sizeof(row->by));
	row->created = db_col_int(q);
	row->since = db_col_int(q);
	row->updated = db_col_int(q);
}

int db_rollout_each_last(
	struct db *db, int (*fn)(void *arg, const struct db_rollout *row), void *arg, struct pst_err *err)
{
	struct db_rollout row;
	struct db_query q;
	int stop = 0, rc;

	db_query_begin(&q, db,
		"SELECT " COLUMNS
		" FROM rollouts AS r WHERE r.rowid = (SELECT max(l.rowid) FROM rollouts AS l"
		" WHERE l.image_id = r.image_id) ORDER BY r.rowid",
		err);
	while (!stop && db_query_step(&q)) {
		rollout_read(&q, &row);
		stop = fn(arg, &row);
	}
	rc = db_query_end(&q);
	return rc < 0 ? rc : stop;
}

int db_rollout_list(struct db *db, const char *image_id, void (*fn)(const struct db_rollout *row, void *arg),
	void *arg, struct pst_err *err)
{
	struct db_rollout row;
	struct db_query q;

	db_query_begin(&q, db,
		"SELECT " COLUMNS " FROM rollouts WHERE image_id = ? ORDER BY rowid DESC LIMIT ?", err);
	db_bind_text(&q, image_id);
	db_bind_int(&q, DB_ROLLOUTS_MAX);
	while (db_query_step(&q)) {
		rollout_read(&q, &row);
		fn(&row, arg);
	}
	return db_query_end(&q);
}

int db_time_add(struct db *db, const struct db_time *row, struct pst_err *err)
{
	static const char *const steps[] = {
		"INSERT INTO version_times (image_id, version, kind, ms) VALUES (?1, ?2, ?3, ?4)",
		"DELETE FROM version_times WHERE image_id = ?1 AND version = ?2 AND kind = ?3 AND seq <= "
		"(SELECT seq FROM version_times"
		" WHERE image_id = ?1 AND version = ?2 AND kind = ?3 ORDER BY seq DESC LIMIT 1 OFFSET ?4)",
	};
	const int64_t last[] = { row->ms, DB_TIMES_KEPT };
	struct db_query q;
	int rc = 0;

	for (int i = 0; i < 2 && rc == 0; i++) {
		db_query_begin(&q, db, steps[i], err);
		db_bind_text(&q, row->image_id);
		db_bind_text(&q, row->version);
		db_bind_text(&q, row->kind);
		db_bind_int(&q, last[i]);
		rc = db_query_run(&q);
	}
	return rc;
}

int db_time_each(
	struct db *db, int (*fn)(void *arg, const struct db_time *row), void *arg, struct pst_err *err)
{
	struct db_time row;
	struct db_query q;
	int stop = 0, rc;

	db_query_begin(&q, db, "SELECT image_id, version, kind, ms FROM version_times ORDER BY seq", err);
	while (!stop && db_query_step(&q)) {
		db_col_text(&q, row.image_id, sizeof(row.image_id));
		db_col_text(&q, row.version, sizeof(row.version));
		db_col_text(&q, row.kind, sizeof(row.kind));
		row.ms = db_col_int(&q);
		stop = fn(arg, &row);
	}
	rc = db_query_end(&q);
	return rc < 0 ? rc : stop;
}
