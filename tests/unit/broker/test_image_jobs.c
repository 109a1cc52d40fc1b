/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Jobs on images: asked for until they have ended, and what their ends make of a version. Covers: db/image_job.c */
#include "broker/storage/image_jobs.h"

#include "base/hash.h"
#include "base/json.h"
#include "db/db.h"
#include "db/image.h"
#include "tests/unit/broker/storage_world.h"

#include <criterion/criterion.h>
#include <string.h>

#define JOB "30000000-0000-4000-8000-000000000001"

static struct storage_world w;
static struct image_jobs *jobs;

static void make(void)
{
	struct pst_err err = PST_ERR_INIT;

	storage_world_open(&w);
	jobs = image_jobs_create(&w.loop, w.db, &storage_world_ops, &w, &err);
	cr_assert(jobs, "%s", err.text);
}

static void drop(void)
{
	image_jobs_destroy(jobs);
	storage_world_close(&w);
}

TestSuite(image_jobs, .init = make, .fini = drop);

/* An import's row, as the API writes it. */
static struct image_job_row begin(void)
{
	struct image_job_row row = {.id = JOB, .version_id = WORLD_VERSION, .kind = "import", .datastore = "fast", .source = "a.img", .created = 1,
		.updated = 1};
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(db_image_job_put(w.db, &row, &err), 0, "%s", err.text);
	cr_assert_eq(db_image_job_get(w.db, JOB, &row, &err), 0, "%s", err.text);
	cr_assert_str_eq(row.image, "desk");
	image_jobs_begin(jobs, &row);
	return row;
}

static void tell(json_t *msg)
{
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(image_jobs_told(jobs, msg, &err), 0, "%s", err.text);
	json_decref(msg);
}

static json_t *done_of(const char *task)
{
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:s}", "task", task, "state", "done", "path", "/srv/fast/images/desk/7/disk.qcow2", "size",
		(json_int_t)1000, "file_size", (json_int_t)10, "sha256", "ab");
}

static const char *version_state(void)
{
	static struct version_row v;

	return db_version_get(w.db, WORLD_IMAGE, "7", &v, NULL) == 0 ? v.state : "none";
}

static bool last_repeats(void)
{
	return pst_json_bool(json_array_get(w.asked, json_array_size(w.asked) - 1), "repeat", false);
}

Test(image_jobs, an_import_that_is_done_makes_its_version_ready)
{
	struct version_files_row f;
	struct version_row v;
	const char *step = "";
	int percent = 0;

	w.is_connected = true;
	image_jobs_connected(jobs);
	begin();
	cr_expect_str_eq(storage_world_asked(&w, "file"), "a.img");
	cr_expect_not(last_repeats());
	storage_world_answer(&w, 0, NULL);
	tell(json_pack("{s:s, s:s, s:s, s:i}", "task", JOB, "state", "running", "step", "converting", "percent", 42));
	cr_assert(image_jobs_progress(jobs, JOB, &step, &percent));
	cr_expect_str_eq(step, "converting");
	cr_expect_eq(percent, 42);
	tell(json_pack("{s:s, s:s, s:s, s:i}", "task", JOB, "state", "running", "step", "<b>", "percent", 4200));
	image_jobs_progress(jobs, JOB, &step, &percent);
	cr_expect(strcmp(step, "converting") == 0 && percent == 42, "what is foreign is no progress");
	cr_expect_str_eq(version_state(), "building");
	tell(done_of(JOB));
	cr_assert_eq(db_version_get(w.db, WORLD_IMAGE, "7", &v, NULL), 0);
	cr_expect_str_eq(v.state, "ready");
	cr_expect_str_eq(v.base, "/srv/fast/images/desk/7/disk.qcow2");
	cr_expect_str_eq(v.path, "/srv/fast/images/desk/7");
	cr_assert_eq(db_version_files_get(w.db, v.id, &f, NULL), 0);
	cr_expect(strcmp(f.datastore, "fast") == 0 && f.size == 1000);
	cr_expect_str_eq(storage_world_events(&w), "image.version_ready");
	cr_expect_eq(w.image_changes, 1);
	tell(done_of(JOB));
	cr_expect_not(image_jobs_progress(jobs, JOB, &step, &percent));
}

