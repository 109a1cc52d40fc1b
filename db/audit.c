/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The audit: appending, reading, and checking the chain. */
#include "db/audit.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "db/db.h"

#include <string.h>

#define ROW_MAX (AUDIT_DETAIL_MAX + 2048)
#define COLUMNS \
	"seq, time, actor_kind, coalesce(actor_id, ''), actor_name, remote, kind, object_kind, object_id, detail, " \
	"prev_hash, hash"

static void put(struct pst_buf *b, const char *text)
{
	pst_buf_put_be64(b, strlen(text));
	pst_buf_put_str(b, text);
}

static int row_hash(const struct audit_row *r, uint8_t out[32])
{
	struct pst_buf b;

	pst_buf_init(&b, ROW_MAX);
	pst_buf_append(&b, r->prev_hash, sizeof(r->prev_hash));
	pst_buf_put_be64(&b, (uint64_t)r->time);
	put(&b, r->actor_kind);
	put(&b, r->actor_id);
	put(&b, r->actor_name);
	put(&b, r->remote);
	put(&b, r->kind);
	put(&b, r->object_kind);
	put(&b, r->object_id);
	put(&b, r->detail);
	bool ok = !b.failed;
	if (ok)
		pst_sha256(b.data, b.len, out);
	pst_buf_finish(&b);
	return ok ? 0 : PST_ELIMIT;
}

static void read_row(struct db_query *q, struct audit_row *r)
{
	memset(r, 0, sizeof(*r));
	r->seq = db_col_int(q);
	r->time = db_col_int(q);
	db_col_text(q, r->actor_kind, sizeof(r->actor_kind));
	db_col_text(q, r->actor_id, sizeof(r->actor_id));
	db_col_text(q, r->actor_name, sizeof(r->actor_name));
	db_col_text(q, r->remote, sizeof(r->remote));
	db_col_text(q, r->kind, sizeof(r->kind));
	db_col_text(q, r->object_kind, sizeof(r->object_kind));
	db_col_text(q, r->object_id, sizeof(r->object_id));
	db_col_text(q, r->detail, sizeof(r->detail));
	db_col_blob(q, r->prev_hash, sizeof(r->prev_hash));
	db_col_blob(q, r->hash, sizeof(r->hash));
}

static int last_hash(struct db *db, uint8_t out[32], struct pst_err *err)
{
	struct db_query q;

	memset(out, 0, 32);
	db_query_begin(&q, db, "SELECT hash FROM events ORDER BY seq DESC LIMIT 1", err);
	if (db_query_step(&q))
		db_col_blob(&q, out, 32);
	return db_query_end(&q);
}

int db_audit_last(struct db *db, int64_t *ret_seq, struct pst_err *err)
{
	struct db_query q;

	*ret_seq = 0;
	db_query_begin(&q, db, "SELECT max(seq) FROM events", err);
	if (db_query_step(&q))
		*ret_seq = db_col_int(&q);
	return db_query_end(&q);
}

static int insert(struct db *db, const struct audit_row *r, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "INSERT INTO events (time, actor_kind, actor_id, actor_name, remote, kind, "
		"object_kind, object_id, detail, prev_hash, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", err);
	db_bind_int(&q, r->time);
	db_bind_text(&q, r->actor_kind);
	db_bind_text_or_null(&q, r->actor_id);
	db_bind_text(&q, r->actor_name);
	db_bind_text(&q, r->remote);
	db_bind_text(&q, r->kind);
	db_bind_text(&q, r->object_kind);
	db_bind_text(&q, r->object_id);
	db_bind_text(&q, r->detail);
	db_bind_blob(&q, r->prev_hash, 32);
	db_bind_blob(&q, r->hash, 32);
	return db_query_run(&q);
}

int db_audit_append(struct db *db, struct audit_row *row, struct pst_err *err)
{
	int rc = last_hash(db, row->prev_hash, err);

	if (rc < 0)
		return rc;
	rc = row_hash(row, row->hash);
	if (rc < 0)
		return pst_err_set(err, rc, "the audit event '%s' is too long", row->kind);
	rc = insert(db, row, err);
	if (rc < 0)
		return rc;
	return db_audit_last(db, &row->seq, err);
}

#define SPAN "seq > ?1 AND seq < ?2 AND "
#define OF_KIND "(?3 = '' OR kind = ?3 OR (substr(?3, -1) = '.' AND substr(kind, 1, length(?3)) = ?3)) "
#define BY_ACTOR "(?5 = '' OR actor_id = ?5) "
#define SELECT "SELECT " COLUMNS " FROM events WHERE "
#define OLDEST "ORDER BY seq LIMIT ?6"
#define NEWEST "ORDER BY seq DESC LIMIT ?6"

/*
 * An index gives those of one object, or of one actor, in their order; the rest is a filter. With the wishes as "= '' OR" alone the few events of
 * one desktop would be looked for in all that there are. ?4 stands in each, so that all are bound alike.
 */
static const char *const lists[3][2] = {
	{SELECT SPAN OF_KIND "AND ?4 = '' AND " BY_ACTOR NEWEST, SELECT SPAN OF_KIND "AND ?4 = '' AND " BY_ACTOR OLDEST},
	{SELECT "object_id = ?4 AND " SPAN OF_KIND "AND " BY_ACTOR NEWEST, SELECT "object_id = ?4 AND " SPAN OF_KIND "AND " BY_ACTOR OLDEST},
	{SELECT "actor_id = ?5 AND " SPAN OF_KIND "AND ?4 = '' " NEWEST, SELECT "actor_id = ?5 AND " SPAN OF_KIND "AND ?4 = '' " OLDEST},
};

int db_audit_list(struct db *db, const struct audit_filter *f, int limit, db_audit_visit visit, void *arg,
	struct pst_err *err)
{
	struct db_query q;
	struct audit_row r;

	db_query_begin(&q, db, lists[*f->object ? 1 : *f->actor ? 2 : 0][f->oldest_first], err);
	db_bind_int(&q, f->after);
	db_bind_int(&q, f->before);
	db_bind_text(&q, f->kind);
	db_bind_text(&q, f->object);
	db_bind_text(&q, f->actor);
	db_bind_int(&q, limit);
	while (db_query_step(&q)) {
		read_row(&q, &r);
		visit(&r, arg);
	}
	return db_query_end(&q);
}

static const char *row_fault(const struct audit_row *r, const struct audit_verdict *v)
{
	uint8_t hash[32];

	if (r->seq != v->last_seq + 1)
		return "an event is missing before this one";
	if (memcmp(r->prev_hash, v->last_hash, 32) != 0)
		return "it does not follow the event before it";
	if (row_hash(r, hash) < 0 || memcmp(hash, r->hash, 32) != 0)
		return "its content was changed after it was written";
	return NULL;
}

int db_audit_verify(struct db *db, struct audit_verdict *state, int limit, bool *ret_done, struct pst_err *err)
{
	struct db_query q;
	struct audit_row r;
	int seen = 0;

	db_query_begin(&q, db, "SELECT " COLUMNS " FROM events WHERE seq > ? ORDER BY seq LIMIT ?", err);
	db_bind_int(&q, state->last_seq);
	db_bind_int(&q, limit);
	while (state->ok && db_query_step(&q)) {
		read_row(&q, &r);
		seen++;
		state->what = row_fault(&r, state);
		if (state->what) {
			state->ok = false;
			state->broken_seq = r.seq;
			break;
		}
		state->events++;
		state->last_seq = r.seq;
		memcpy(state->last_hash, r.hash, 32);
	}
	*ret_done = !state->ok || seen < limit;
	return db_query_end(&q);
}
