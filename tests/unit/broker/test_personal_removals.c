/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Personal disks that go: asked for until the provider says so, and never one that somebody has. Covers: db/personal.c */
#include "broker/storage/personal_removals.h"

#include "base/loop.h"
#include "db/db.h"
#include "db/personal.h"
#include "tests/unit/broker/storage_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define PROVIDER "60000000-0000-4000-8000-000000000001"
#define POOL "50000000-0000-4000-8000-000000000001"
#define ANA "70000000-0000-4000-8000-000000000001"
#define BEA "70000000-0000-4000-8000-000000000002"

static struct storage_world w;
static struct personal_removals *removals;

static void run(const char *sql)
{
	struct pst_err err = PST_ERR_INIT;
	struct db_query q;

	db_query_begin(&q, w.db, sql, &err);
	cr_assert_eq(db_query_run(&q), 0, "%s: %s", sql, err.text);
}

static void disk(const char *user, const char *name)
{
	struct db_personal row = { .pool_id = POOL, .provider_id = PROVIDER };
	struct pst_err err = PST_ERR_INIT;

	strcpy(row.user_id, user);
	strcpy(row.user_name, name);
	cr_assert_eq(db_personal_use(w.db, &row, 1, &err), 0, "%s", err.text);
	cr_assert_eq(db_personal_put_away(w.db, user, POOL, 2, &err), 0, "%s", err.text);
	cr_assert_eq(db_personal_remove(w.db, user, POOL, 7, &err), 0, "%s", err.text);
}

static void make(void)
{
	struct pst_err err = PST_ERR_INIT;

	storage_world_open(&w);
	run("INSERT INTO providers (id, name, created, updated) VALUES ('" PROVIDER "', 'vm', 1, 1)");
	run("INSERT INTO pools (id, name, kind, provider_id, image_id, max_size, created, updated) VALUES ('" POOL "', 'lab', 'floating', '" PROVIDER
		"', '" WORLD_IMAGE "', 1, 1, 1)");
	disk(ANA, "ana");
	removals = personal_removals_create(&w.loop, w.db, &storage_world_ops, &w, &err);
	cr_assert(removals, "%s", err.text);
	w.is_connected = true;
}

static void drop(void)
{
	personal_removals_destroy(removals);
	storage_world_close(&w);
}

TestSuite(personal_removals, .init = make, .fini = drop);

/* "", "removing", or "kept" */
static const char *state_of(const char *user)
{
	struct db_personal p;

	if (db_personal_get(w.db, user, POOL, &p, NULL) < 0)
		return "";
	return p.is_removing ? "removing" : "kept";
}

Test(personal_removals, it_is_gone_when_its_provider_says_so)
{
	struct db_personal p;

	personal_removals_kick(removals);
	cr_assert_eq(json_array_size(w.asked), 0, "nobody is there to be asked");
	personal_removals_connected(removals);
	cr_expect_str_eq(storage_world_asked(&w, "op"), "forget_disk");
	cr_expect_str_eq(storage_world_asked(&w, "owner"), ANA);
	cr_expect_str_eq(storage_world_asked(&w, "provider"), "vm");
	storage_world_answer(&w, PST_EBUSY, "a desktop holds it");
	cr_assert_eq(db_personal_get(w.db, ANA, POOL, &p, NULL), 0);
	cr_expect_str_eq(p.error, "a desktop holds it");
	cr_expect_str_eq(storage_world_events(&w), "");
	personal_removals_kick(removals);
	cr_assert_eq(json_array_size(w.asked), 2);
	storage_world_answer(&w, 0, NULL);
	cr_expect_str_eq(state_of(ANA), "");
	cr_expect_str_eq(storage_world_events(&w), "personal.removed");
}

Test(personal_removals, what_is_refused_holds_up_nobody)
{
	disk(BEA, "bea");
	personal_removals_connected(removals);
	storage_world_answer(&w, PST_EBUSY, "a desktop holds it");
	cr_assert_str_eq(storage_world_asked(&w, "owner"), BEA);
	storage_world_answer(&w, 0, NULL);
	cr_expect_str_eq(state_of(ANA), "removing");
	cr_expect_str_eq(state_of(BEA), "");
	cr_expect_eq(json_array_size(w.asked), 2, "hers waits for the next look");
}

Test(personal_removals, a_disk_whose_user_came_again_meanwhile_stays)
{
	personal_removals_connected(removals);
	run("INSERT INTO desktops (id, name, pool_id, provider_id, image_id, image_version, lifecycle, lease, hygiene, epoch, personal_phase, personal_owner, personal_held,"
		" created, updated) VALUES ('40000000-0000-4000-8000-000000000001', 'lab-1', '" POOL "', '" PROVIDER "', '" WORLD_IMAGE "', '7', 'live', 'held', 'dirty', 3,"
		" 'wanted', '" ANA "', 1, 1, 1)");
	storage_world_answer(&w, 0, NULL);
	cr_expect_str_eq(state_of(ANA), "kept", "the disk that she has is a new one");
	run("UPDATE desktops SET personal_held = 0");
	personal_removals_kick(removals);
	cr_expect_eq(json_array_size(w.asked), 1, "and nobody wants it removed");
}

Test(personal_removals, with_its_provider_gone_there_is_nothing_to_ask)
{
	run("UPDATE personal_disks SET provider_id = '60000000-0000-4000-8000-00000000dead'");
	personal_removals_connected(removals);
	cr_expect_eq(json_array_size(w.asked), 0);
	cr_expect_str_eq(state_of(ANA), "");
}

Test(personal_removals, what_cannot_be_known_now_is_not_forgotten, .timeout = 20)
{
	disk(BEA, "bea");
	run("UPDATE personal_disks SET provider_id = '60000000-0000-4000-8000-00000000dead' WHERE user_id = '" ANA "'");
	run("ALTER TABLE providers RENAME TO away");
	personal_removals_connected(removals);
	cr_expect_str_eq(state_of(ANA), "removing");
	run("ALTER TABLE away RENAME TO providers");
	run("PRAGMA query_only = 1"); /* as a full disk: it is not asked for again and again */
	personal_removals_kick(removals);
	for (int i = 0; i < 10; i++)
		uv_run(&w.loop, UV_RUN_NOWAIT);
	cr_expect_leq(w.changes, 2);
	run("PRAGMA query_only = 0");
	cr_expect_str_eq(state_of(ANA), "removing");
	personal_removals_kick(removals);
	cr_expect_str_eq(state_of(ANA), "");
}

Test(personal_removals, disks_of_another_provider_are_counted)
{
	struct pst_err err = PST_ERR_INIT;
	int64_t n = -1;

	disk(BEA, "bea");
	cr_assert_eq(db_personal_elsewhere(w.db, POOL, PROVIDER, &n, &err), 0, "%s", err.text);
	cr_expect_eq(n, 0);
	run("UPDATE personal_disks SET provider_id = 'other' WHERE user_id = '" ANA "'");
	cr_assert_eq(db_personal_elsewhere(w.db, POOL, PROVIDER, &n, &err), 0, "%s", err.text);
	cr_expect_eq(n, 1);
}
