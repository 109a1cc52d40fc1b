/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of roll-outs, the times of versions, and what becomes of versions. */
#include "base/err.h"
#include "db/image.h"
#include "db/rollout.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct db *db;

static void open_db(void)
{
	struct image_row im = { .id = "im", .name = "demo", .published = "1" };
	struct version_row v = { .id = "v1", .image_id = "im", .version = "1" };

	cr_assert_eq(db_open(":memory:", &db, NULL), 0);
	cr_assert_eq(db_migrate(db, NULL), 0);
	cr_assert_eq(db_image_insert(db, &im, NULL), 0);
	cr_assert_eq(db_version_insert(db, &v, NULL), 0);
}

static void close_db(void)
{
	db_close(db);
}

TestSuite(rollout, .init = open_db, .fini = close_db);

static struct db_rollout row(const char *id, const char *phase)
{
	struct db_rollout r = { .version = "2",
		.previous = "1",
		.by = "root",
		.canary = 10,
		.canary_s = 60,
		.unavailable = 2,
		.max_failures = 3,
		.samples = 4,
		.slower = 150,
		.force_at = 99,
		.kept = true,
		.created = 5,
		.since = 6,
		.updated = 7 };

	snprintf(r.id, sizeof(r.id), "%s", id);
	snprintf(r.image_id, sizeof(r.image_id), "im");
	snprintf(r.phase, sizeof(r.phase), "%s", phase);
	return r;
}

static struct db_rollout seen;
static int seen_count;

static int keep(void *arg, const struct db_rollout *r)
{
	seen = *r;
	seen_count++;
	return 0;
}

static void list(const struct db_rollout *r, void *arg)
{
	strcat(arg, r->id);
}

Test(rollout, one_goes_on_at_a_time_and_the_newest_counts)
{
	struct db_rollout a = row("a", "rolling"), b = row("b", "verify");
	char ids[DB_ROLLOUTS_MAX * DB_ID_SIZE] = "";

	cr_assert_eq(db_rollout_put(db, &a, NULL), 0);
	cr_expect_eq(db_rollout_put(db, &b, NULL), PST_ECONFLICT);
	strcpy(a.phase, "reverted");
	strcpy(a.reason.code, "taken_back");
	a.failures = 2;
	cr_assert_eq(db_rollout_put(db, &a, NULL), 0);
	cr_assert_eq(db_rollout_put(db, &b, NULL), 0);
	cr_assert_eq(db_rollout_each_last(db, keep, NULL, NULL), 0);
	cr_expect_eq(seen_count, 1);
	cr_expect_str_eq(seen.id, "b");
	cr_expect_str_eq(seen.previous, "1");
	cr_expect(seen.kept);
	cr_expect_eq(seen.slower, 150);
	cr_expect_eq(seen.force_at, 99);
	cr_assert_eq(db_rollout_list(db, "im", list, ids, NULL), 0);
	cr_expect_str_eq(ids, "ba");
	strcpy(b.phase, "nonsense");
	cr_expect_eq(db_rollout_put(db, &b, NULL), PST_EINVAL);
	cr_assert_eq(db_image_delete(db, "im", NULL), 0);
	cr_expect_eq(db_rollout_each_last(db, keep, NULL, NULL), 0);
	cr_expect_eq(seen_count, 1, "they go with their image");
}

static int64_t sum;

static int add(void *arg, const struct db_time *t)
{
	sum += t->ms;
	seen_count++;
	return 0;
}

Test(rollout, only_the_last_times_of_each_kind_are_kept)
{
	struct db_time t = { .image_id = "im", .version = "1", .kind = "logon" };

	for (t.ms = 0; t.ms < 3 * DB_TIMES_KEPT; t.ms++)
		cr_assert_eq(db_time_add(db, &t, NULL), 0);
	strcpy(t.kind, "create");
	t.ms = 100000;
	cr_assert_eq(db_time_add(db, &t, NULL), 0);
	cr_assert_eq(db_time_each(db, add, NULL, NULL), 0);
	cr_expect_eq(seen_count, DB_TIMES_KEPT + 1);
	cr_expect_geq(sum, 100000 + 2 * DB_TIMES_KEPT * DB_TIMES_KEPT, "the newest: %lld", (long long)sum);
}

Test(rollout, a_version_is_verified_retired_and_removed)
{
	struct db_users users;
	struct version_row v;
	struct image_row i;

	cr_assert_eq(db_version_set_state(db, "im", "1", "ready", 42, 50, NULL), 0);
	cr_assert_eq(db_version_set_state(db, "im", "1", "retired", 0, 60, NULL), 0);
	cr_assert_eq(db_version_get(db, "im", "1", &v, NULL), 0);
	cr_expect_str_eq(v.state, "retired");
	cr_expect_eq(v.verified, 42);
	cr_expect_eq(v.updated, 60);
	cr_assert_eq(db_version_users(db, "im", "1", &users, NULL), 0);
	cr_expect_str_eq(users.pools, "");
	cr_expect_eq(db_version_set_state(db, "im", "9", "ready", 0, 1, NULL), PST_ENOTFOUND);
	cr_expect_eq(db_version_delete(db, "im", "1", NULL), 0);
	cr_expect_eq(db_version_delete(db, "im", "1", NULL), PST_ENOTFOUND);
	cr_assert_eq(db_image_set_published(db, "im", "", 70, NULL), 0);
	cr_assert_eq(db_image_get(db, "im", &i, NULL), 0);
	cr_expect_str_eq(i.published, "");
	cr_expect_eq(i.rev, 2);
}
