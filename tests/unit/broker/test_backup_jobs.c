/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Back-ups that are due, asked for until they have ended, and what their ends leave in the rows. Covers: db/backup.c */
#include "broker/storage/backup_jobs.h"

#include "base/clock.h"
#include "base/json.h"
#include "broker/storage/backup_row.h"
#include "db/db.h"
#include "tests/unit/broker/storage_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define DESKTOP "40000000-0000-4000-8000-000000000001"
#define POOL "50000000-0000-4000-8000-000000000001"
#define HOUR_MS INT64_C(3600000)

static struct storage_world w;
static struct backup_jobs *jobs;

static void run(const char *sql)
{
	struct pst_err err = PST_ERR_INIT;
	struct db_query q;

	db_query_begin(&q, w.db, sql, &err);
	cr_assert_eq(db_query_run(&q), 0, "%s: %s", sql, err.text);
}

static void make(void)
{
	struct pst_err err = PST_ERR_INIT;

	storage_world_open(&w);
	run("INSERT INTO providers (id, name, created, updated) VALUES ('60000000-0000-4000-8000-000000000001', 'vm', 1, 1)");
	run("INSERT INTO pools (id, name, kind, provider_id, image_id, max_size, backup_every_h, created, updated) VALUES ('" POOL "', 'own', 'dedicated', "
		"'60000000-0000-4000-8000-000000000001', '" WORLD_IMAGE "', 1, 24, 1, 1)");
	run("INSERT INTO users (id, name, created, updated) VALUES ('70000000-0000-4000-8000-000000000001', 'ana', 1, 1)");
	run("INSERT INTO desktops (id, name, pool_id, provider_id, image_id, image_version, lifecycle, lease, hygiene, epoch, created, updated) VALUES ('" DESKTOP
		"', 'own-1', '" POOL "', '60000000-0000-4000-8000-000000000001', '" WORLD_IMAGE "', '7', 'live', 'held', 'dirty', 3, 1, 1)");
	run("INSERT INTO assignments (id, desktop_id, pool_id, user_id, user_name, kind, epoch, created) VALUES ('80000000-0000-4000-8000-000000000001', '" DESKTOP
		"', '" POOL "', '70000000-0000-4000-8000-000000000001', 'ana', 'dedicated', 3, 1)");
	jobs = backup_jobs_create(&w.loop, w.db, &storage_world_ops, &w, &err);
	cr_assert(jobs, "%s", err.text);
}

static void drop(void)
{
	backup_jobs_destroy(jobs);
	storage_world_close(&w);
}

TestSuite(backup_jobs, .init = make, .fini = drop);

static void tell(json_t *msg)
{
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(backup_jobs_told(jobs, msg, &err), 0, "%s", err.text);
	json_decref(msg);
}

static json_t *made(const char *task, const char *id, const char *parent, int64_t at)
{
	return json_pack("{s:s, s:s, s:s, s:[], s:{s:s, s:s, s:s, s:s, s:I, s:I, s:I}}", "task", task, "state", "done", "datastore", "vault", "removed", "made",
		"id", id, "parent", parent, "kind", *parent ? "incremental" : "full", "reason", *parent ? "due" : "first", "made_ms", (json_int_t)at, "bytes",
		(json_int_t)1000, "disk_size", (json_int_t)2000);
}

static void last_row(const struct backup_row *b, void *arg)
{
	*(struct backup_row *)arg = *b;
}

/* The newest, or zeroed. */
static struct backup_row newest(void)
{
	struct backup_row b = {.created = 0};

	db_backup_list(w.db, DESKTOP, "", 1, last_row, &b, NULL);
	return b;
}

static void count_one(const char *id, void *arg)
{
	++*(int *)arg;
}

static int due_at(int64_t now)
{
	int n = 0;

	cr_assert_eq(db_backup_due(w.db, now, 10, count_one, &n, NULL), 0);
	return n;
}

