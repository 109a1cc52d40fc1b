/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * db/: opening, migrations, transactions, errors, and the rules that the schema
 * itself holds.
 *
 * Covers: db/users.c db/host.c
 */
#include "base/err.h"
#include "db/audit.h"
#include "db/db_priv.h"
#include "db/host.h"
#include "db/image.h"
#include "db/migrate.h"
#include "db/provider.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/puesto-test-db-XXXXXX";
static char path[64];

static void make_dir(void)
{
	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/t.db", dir);
}

static void drop_dir(void)
{
	char cmd[96];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	cr_assert_eq(system(cmd), 0);
}

TestSuite(db, .init = make_dir, .fini = drop_dir);

static struct db *open_new(void)
{
	struct pst_err err = PST_ERR_INIT;
	struct db *db;

	cr_assert_eq(db_open(path, &db, &err), 0, "%s", err.text);
	cr_assert_eq(db_migrate(db, &err), 0, "%s", err.text);
	return db;
}

static int run(struct db *db, const char *sql)
{
	struct pst_err err = PST_ERR_INIT;
	struct db_query q;

	db_query_begin(&q, db, sql, &err);
	return db_query_run(&q);
}

Test(db, a_new_file_is_private_and_gets_the_whole_schema)
{
	struct db *db = open_new();
	struct stat st;
	int64_t generation = 0;

	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0600);
	cr_expect_geq(db_schema_version(db), 1);
	cr_expect_eq(db_generation(db, &generation, NULL), 0);
	cr_expect_eq(generation, 1);
	cr_expect_eq(db_generation_bump(db, NULL), 0);
	db_generation(db, &generation, NULL);
	cr_expect_eq(generation, 2);
	db_close(db);
	db = open_new(); /* a second time changes nothing */
	db_generation(db, &generation, NULL);
	cr_expect_eq(generation, 2);
	db_close(db);
}

Test(db, a_newer_schema_is_refused_in_words)
{
	struct pst_err err = PST_ERR_INIT;
	struct db *db = open_new();
	sqlite3 *raw;

	db_close(db);
	sqlite3_open(path, &raw);
	sqlite3_exec(raw, "PRAGMA user_version=9999", NULL, NULL, NULL);
	sqlite3_close(raw);
	cr_assert_eq(db_open(path, &db, &err), 0);
	cr_expect_eq(db_migrate(db, &err), PST_EUNSUPPORTED);
	cr_expect(strstr(err.text, "9999") && strstr(err.text, "restore"), "%s", err.text);
	db_close(db);
}

Test(db, a_file_that_is_no_database_is_an_error)
{
	struct pst_err err = PST_ERR_INIT;
	struct db *db;
	FILE *f = fopen(path, "w");

	for (int i = 0; i < 1000; i++)
		fputs("not a database ", f);
	fclose(f);
	cr_expect_lt(db_open(path, &db, &err), 0);
	cr_expect(strstr(err.text, "damaged"), "%s", err.text);
}

Test(db, values_come_back_as_they_went_in)
{
	struct pst_err err = PST_ERR_INIT;
	struct db *db = open_new();
	struct db_query q;
	uint8_t hash[32], back[32];
	char name[8];

	memset(hash, 0xa5, sizeof(hash));
	cr_assert_eq(run(db, "CREATE TEMP TABLE t (a TEXT, b INTEGER, c BLOB, d TEXT)"), 0);
	db_query_begin(&q, db, "INSERT INTO t VALUES (?, ?, ?, ?)", &err);
	db_bind_text(&q, "ñandú");
	db_bind_int(&q, INT64_MAX);
	db_bind_blob(&q, hash, sizeof(hash));
	db_bind_text_or_null(&q, "");
	cr_assert_eq(db_query_run_one(&q), 0);

	db_query_begin(&q, db, "SELECT a, b, c, d FROM t", &err);
	cr_assert(db_query_step(&q));
	db_col_text(&q, name, sizeof(name));
	cr_expect_str_eq(name, "ñandú");
	cr_expect_eq(db_col_int(&q), INT64_MAX);
	cr_expect(db_col_blob(&q, back, sizeof(back)));
	cr_expect_eq(memcmp(hash, back, 32), 0);
	cr_expect(db_col_is_null(&q));
	cr_expect_str_eq(db_col_str(&q), "");
	cr_expect_not(db_query_step(&q));
	cr_expect_eq(db_query_end(&q), 0);

	db_query_begin(&q, db, "SELECT a FROM t", &err);
	cr_assert(db_query_step(&q));
	db_col_text(&q, name, 4);
	cr_expect_eq(db_query_end(&q), PST_ELIMIT);

	db_query_begin(&q, db, "UPDATE t SET b = 1 WHERE a = 'nobody'", &err);
	cr_expect_eq(db_query_run_one(&q), PST_ENOTFOUND);
	db_close(db);
}

