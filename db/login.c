/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Log-ins, tokens, idempotency keys: typed queries. */
#include "db/login.h"

#include "base/err.h"
#include "db/db.h"

#include <stdlib.h>
#include <string.h>

int db_login_insert(struct db *db, const struct login_row *l, const uint8_t hash[32], struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "INSERT INTO logins (id, token_hash, kind, user_id, pool_id, csrf, remote, agent, "
		"created, seen, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", err);
	db_bind_text(&q, l->id);
	db_bind_blob(&q, hash, 32);
	db_bind_text(&q, l->kind);
	db_bind_text(&q, l->user_id);
	db_bind_text_or_null(&q, l->pool_id);
	db_bind_text(&q, l->csrf);
	db_bind_text(&q, l->remote);
	db_bind_text(&q, l->agent);
	db_bind_int(&q, l->created);
	db_bind_int(&q, l->seen);
	db_bind_int(&q, l->expires);
	return db_query_run(&q);
}

static void read_owner(struct db_query *q, struct login_owner *o)
{
	db_col_text(q, o->user_id, sizeof(o->user_id));
	db_col_text(q, o->user_name, sizeof(o->user_name));
	db_col_text(q, o->display_name, sizeof(o->display_name));
	db_col_text(q, o->locale, sizeof(o->locale));
	o->is_admin = strcmp(db_col_str(q), "admin") == 0;
}

#define OWNER "u.id, u.name, u.display_name, u.locale, u.role "

static int found_or_not(struct db_query *q, bool found, const char *what)
{
	struct pst_err *err = q->err;
	int rc = db_query_end(q);

	if (rc < 0)
		return rc;
	return found ? 0 : pst_err_set(err, PST_ENOTFOUND, "%s", what);
}

int db_login_find(struct db *db, const char *kind, const uint8_t hash[32], int64_t now, int64_t idle_since,
	struct login_row *ret, struct login_owner *ret_owner, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT l.id, l.kind, coalesce(l.pool_id, ''), l.csrf, l.remote, l.agent, l.created, "
		"l.seen, l.expires, " OWNER "FROM logins l JOIN users u ON u.id = l.user_id WHERE l.token_hash = ? "
		"AND l.kind = ? AND l.expires > ? AND l.seen > ? AND u.enabled = 1", err);
	db_bind_blob(&q, hash, 32);
	db_bind_text(&q, kind);
	db_bind_int(&q, now);
	db_bind_int(&q, idle_since);
	bool found = db_query_step(&q);
	if (found) {
		memset(ret, 0, sizeof(*ret));
		db_col_text(&q, ret->id, sizeof(ret->id));
		db_col_text(&q, ret->kind, sizeof(ret->kind));
		db_col_text(&q, ret->pool_id, sizeof(ret->pool_id));
		db_col_text(&q, ret->csrf, sizeof(ret->csrf));
		db_col_text(&q, ret->remote, sizeof(ret->remote));
		db_col_text(&q, ret->agent, sizeof(ret->agent));
		ret->created = db_col_int(&q);
		ret->seen = db_col_int(&q);
		ret->expires = db_col_int(&q);
		read_owner(&q, ret_owner);
		memcpy(ret->user_id, ret_owner->user_id, sizeof(ret->user_id));
	}
	return found_or_not(&q, found, "the log-in is over: log in again");
}

int db_login_seen(struct db *db, const char *id, int64_t now, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE logins SET seen = ? WHERE id = ?", err);
	db_bind_int(&q, now);
	db_bind_text(&q, id);
	return db_query_run(&q);
}

int db_login_delete(struct db *db, const char *id, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM logins WHERE id = ?", err);
	db_bind_text(&q, id);
	return db_query_run(&q);
}

int db_login_delete_all(struct db *db, const char *user_id, const char *except, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM logins WHERE (?1 IS NULL OR user_id = ?1) AND (?2 IS NULL OR id <> ?2)",
		err);
	db_bind_text(&q, user_id);
	db_bind_text(&q, except);
	return db_query_run(&q);
}

int db_login_sweep(struct db *db, int64_t now, int64_t idle_since, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM logins WHERE expires <= ? OR seen <= ?", err);
	db_bind_int(&q, now);
	db_bind_int(&q, idle_since);
	return db_query_run(&q);
}

int db_login_is_live(struct db *db, const char *login_id, const char *token_id, int64_t now, int64_t idle_since,
	bool *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT 1 FROM logins l JOIN users u ON u.id = l.user_id WHERE l.id = ?1 AND "
		"l.expires > ?3 AND l.seen > ?4 AND u.enabled = 1 UNION ALL SELECT 1 FROM api_tokens t JOIN users u ON "
		"u.id = t.user_id WHERE t.id = ?2 AND (t.expires IS NULL OR t.expires > ?3) AND u.enabled = 1", err);
	db_bind_text(&q, login_id);
	db_bind_text(&q, token_id);
	db_bind_int(&q, now);
	db_bind_int(&q, idle_since);
	bool found = db_query_step(&q);
	int rc = db_query_end(&q);
	if (rc == 0)
		*ret = found;
	return rc;
}