Test(backup_jobs, what_is_due_is_asked_for_once_and_again_when_its_time_comes)
{
	int64_t now = pst_wall_ms();

	w.is_connected = true;
	backup_jobs_connected(jobs);
	cr_expect_str_eq(storage_world_asked(&w, "kind"), "backup");
	cr_expect_str_eq(storage_world_asked(&w, "desktop"), DESKTOP);
	cr_expect_str_eq(storage_world_asked(&w, "user"), "ana");
	cr_expect_eq(pst_json_int(json_array_get(w.asked, 0), "every_h", 0, 99, -1), 24);
	cr_expect_eq(due_at(now), 0, "it is at work");
	storage_world_answer(&w, 0, NULL);
	struct backup_row b = newest();
	tell(made(b.job_id, "00000000000000aa", "", now));
	b = newest();
	cr_expect(strcmp(b.state, "ready") == 0 && strcmp(b.kind, "full") == 0 && b.epoch == 3 && b.bytes == 1000, "%s %s", b.state, b.kind);
	cr_expect_str_eq(storage_world_events(&w), "backup.made");
	cr_expect_eq(due_at(now + 23 * HOUR_MS), 0);
	cr_expect_eq(due_at(now + 25 * HOUR_MS), 1);
	run("UPDATE desktops SET hygiene = 'clean'");
	cr_expect_eq(due_at(now + 25 * HOUR_MS), 0, "nobody has used it");
	run("UPDATE desktops SET hygiene = 'dirty'");
	run("UPDATE pools SET backup_every_h = 0");
	cr_expect_eq(due_at(now + 25 * HOUR_MS), 0);
}

Test(backup_jobs, a_provider_without_back_ups_is_left_alone)
{
	w.is_connected = w.carries_none = true;
	backup_jobs_connected(jobs);
	cr_expect_eq(json_array_size(w.asked), 0);
}

Test(backup_jobs, a_failure_is_told_once_and_tried_again)
{
	int64_t now = pst_wall_ms();

	w.is_connected = true;
	backup_jobs_connected(jobs);
	storage_world_answer(&w, 0, NULL);
	tell(json_pack("{s:s, s:s, s:{s:s, s:s}}", "task", newest().job_id, "state", "failed", "error", "code", "busy", "title", "datastore vault is offline"));
	cr_expect_str_eq(newest().state, "failed");
	cr_expect_eq(due_at(now + 5 * 60000), 0);
	cr_expect_eq(due_at(now + 11 * 60000), 1);
	run("UPDATE backups SET updated = 1, created = 1");
	backup_jobs_sweep(jobs);
	storage_world_answer(&w, 0, NULL);
	tell(json_pack("{s:s, s:s, s:{s:s, s:s}}", "task", newest().job_id, "state", "failed", "error", "code", "busy", "title", "datastore vault is offline"));
	cr_expect_str_eq(storage_world_events(&w), "backup.failed", "the second is no news: %s", storage_world_events(&w));
	struct backup_row b = newest();
	cr_expect(b.created > 1 && strcmp(b.error, "datastore vault is offline") == 0);
	run("UPDATE backups SET updated = 1, created = 1");
	backup_jobs_sweep(jobs);
	storage_world_answer(&w, 0, NULL);
	tell(made(newest().job_id, "00000000000000aa", "", now));
	cr_expect_str_eq(newest().state, "ready");
	run("DELETE FROM backups WHERE state = 'ready'");
	cr_expect_eq(newest().created, 0, "failed ones go with the first that is made");
}

static struct backup_row ready(const char *kind)
{
	struct pst_err err = PST_ERR_INIT;
	struct backup_row b;

	cr_assert_eq(db_backup_of_desktop(w.db, DESKTOP, &b, &err), 0, "%s", err.text);
	backup_row_begin(&b, "backup", "admin");
	strcpy(b.state, "ready");
	strcpy(b.file, "00000000000000aa");
	strcpy(b.datastore, "vault");
	b.made = 1;
	backup_row_begin(&b, kind, "admin");
	cr_assert_eq(db_backup_put(w.db, &b, &err), 0, "%s", err.text);
	backup_jobs_begin(jobs, &b);
	return b;
}

Test(backup_jobs, a_rebuilt_disk_brings_its_desktop_back)
{
	run("UPDATE pools SET backup_every_h = 0");
	w.is_connected = true;
	backup_jobs_connected(jobs);
	struct backup_row b = ready("rebuild");
	cr_expect_str_eq(storage_world_asked(&w, "backup"), "00000000000000aa");
	storage_world_answer(&w, 0, NULL);
	cr_expect_eq(w.restored, 0);
	tell(json_pack("{s:s, s:s, s:s, s:[], s:n}", "task", b.job_id, "state", "done", "datastore", "vault", "removed", "made"));
	cr_expect_eq(w.restored, 1);
	cr_expect_str_eq(storage_world_events(&w), "backup.restored");
	cr_expect(strcmp(newest().job_state, "done") == 0 && strcmp(newest().state, "ready") == 0);
}

