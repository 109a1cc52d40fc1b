/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of desktops.
 */
#include "db/desktop.h"

#include "base/err.h"

#define COLUMNS                                                                            \
	"id, name, pool_id, provider_id, image_id, image_version, lifecycle, power, "      \
	"agent, lease, session, hygiene, drain, reason_code, reason_en, reason_es, "       \
	"epoch, uid, endpoint, boot, failures, created, updated, parked, host, placed_en, placed_es, probe, sleep, "  \
	"personal_phase, personal_held, personal_owner"

static void desktop_bind(struct db_query *q, const struct db_desktop *row)
{
	db_bind_text(q, row->id);
	db_bind_text(q, row->name);
	db_bind_text_or_null(q, row->pool_id);
	db_bind_text(q, row->provider_id);
	db_bind_text(q, row->image_id);
	db_bind_text(q, row->image_version);
	db_bind_text(q, row->lifecycle);
	db_bind_text(q, row->power);
	db_bind_text(q, row->agent);
	db_bind_text(q, row->lease);
	db_bind_text(q, row->session);
	db_bind_text(q, row->hygiene);
	db_bind_int(q, row->drain);
	db_bind_text(q, row->reason.code);
	db_bind_text(q, row->reason.en);
	db_bind_text(q, row->reason.es);
	db_bind_int(q, row->epoch);
	if (row->uid)
		db_bind_int(q, row->uid);
	else
		db_bind_null(q);
	db_bind_text_or_null(q, row->endpoint);
	db_bind_text(q, row->boot);
	db_bind_int(q, row->failures);
	db_bind_int(q, row->created);
	db_bind_int(q, row->updated);
	db_bind_int(q, row->parked);
	db_bind_text(q, row->host);
	db_bind_text(q, row->placed_en);
	db_bind_text(q, row->placed_es);
	db_bind_int(q, row->keyed);
	db_bind_int(q, row->probe);
	db_bind_text(q, row->sleep ? row->sleep : "awake");
	db_bind_text(q, row->personal_phase);
	db_bind_int(q, row->personal_held);
	db_bind_text(q, row->personal_owner);
}

int db_desktop_put(struct db *db, const struct db_desktop *row, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db,
	               "INSERT INTO desktops (" COLUMNS ", deleted) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
	               " ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?29, ?30, ?31, ?32, ?33, iif(?7 = 'deleted', ?23, NULL))"
	               " ON CONFLICT (id) DO UPDATE SET pool_id = excluded.pool_id, image_id = excluded.image_id,"
	               " image_version = excluded.image_version, lifecycle = excluded.lifecycle,"
	               " power = excluded.power, agent = excluded.agent, lease = excluded.lease,"
	               " session = excluded.session, hygiene = excluded.hygiene, drain = excluded.drain,"
	               " reason_code = excluded.reason_code, reason_en = excluded.reason_en,"
	               " reason_es = excluded.reason_es, epoch = max(epoch, excluded.epoch), uid = excluded.uid,"
	               " endpoint = excluded.endpoint, boot = excluded.boot, failures = excluded.failures,"
	               " updated = excluded.updated, deleted = excluded.deleted, parked = excluded.parked,"
	               " host = excluded.host, sleep = excluded.sleep, placed_en = excluded.placed_en, placed_es = excluded.placed_es,"
	               " personal_phase = excluded.personal_phase, personal_held = excluded.personal_held,"
	               " personal_owner = excluded.personal_owner,"
	               " grant_key = iif(?28, grant_key, NULL)",
	               err);
	desktop_bind(&q, row);
	return db_query_run(&q);
}