Test(db, a_rollback_leaves_nothing)
{
	struct db *db = open_new();
	int64_t n = 0;

	cr_assert_eq(db_begin(db, NULL), 0);
	cr_expect(db_in_transaction(db));
	db_generation_bump(db, NULL);
	db_rollback(db);
	db_rollback(db);
	cr_expect_not(db_in_transaction(db));
	db_generation(db, &n, NULL);
	cr_expect_eq(n, 1);
	db_close(db);
}

Test(db, a_full_disk_is_named_and_passes)
{
	struct pst_err err = PST_ERR_INIT;
	struct db *db = open_new();
	struct db_query q;

	db_query_begin(&q, db, "PRAGMA max_page_count=100", &err);
	cr_assert_eq(db_query_run(&q), 0);
	cr_assert_eq(run(db, "CREATE TABLE big (b BLOB)"), 0);
	db_query_begin(&q, db, "INSERT INTO big VALUES (zeroblob(1000000))", &err);
	cr_expect_eq(db_query_run(&q), PST_ENOSPC, "%s", err.text);
	cr_expect(strstr(err.text, "make room"), "%s", err.text);
	cr_expect_not(db_in_transaction(db));
	cr_expect_eq(db_generation_bump(db, NULL), 0);
	db_close(db);
}

#define U "INSERT INTO users (id, name, created, updated) VALUES "
#define A "INSERT INTO assignments (id, desktop_id, pool_id, user_id, user_name, kind, epoch, created) VALUES "
#define S "INSERT INTO sessions (id, assignment_id, desktop_id, protocol, epoch, granted) VALUES "
#define T "INSERT INTO tasks (id, kind, desktop_id, state, created, updated) VALUES "