Test(image_jobs, what_fails_says_why_and_frees_nothing_else)
{
	struct image_job_row row;

	w.is_connected = true;
	image_jobs_connected(jobs);
	begin();
	storage_world_answer(&w, 0, NULL);
	tell(json_pack("{s:s, s:s, s:{s:s, s:s}}", "task", JOB, "state", "failed", "error", "code", "no_space", "title", "fast is full"));
	cr_expect_str_eq(version_state(), "failed");
	cr_assert_eq(db_image_job_of(w.db, WORLD_VERSION, &row, NULL), 0);
	cr_expect_str_eq(row.error, "fast is full");
	cr_expect_str_eq(row.error_code, "no_space");
	cr_expect_str_eq(storage_world_events(&w), "image.version_failed");
}

Test(image_jobs, one_is_asked_for_again_until_it_has_ended)
{
	struct pst_err err = PST_ERR_INIT;

	begin();
	cr_expect_eq(json_array_size(w.asked), 0, "nobody is there");
	w.is_connected = true;
	image_jobs_connected(jobs);
	cr_expect_eq(json_array_size(w.asked), 1);
	cr_expect_not(last_repeats());
	image_jobs_connected(jobs);
	cr_expect_eq(json_array_size(w.asked), 1, "once for each connection");
	storage_world_answer(&w, PST_ECLOSED, "gone");
	image_jobs_gone(jobs);
	image_jobs_connected(jobs);
	cr_expect_eq(json_array_size(w.asked), 2);
	cr_expect(last_repeats(), "a first try may have made it");

	/* The broker starts anew while nobody has answered. */
	image_jobs_destroy(jobs);
	storage_world_answer(&w, PST_ECLOSED, "gone");
	jobs = image_jobs_create(&w.loop, w.db, &storage_world_ops, &w, &err);
	image_jobs_connected(jobs);
	cr_expect_eq(json_array_size(w.asked), 3);
	cr_expect(last_repeats());
	storage_world_answer(&w, PST_EINVAL, "kind: what?");
	cr_expect_str_eq(version_state(), "failed", "what is refused for good has failed");
}

Test(image_jobs, a_job_nobody_works_on_is_cancelled_at_once)
{
	begin();
	cr_expect(image_jobs_cancel(jobs, JOB));
	cr_expect_str_eq(version_state(), "failed");
	cr_expect_not(image_jobs_cancel(jobs, JOB));
}

Test(image_jobs, one_at_work_is_cancelled_by_the_provisioner)
{
	w.is_connected = true;
	image_jobs_connected(jobs);
	begin();
	storage_world_answer(&w, 0, NULL);
	cr_expect(image_jobs_cancel(jobs, JOB));
	cr_expect_str_eq(storage_world_asked(&w, "op"), "image_cancel");
	cr_expect_str_eq(version_state(), "building", "it may be too late");
	tell(done_of(JOB));
	cr_expect_str_eq(version_state(), "ready");
}

static void retire(void)
{
	struct pst_err err = PST_ERR_INIT;
	struct db_query q;

	db_query_begin(&q, w.db, "UPDATE image_versions SET state = 'retired'", &err);
	cr_assert_eq(db_query_run(&q), 0, "%s", err.text);
}

static void copies_add(const char *datastore, void *arg)
{
	char *all = arg;

	strcat(all, datastore);
	strcat(all, " ");
}

static const char *copies(void)
{
	static char all[200];
	struct pst_err err = PST_ERR_INIT;
	struct version_row v;

	all[0] = '\0';
	cr_assert_eq(db_version_get(w.db, WORLD_IMAGE, "7", &v, &err), 0, "%s", err.text);
	cr_assert_eq(db_version_copy_each(w.db, v.id, copies_add, all, &err), 0, "%s", err.text);
	return all;
}

/* A job of the version that the first one made. */
static void copy_begin(const char *datastore)
{
	struct pst_err err = PST_ERR_INIT;
	struct version_row v;
	struct image_job_row row = { .kind = "copy", .source = "fast", .base = "digest", .created = 1, .updated = 1 };
	struct pst_uuid id = pst_uuid_make();

	cr_assert_eq(db_version_get(w.db, WORLD_IMAGE, "7", &v, &err), 0, "%s", err.text);
	pst_uuid_text(&id, row.id);
	strcpy(row.version_id, v.id);
	strcpy(row.datastore, datastore);
	cr_assert_eq(db_image_job_put(w.db, &row, &err), 0, "%s", err.text);
	cr_assert_eq(db_image_job_get(w.db, row.id, &row, &err), 0, "%s", err.text);
	image_jobs_begin(jobs, &row);
	storage_world_answer(&w, 0, NULL);
}