static void desktop_read(struct db_query *q, struct db_desktop *row)
{
	db_col_text(q, row->id, sizeof(row->id));
	db_col_text(q, row->name, sizeof(row->name));
	db_col_text(q, row->pool_id, sizeof(row->pool_id));
	db_col_text(q, row->provider_id, sizeof(row->provider_id));
	db_col_text(q, row->image_id, sizeof(row->image_id));
	db_col_text(q, row->image_version, sizeof(row->image_version));
	row->lifecycle = db_col_str(q);
	row->power = db_col_str(q);
	row->agent = db_col_str(q);
	row->lease = db_col_str(q);
	row->session = db_col_str(q);
	row->hygiene = db_col_str(q);
	row->drain = db_col_bool(q);
	db_col_text(q, row->reason.code, sizeof(row->reason.code));
	db_col_text(q, row->reason.en, sizeof(row->reason.en));
	db_col_text(q, row->reason.es, sizeof(row->reason.es));
	row->epoch = db_col_int(q);
	row->uid = db_col_int(q);
	db_col_text(q, row->endpoint, sizeof(row->endpoint));
	db_col_text(q, row->boot, sizeof(row->boot));
	row->failures = db_col_int(q);
	row->created = db_col_int(q);
	row->updated = db_col_int(q);
	row->parked = db_col_bool(q);
	db_col_text(q, row->host, sizeof(row->host));
	db_col_text(q, row->placed_en, sizeof(row->placed_en));
	db_col_text(q, row->placed_es, sizeof(row->placed_es));
	row->probe = db_col_bool(q);
	row->sleep = db_col_str(q);
	row->personal_phase = db_col_str(q);
	row->personal_held = db_col_bool(q);
	db_col_text(q, row->personal_owner, sizeof(row->personal_owner));
	row->keyed = db_col_bool(q);
}

int db_desktop_each(struct db *db, int (*fn)(void *arg, const struct db_desktop *row), void *arg,
                    struct pst_err *err)
{
	struct db_desktop row;
	struct db_query q;
	int stop = 0, rc;

	db_query_begin(&q, db,
	               "SELECT " COLUMNS ", grant_key IS NOT NULL FROM desktops WHERE lifecycle <> 'deleted'"
	               " ORDER BY created, name",
	               err);
	while (!stop && db_query_step(&q)) {
		desktop_read(&q, &row);
		stop = fn(arg, &row);
	}
	rc = db_query_end(&q);
	return rc < 0 ? rc : stop;
}

int db_desktop_set_enrol_hash(struct db *db, const char *id, const uint8_t hash[32], struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE desktops SET enrol_hash = ? WHERE id = ?", err);
	db_bind_blob(&q, hash, 32);
	db_bind_text(&q, id);
	return db_query_run_one(&q);
}

int db_desktop_enrol(struct db *db, const char *id, const uint8_t hash[32], const uint8_t key[32],
                     struct pst_err *err)
{
	struct db_query q;
	int rc;

	db_query_begin(&q, db,
	               "UPDATE desktops SET enrol_hash = NULL, grant_key = ?1 WHERE id = ?2 AND enrol_hash = ?3"
	               " AND lifecycle IN ('creating', 'live', 'failed')",
	               err);
	db_bind_blob(&q, key, 32);
	db_bind_text(&q, id);
	db_bind_blob(&q, hash, 32);
	rc = db_query_run_one(&q);
	if (rc == PST_ENOTFOUND)
		rc = pst_err_set(err, PST_EDENIED, "the enrolment token is wrong or was used before");
	return rc;
}

static int desktop_blob(struct db_query *q, uint8_t ret_key[32], const char *missing)
{
	bool found = db_query_step(q) && db_col_blob(q, ret_key, 32);
	int rc = db_query_end(q);

	if (rc == 0 && !found)
		rc = pst_err_set(q->err, PST_ENOTFOUND, "%s", missing);
	return rc;
}

int db_desktop_key(struct db *db, const char *id, uint8_t ret_key[32], struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT grant_key FROM desktops WHERE id = ?", err);
	db_bind_text(&q, id);
	return desktop_blob(&q, ret_key, "the desktop has not enrolled");
}

int db_enrol_key(struct db *db, uint8_t ret_key[32], struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT enrol_key FROM meta", err);
	return desktop_blob(&q, ret_key, "the database has no enrolment key");
}

int db_desktop_prune(struct db *db, int64_t before, struct pst_err *err)
{
	static const char *const steps[] = {
		"DELETE FROM sessions WHERE desktop_id IN (SELECT id FROM desktops WHERE deleted < ?)",
		"DELETE FROM assignments WHERE desktop_id IN (SELECT id FROM desktops WHERE deleted < ?)",
		"DELETE FROM tasks WHERE finished < ?",
		"DELETE FROM desktops WHERE deleted < ?",
	};
	struct db_query q;
	int rc = 0;

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps) && rc == 0; i++) {
		db_query_begin(&q, db, steps[i], err);
		db_bind_int(&q, before);
		rc = db_query_run(&q);
	}
	return rc;
}