int db_login_count(struct db *db, int64_t now, int64_t *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT count(*) FROM logins WHERE kind = 'web' AND expires > ?", err);
	db_bind_int(&q, now);
	if (db_query_step(&q))
		*ret = db_col_int(&q);
	return db_query_end(&q);
}

int db_token_insert(struct db *db, const struct token_row *t, const uint8_t hash[32], struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "INSERT INTO api_tokens (id, token_hash, user_id, name, expires, created) "
		"VALUES (?, ?, ?, ?, ?, ?)", err);
	db_bind_text(&q, t->id);
	db_bind_blob(&q, hash, 32);
	db_bind_text(&q, t->user_id);
	db_bind_text(&q, t->name);
	if (t->expires)
		db_bind_int(&q, t->expires);
	else
		db_bind_null(&q);
	db_bind_int(&q, t->created);
	return db_query_run(&q);
}

static void read_token(struct db_query *q, struct token_row *t)
{
	memset(t, 0, sizeof(*t));
	db_col_text(q, t->id, sizeof(t->id));
	db_col_text(q, t->user_id, sizeof(t->user_id));
	db_col_text(q, t->name, sizeof(t->name));
	t->last_used = db_col_int(q);
	t->expires = db_col_int(q);
	t->created = db_col_int(q);
}

#define TOKEN "t.id, t.user_id, t.name, t.last_used, t.expires, t.created "

int db_token_find(struct db *db, const uint8_t hash[32], int64_t now, struct token_row *ret,
	struct login_owner *ret_owner, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT " TOKEN ", " OWNER "FROM api_tokens t JOIN users u ON u.id = t.user_id "
		"WHERE t.token_hash = ? AND (t.expires IS NULL OR t.expires > ?) AND u.enabled = 1", err);
	db_bind_blob(&q, hash, 32);
	db_bind_int(&q, now);
	bool found = db_query_step(&q);
	if (found) {
		read_token(&q, ret);
		read_owner(&q, ret_owner);
	}
	return found_or_not(&q, found, "the token is unknown or over: make a new one");
}

int db_token_used(struct db *db, const char *id, int64_t now, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE api_tokens SET last_used = ? WHERE id = ?", err);
	db_bind_int(&q, now);
	db_bind_text(&q, id);
	return db_query_run(&q);
}

int db_token_list(struct db *db, const char *user_id, int limit, db_token_visit visit, void *arg,
	struct pst_err *err)
{
	struct db_query q;
	struct token_row t;

	db_query_begin(&q, db, "SELECT " TOKEN "FROM api_tokens t WHERE t.user_id = ? ORDER BY t.created LIMIT ?", err);
	db_bind_text(&q, user_id);
	db_bind_int(&q, limit);
	while (db_query_step(&q)) {
		read_token(&q, &t);
		visit(&t, arg);
	}
	return db_query_end(&q);
}

int db_token_delete(struct db *db, const char *user_id, const char *id, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM api_tokens WHERE id = ? AND user_id = ?", err);
	db_bind_text(&q, id);
	db_bind_text(&q, user_id);
	return db_query_run_one(&q);
}

int db_token_delete_all(struct db *db, const char *user_id, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM api_tokens WHERE ?1 IS NULL OR user_id = ?1", err);
	db_bind_text(&q, user_id);
	return db_query_run(&q);
}

int db_idempotency_find(struct db *db, const char *user_id, const char *key, uint8_t ret_request[32], int *ret_status,
	char **ret_body, struct pst_err *err)
{
	struct db_query q;
	char *body = NULL;

	db_query_begin(&q, db, "SELECT request, status, body FROM idempotency_keys WHERE user_id = ? AND key = ?", err);
	db_bind_text(&q, user_id);
	db_bind_text(&q, key);
	bool found = db_query_step(&q);
	if (found) {
		db_col_blob(&q, ret_request, 32);
		*ret_status = (int)db_col_int(&q);
		body = strdup(db_col_str(&q));
	}
	int rc = found_or_not(&q, found, "the key is new");
	if (rc < 0 || !body) {
		free(body);
		return rc < 0 ? rc : PST_ENOMEM;
	}
	*ret_body = body;
	return 0;
}

int db_idempotency_insert(struct db *db, const char *user_id, const char *key, const uint8_t request[32], int status,
	const char *body, int64_t now, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "INSERT INTO idempotency_keys (user_id, key, request, status, body, created) "
		"VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", err);
	db_bind_text(&q, user_id);
	db_bind_text(&q, key);
	db_bind_blob(&q, request, 32);
	db_bind_int(&q, status);
	db_bind_text(&q, body);
	db_bind_int(&q, now);
	return db_query_run(&q);
}

int db_idempotency_sweep(struct db *db, int64_t before, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM idempotency_keys WHERE created < ?", err);
	db_bind_int(&q, before);
	return db_query_run(&q);
}