Test(db, the_schema_itself_holds_the_invariants)
{
	static const char *const good[] = {
		U "('u1', 'ana', 1, 1), ('u2', 'bea', 1, 1)",
		"INSERT INTO providers (id, name, created, updated) VALUES ('pr', 'local', 1, 1)",
		"INSERT INTO images (id, name, created, updated) VALUES ('im', 'demo', 1, 1)",
		"INSERT INTO pools (id, name, provider_id, image_id, created, updated) VALUES ('po', 'demo', 'pr', 'im', 1, 1)",
		"INSERT INTO desktops (id, name, pool_id, provider_id, image_id, image_version, lifecycle, created, updated)"
		" VALUES ('d1', 'demo-1', 'po', 'pr', 'im', '1', 'live', 1, 1), ('d2', 'demo-2', 'po', 'pr', 'im', '1', 'live', 1, 1)",
		A "('a1', 'd1', 'po', 'u1', 'ana', 'floating', 5, 1)",
		S "('s1', 'a1', 'd1', 'ws', 5, 1)",
		T "('t1', 'create', 'd1', 'sent', 1, 1)",
	};
	static const struct {
		const char *sql;
		int code;
	} bad[] = {
		{ U "('u3', 'ANA', 1, 1)", PST_ECONFLICT },
		{ A "('a2', 'd1', 'po', 'u2', 'bea', 'floating', 6, 1)", PST_ECONFLICT },  /* two owners */
		{ A "('a3', 'd2', 'po', 'u1', 'ana', 'floating', 6, 1)", PST_ECONFLICT },  /* two desktops */
		{ A "('a4', 'd9', 'po', 'u2', 'bea', 'floating', 6, 1)", PST_EINVAL },     /* of nothing */
		{ S "('s2', 'a1', 'd1', 'rdp', 6, 1)", PST_ECONFLICT },                    /* two viewers */
		{ T "('t2', 'destroy', 'd1', 'pending', 1, 1)", PST_ECONFLICT },           /* two tasks */
		{ "UPDATE desktops SET session = 'connected' WHERE id = 'd2'", PST_EINVAL }, /* of a free desktop */
		{ "UPDATE desktops SET lifecycle = 'lively' WHERE id = 'd2'", PST_EINVAL },
		{ "UPDATE desktops SET endpoint = '{' WHERE id = 'd2'", PST_EINVAL },
		{ "UPDATE pools SET min_size = 3 WHERE id = 'po'", PST_EINVAL },
		{ "INSERT INTO tickets VALUES (zeroblob(31), 'u1', 'd1', 'po', NULL, 'ws', 1, '', 1, 1)", PST_EINVAL },
		{ "INSERT INTO entitlements (id, pool_id, created) VALUES ('e', 'po', 1)", PST_EINVAL },
	};
	struct db *db = open_new();

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		cr_assert_eq(run(db, good[i]), 0, "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_expect_eq(run(db, bad[i].sql), bad[i].code, "%s", bad[i].sql);
	/* Once it has ended, the next owner may come; with a used epoch never. */
	cr_expect_eq(run(db, "UPDATE assignments SET state = 'ended', ended = 2 WHERE id = 'a1'"), 0);
	cr_expect_eq(run(db, A "('a5', 'd1', 'po', 'u2', 'bea', 'floating', 5, 1)"), PST_ECONFLICT);
	cr_expect_eq(run(db, A "('a6', 'd1', 'po', 'u2', 'bea', 'floating', 7, 1)"), 0);
	db_close(db);
}

Test(db, what_has_only_a_past_can_be_deleted_and_what_is_needed_is_named)
{
	static const char *const rows[] = {
		"INSERT INTO providers (id, name, created, updated) VALUES ('pr', 'local', 1, 1)",
		"INSERT INTO images (id, name, created, updated) VALUES ('im', 'demo', 1, 1)",
		"INSERT INTO pools (id, name, provider_id, image_id, created, updated) VALUES ('po', 'lab', 'pr', 'im', 1, 1)",
		"INSERT INTO desktops (id, name, provider_id, image_id, image_version, lifecycle, created, updated, deleted)"
		" VALUES ('d1', 'lab-1', 'pr', 'im', '1', 'live', 1, 1, NULL), ('d2', 'lab-2', 'pr', 'im', '1', 'deleted', 1, 1, 2)",
	};
	struct db *db = open_new();
	struct db_users users;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_assert_eq(run(db, rows[i]), 0, "%s", rows[i]);
	cr_assert_eq(db_provider_users(db, "pr", &users, NULL), 0);
	cr_expect_str_eq(users.pools, "lab");
	cr_expect_str_eq(users.desktops, "lab-1");
	cr_expect_eq(db_provider_delete(db, "pr", NULL), PST_EINVAL);
	cr_assert_eq(run(db, "DELETE FROM pools"), 0);
	cr_expect_eq(db_image_delete(db, "im", NULL), PST_EINVAL);
	cr_assert_eq(run(db, "UPDATE desktops SET lifecycle = 'deleted', deleted = 2"), 0);
	cr_assert_eq(db_image_users(db, "im", &users, NULL), 0);
	cr_expect_str_empty(users.pools);
	cr_expect_str_empty(users.desktops);
	cr_expect_eq(db_image_delete(db, "im", NULL), 0);
	cr_expect_eq(db_provider_delete(db, "pr", NULL), 0);
	db_close(db);
}

/* The file as the first release left it, with a desktop that is referred to. */
Test(db, a_file_of_the_first_schema_is_brought_up_to_date)
{
	static const char *const rows[] = {
		"PRAGMA foreign_keys=ON",
		"INSERT INTO providers (id, name, created, updated) VALUES ('pr', 'local', 1, 1)",
		"INSERT INTO images (id, name, created, updated) VALUES ('im', 'demo', 1, 1)",
		"INSERT INTO desktops (id, name, provider_id, image_id, image_version, lifecycle, created, updated)"
		" VALUES ('d1', 'lab-1', 'pr', 'im', '1', 'live', 1, 1)",
		"INSERT INTO assignments (id, desktop_id, user_name, kind, epoch, created) VALUES ('a', 'd1', 'ana', 'floating', 5, 1)",
		"PRAGMA user_version=1",
	};
	struct pst_err err = PST_ERR_INIT;
	struct db *db;

	cr_assert_eq(db_open(path, &db, &err), 0, "%s", err.text);
	cr_assert_eq(db_exec(db, db_migrations[0].sql, &err), 0, "%s", err.text);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_assert_eq(db_exec(db, rows[i], &err), 0, "%s", err.text);
	cr_assert_eq(db_migrate(db, &err), 0, "%s", err.text);
	cr_expect_gt(db_schema_version(db), 1);
	cr_expect_eq(run(db, "INSERT INTO pools (id, name, provider_id, image_id, network, created, updated) VALUES ('p1', 'a', 'pr', 'im', 'office', 1, 1)"), 0,
		     "a network by name");
	cr_expect_lt(run(db, "UPDATE pools SET network = 'a b'"), 0);
	cr_expect_lt(run(db, "UPDATE pools SET network = ''"), 0);
	cr_expect_eq(run(db, "DELETE FROM pools"), 0);
	cr_expect_eq(run(db, "DELETE FROM desktops"), PST_EINVAL, "the assignment still refers to it");
	cr_expect_eq(run(db, "DELETE FROM providers"), PST_EINVAL);
	db_close(db);
}

struct hosts_seen {
	int n, at_once, total;
};

static int host_seen(void *arg, const struct db_host *row)
{
	struct hosts_seen *s = arg;

	cr_expect_str_eq(row->provider, "local");
	cr_expect_str_eq(row->by, "ana", "who began it");
	s->n++;
	s->at_once = row->at_once;
	s->total = row->total;
	return 0;
}

Test(db, a_maintenance_goes_with_its_provider)
{
	struct db_host row = { .provider_id = "pr", .host = "kvm1", .by = "ana", .at_once = 1, .total = 5, .created = 1 };
	struct hosts_seen s = { 0 };
	struct pst_err err = PST_ERR_INIT;
	struct db *db;

	cr_assert_eq(db_open(path, &db, &err), 0, "%s", err.text);
	cr_assert_eq(db_migrate(db, &err), 0, "%s", err.text);
	cr_assert_lt(db_host_put(db, &row, &err), 0, "there is no such provider");
	cr_assert_eq(run(db, "INSERT INTO providers (id, name, created, updated) VALUES ('pr', 'local', 1, 1)"), 0);
	cr_assert_eq(db_host_put(db, &row, &err), 0, "%s", err.text);
	row.at_once = 4;
	row.by[0] = '\0';
	cr_assert_eq(db_host_put(db, &row, &err), 0, "%s", err.text);
	cr_assert_eq(db_host_each(db, host_seen, &s, &err), 0);
	cr_expect(s.n == 1 && s.at_once == 4 && s.total == 5);
	cr_expect_eq(db_host_delete(db, "pr", "kvm9", &err), 0);
	cr_expect_eq(run(db, "DELETE FROM providers"), 0);
	s.n = 0;
	cr_assert_eq(db_host_each(db, host_seen, &s, &err), 0);
	cr_expect_eq(s.n, 0);
	db_close(db);
}

Test(db, the_audit_is_append_only)
{
	struct db *db = open_new();

	cr_assert_eq(run(db, "INSERT INTO events (time, actor_kind, kind, prev_hash, hash)"
	                     " VALUES (1, 'system', 'x', zeroblob(32), randomblob(32))"), 0);
	cr_expect_lt(run(db, "UPDATE events SET kind = 'y'"), 0);
	cr_expect_lt(run(db, "DELETE FROM events"), 0);
	db_close(db);
}

struct events_seen {
	int n;
	int64_t last;
	bool falls, rises;
};

static void event_seen(const struct audit_row *row, void *arg)
{
	struct events_seen *s = arg;

	s->rises &= row->seq > s->last;
	s->falls &= !s->n || row->seq < s->last;
	s->last = row->seq;
	s->n++;
}

Test(db, events_are_found_by_what_they_are_about_who_did_it_and_their_kind)
{
	static const struct {
		struct audit_filter f;
		int n;
	} cases[] = {
		{ { .kind = "", .object = "", .actor = "", .before = INT64_MAX }, 12 },
		{ { .kind = "", .object = "d1", .actor = "", .before = INT64_MAX }, 4 },
		{ { .kind = "", .object = "d1", .actor = "", .after = 6, .before = INT64_MAX, .oldest_first = true }, 2 },
		{ { .kind = "", .object = "d1", .actor = "", .before = 6 }, 2 },
		{ { .kind = "", .object = "", .actor = "ana", .before = INT64_MAX }, 6 },
		{ { .kind = "", .object = "", .actor = "ana", .after = 2, .before = INT64_MAX, .oldest_first = true }, 5 },
		{ { .kind = "", .object = "d1", .actor = "ana", .before = INT64_MAX }, 2 },
		{ { .kind = "desktop.made", .object = "", .actor = "", .before = INT64_MAX }, 6 },
		{ { .kind = "desktop.", .object = "d2", .actor = "", .before = INT64_MAX }, 4 },
		{ { .kind = "desktop.made", .object = "d2", .actor = "bob", .before = INT64_MAX }, 1 },
		{ { .kind = "pool.", .object = "", .actor = "ana", .before = INT64_MAX }, 0 },
	};
	struct pst_err err = PST_ERR_INIT;
	struct db *db = open_new();

	for (int i = 0; i < 12; i++) {
		struct audit_row row = { .time = 1, .actor_kind = "user", .object_kind = "desktop", .detail = "{}" };

		snprintf(row.actor_id, sizeof(row.actor_id), "%s", i % 2 ? "bob" : "ana");
		snprintf(row.kind, sizeof(row.kind), "desktop.%s", i % 4 < 2 ? "made" : "gone");
		snprintf(row.object_id, sizeof(row.object_id), "d%d", i % 3);
		cr_assert_eq(db_audit_append(db, &row, &err), 0, "%s", err.text);
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct events_seen s = { .falls = true, .rises = true };

		cr_assert_eq(db_audit_list(db, &cases[i].f, 100, event_seen, &s, &err), 0, "%s", err.text);
		cr_expect_eq(s.n, cases[i].n, "case %zu: %d", i, s.n);
		cr_expect(cases[i].f.oldest_first ? s.rises : s.falls, "case %zu", i);
	}
	db_close(db);
}