static const struct backup_row *rebuilt(int refused, bool is_there)
{
	static struct backup_row b;

	run("UPDATE pools SET backup_every_h = 0");
	w.is_connected = true;
	backup_jobs_connected(jobs);
	b = ready("rebuild");
	storage_world_answer(&w, 0, NULL);
	w.restore_error = refused;
	w.carries_none = !is_there;
	tell(json_pack("{s:s, s:s, s:s, s:[], s:n}", "task", b.job_id, "state", "done", "datastore", "vault", "removed", "made"));
	b = newest();
	return &b;
}

Test(backup_jobs, a_desktop_that_does_not_come_back_is_no_restore)
{
	const struct backup_row *b = rebuilt(PST_ELIMIT, false);

	cr_expect_str_eq(storage_world_events(&w), "backup.restore_failed");
	cr_expect_str_eq(b->job_state, "failed");
	cr_expect_str_eq(b->error_code, pst_code_word(PST_ELIMIT));
	cr_expect_str_eq(b->error, "the pool is full");
	cr_expect_str_eq(b->state, "ready", "the back-up is there for another try");
}

/* A crash between the two is told of the end again. */
Test(backup_jobs, a_desktop_that_is_back_already_is_restored)
{
	const struct backup_row *b = rebuilt(PST_ECONFLICT, true);

	cr_expect_str_eq(storage_world_events(&w), "backup.restored");
	cr_expect_str_eq(b->job_state, "done");
}

Test(backup_jobs, it_comes_back_before_that_is_written)
{
	struct backup_row b;
	struct pst_err err = PST_ERR_INIT;
	json_t *msg;

	run("UPDATE pools SET backup_every_h = 0");
	w.is_connected = true;
	backup_jobs_connected(jobs);
	b = ready("rebuild");
	storage_world_answer(&w, 0, NULL);
	run("PRAGMA query_only = 1"); /* as a full disk */
	msg = json_pack("{s:s, s:s, s:s, s:[], s:n}", "task", b.job_id, "state", "done", "datastore", "vault", "removed", "made");
	cr_expect_lt(backup_jobs_told(jobs, msg, &err), 0);
	cr_expect_eq(w.restored, 1);
	run("PRAGMA query_only = 0");
	w.restore_error = PST_ECONFLICT;
	tell(msg);
	cr_expect_str_eq(newest().job_state, "done");
}

Test(backup_jobs, a_removed_chain_takes_its_rows_with_it)
{
	run("UPDATE pools SET backup_every_h = 0");
	w.is_connected = true;
	backup_jobs_connected(jobs);
	struct backup_row b = ready("remove");
	storage_world_answer(&w, 0, NULL);
	tell(json_pack("{s:s, s:s, s:s, s:[s], s:n}", "task", b.job_id, "state", "done", "datastore", "vault", "removed", "00000000000000aa", "made"));
	cr_expect_eq(newest().created, 0);
	cr_expect_str_eq(storage_world_events(&w), "backup.removed");
}

Test(backup_jobs, one_nobody_works_on_is_cancelled_at_once)
{
	run("UPDATE pools SET backup_every_h = 0");
	struct backup_row b = ready("restore");
	const char *step;
	int percent, n = 0;

	cr_expect_eq(db_backup_of_version(w.db, WORLD_IMAGE, "7", &n, NULL), 0);
	cr_expect_eq(n, 1, "the version is needed");
	cr_expect(backup_jobs_progress(jobs, b.id, &step, &percent));
	cr_expect(backup_jobs_cancel(jobs, b.id));
	cr_expect_str_eq(newest().job_state, "failed");
	cr_expect_str_eq(newest().state, "ready", "what it was about is still there");
	cr_expect_not(backup_jobs_cancel(jobs, b.id));
}

Test(backup_jobs, what_the_provisioner_does_not_say_is_not_believed)
{
	struct pst_err err = PST_ERR_INIT;
	json_t *msg;

	w.is_connected = true;
	backup_jobs_connected(jobs);
	storage_world_answer(&w, 0, NULL);
	msg = json_pack("{s:s, s:s, s:s, s:{s:s}}", "task", newest().job_id, "state", "done", "datastore", "vault", "made", "id", "00000000000000aa");
	cr_expect_eq(backup_jobs_told(jobs, msg, &err), PST_EPROTO);
	json_decref(msg);
	cr_expect_str_eq(newest().state, "making");
}