Test(image_jobs, a_copy_leaves_its_version_ready_and_goes_before_it)
{
	char task[64];

	w.is_connected = true;
	image_jobs_connected(jobs);
	begin();
	storage_world_answer(&w, 0, NULL);
	tell(done_of(JOB));
	copy_begin("slow");
	cr_expect_str_eq(storage_world_asked(&w, "kind"), "copy");
	cr_expect_str_eq(storage_world_asked(&w, "from"), "fast");
	cr_expect_str_eq(storage_world_asked(&w, "sha256"), "digest");
	strcpy(task, storage_world_asked(&w, "task"));
	tell(json_pack("{s:s, s:s, s:{s:s, s:s}}", "task", task, "state", "failed", "error", "code", "conflict", "title", "another digest"));
	cr_expect_str_eq(version_state(), "ready", "a copy that fails is no fault of the version");
	cr_expect_str_eq(copies(), "");
	copy_begin("slow");
	strcpy(task, storage_world_asked(&w, "task"));
	tell(json_pack("{s:s, s:s, s:s, s:s}", "task", task, "state", "done", "path", "/srv/slow/images/demo/7/disk.qcow2", "sha256", "digest"));
	cr_expect_str_eq(version_state(), "ready");
	cr_expect_str_eq(copies(), "slow ");
	retire();
	image_jobs_sweep(jobs);
	cr_expect_str_eq(storage_world_asked(&w, "kind"), "remove");
	cr_expect_str_eq(storage_world_asked(&w, "datastore"), "slow", "the copy first");
	storage_world_answer(&w, 0, NULL);
	strcpy(task, storage_world_asked(&w, "task"));
	tell(json_pack("{s:s, s:s}", "task", task, "state", "done"));
	cr_expect_str_eq(version_state(), "retired");
	cr_expect_str_eq(storage_world_asked(&w, "datastore"), "fast", "then its own, at once");
	storage_world_answer(&w, 0, NULL);
	strcpy(task, storage_world_asked(&w, "task"));
	tell(json_pack("{s:s, s:s}", "task", task, "state", "done"));
	cr_expect_str_eq(version_state(), "none");
	cr_expect_str_eq(storage_world_events(&w), "image.version_ready image.copy_failed image.version_copied image.version_removed image.version_removed");
}

Test(image_jobs, a_retired_version_that_nothing_needs_goes)
{
	struct pst_err err = PST_ERR_INIT;
	struct db_query q;
	char task[64];

	w.is_connected = true;
	image_jobs_connected(jobs);
	begin();
	storage_world_answer(&w, 0, NULL);
	tell(done_of(JOB));
	image_jobs_sweep(jobs);
	cr_expect_eq(json_array_size(w.asked), 1, "it is not retired");
	retire();
	db_query_begin(&q, w.db, "UPDATE images SET published = '7'", &err);
	cr_assert_eq(db_query_run(&q), 0);
	image_jobs_sweep(jobs);
	cr_expect_eq(json_array_size(w.asked), 1, "it is published");
	db_query_begin(&q, w.db, "UPDATE images SET published = NULL", &err);
	cr_assert_eq(db_query_run(&q), 0);
	image_jobs_sweep(jobs);
	cr_assert_eq(json_array_size(w.asked), 2);
	cr_expect_str_eq(storage_world_asked(&w, "kind"), "remove");
	strcpy(task, storage_world_asked(&w, "task"));
	storage_world_answer(&w, 0, NULL);
	tell(json_pack("{s:s, s:s, s:{s:s, s:s}}", "task", task, "state", "failed", "error", "code", "busy", "title", "disks stand on it"));
	cr_expect_str_eq(version_state(), "retired");
	image_jobs_sweep(jobs);
	cr_expect_eq(json_array_size(w.asked), 2, "not again at once");
	db_query_begin(&q, w.db, "UPDATE image_jobs SET updated = 1", &err);
	cr_assert_eq(db_query_run(&q), 0);
	image_jobs_sweep(jobs);
	cr_assert_eq(json_array_size(w.asked), 3);
	strcpy(task, storage_world_asked(&w, "task"));
	storage_world_answer(&w, 0, NULL);
	tell(json_pack("{s:s, s:s}", "task", task, "state", "done"));
	cr_expect_str_eq(version_state(), "none");
	cr_expect_str_eq(storage_world_events(&w), "image.version_ready image.version_removed");
}
