/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The set of datastores: watched, placed on, worked on in turns.
 * Covers: broker/hypervisor/storage/stores_watch.c broker/hypervisor/storage/stores_place.c
 */
#include "tests/unit/hypervisor/stores_folder.h"

#include "base/clock.h"
#include "broker/hypervisor/disk/version.h"
#include "tests/unit/hypervisor/disk_folder.h"
#include "tests/unit/hypervisor/disk_stack.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

TestSuite(stores, .init = stores_folder_make, .fini = stores_folder_remove);

#define LONG_MS 20000

static const char *const both[] = { "fast", "slow" };

static struct store_wish wish_of(size_t n)
{
	return (struct store_wish){ .names = both, .n = n, .pool = "desk", .needs = 1, .promises = 1, .weight = 1,
		.deadline_ms = pst_mono_ms() + LONG_MS };
}

static void for_lab(struct store_settings *s)
{
	strcpy(s->pools, ",lab,");
}

static void never_enough(struct store_settings *s)
{
	s->keeps_free = UINT64_MAX / 2;
}

Test(stores, one_is_opened_measured_and_not_there_twice)
{
	struct store_settings s = { .limits = LEVEL_LIMITS_DEFAULT, .jobs_max = 1 };
	struct pst_err err = PST_ERR_INIT;
	struct store_view v;
	const char *path = stores_folder_add("fast", NULL);

	cr_assert(stores_view_named(stores_set, "fast", &v));
	cr_assert(v.is_online && v.space.total > 0 && !v.reason[0], "%s", v.reason);
	cr_assert(!stores_view_named(stores_set, "slow", &v));
	strcpy(s.name, "fast");
	strcpy(s.path, disk_at("other"));
	cr_assert_eq(stores_add(stores_set, &s, disk_at("data"), &err), PST_ECONFLICT);
	strcpy(s.name, "inner");
	snprintf(s.path, sizeof(s.path), "%s/images", path);
	cr_assert_eq(stores_add(stores_set, &s, disk_at("data"), &err), PST_ECONFLICT);
	strcpy(s.path, disk_at("fast2"));
	cr_assert_eq(stores_add(stores_set, &s, disk_at("data"), &err), 0, "%s", err.text);
	cr_assert(stores_view_named(stores_set, "inner", &v) && !v.is_online, "there is no such folder");
	cr_assert(strstr(v.reason, "fast2"), "%s", v.reason);
}

Test(stores, a_disk_goes_where_there_is_room_and_the_refusal_names_each)
{
	struct store_wish wish = wish_of(2);
	struct pst_err err = PST_ERR_INIT;
	struct store_turn turn;

	stores_folder_add("fast", never_enough);
	stores_folder_add("slow", NULL);
	cr_assert_eq(stores_begin(stores_set, &wish, &turn, &err), 0, "%s", err.text);
	cr_assert_str_eq(turn.name, "slow");
	cr_assert(strstr(turn.why, "fast: no_space"), "%s", turn.why);
	stores_end(stores_set, &turn);
	stores_end(stores_set, &turn);
	cr_assert_eq(stores_wish(stores_set, "slow", &(struct store_wishes){ .in_maintenance = true }, &err), 0);
	wish = wish_of(2);
	cr_assert_eq(stores_begin(stores_set, &wish, &turn, &err), PST_ENOSPC);
	cr_assert(strstr(err.text, "fast has no room (") && strstr(err.text, "slow is under maintenance"), "%s", err.text);
	cr_assert_eq(turn.id, 0);
}

Test(stores, a_full_one_takes_nothing_new_and_renews_what_it_has)
{
	struct store_wishes full = { .warning = 1, .critical = 2 };
	struct pst_err err = PST_ERR_INIT;
	struct store_wish wish = wish_of(1);
	char reason[STORES_REASON_SIZE];
	struct store_turn turn;
	struct store_view v;

	stores_folder_add("fast", NULL);
	cr_assert(stores_view_named(stores_set, "fast", &v));
	if (v.space.used * 100 / v.space.total < 3)
		cr_skip_test("the file system is empty");
	cr_assert_eq(stores_wish(stores_set, "fast", &full, &err), 0, "%s", err.text);
	cr_assert(stores_view_named(stores_set, "fast", &v));
	cr_assert_eq(v.level, LEVEL_CRITICAL);
	cr_assert_eq(stores_begin(stores_set, &wish, &turn, &err), PST_ENOSPC);
	cr_assert(strstr(err.text, "fast is full ("), "%s", err.text);
	cr_assert(!stores_have_room(stores_set, both, 1, reason, sizeof(reason)));
	cr_assert(strstr(reason, "fast is full"), "%s", reason);
	wish.is_kept = true;
	cr_assert_eq(stores_begin(stores_set, &wish, &turn, &err), 0, "%s", err.text);
	stores_end(stores_set, &turn);
	cr_assert_eq(stores_wish(stores_set, "fast", &(struct store_wishes){ .warning = 99 }, &err), 0);
	cr_assert(stores_have_room(stores_set, both, 1, reason, sizeof(reason)));
	cr_assert_eq(stores_wish(stores_set, "fast", &(struct store_wishes){ .warning = 50, .critical = 40 }, &err), PST_EINVAL);
	cr_assert_eq(stores_wish(stores_set, "none", &full, &err), PST_ENOTFOUND);
}

Test(stores, a_pool_gets_what_it_may_use)
{
	struct store_wish wish = wish_of(2);
	struct pst_err err = PST_ERR_INIT;
	char reason[STORES_REASON_SIZE];
	struct store_turn turn;

	stores_folder_add("fast", for_lab);
	cr_assert_eq(stores_begin(stores_set, &wish, &turn, &err), PST_EBUSY);
	cr_assert(strstr(err.text, "fast is not for this pool"), "%s", err.text);
	cr_assert(stores_have_room(stores_set, both, 2, reason, sizeof(reason)), "it has for others: %s", reason);
	wish = wish_of(2);
	wish.pool = "lab";
	cr_assert_eq(stores_begin(stores_set, &wish, &turn, &err), 0, "%s", err.text);
	stores_end(stores_set, &turn);
}

struct waiter {
	struct store_turn turn;
	pthread_t thread;
	int rc;
};

static void *wait_for_turn(void *arg)
{
	struct waiter *w = arg;
	struct store_wish wish = wish_of(1);
	struct pst_err err = PST_ERR_INIT;

	w->rc = stores_begin(stores_set, &wish, &w->turn, &err);
	return NULL;
}

static bool give_up(void *arg)
{
	return true;
}

Test(stores, more_than_its_jobs_wait_for_their_turn)
{
	struct store_wish wish = wish_of(1);
	struct pst_err err = PST_ERR_INIT;
	struct store_turn one, two, late;
	struct waiter w = { .rc = 1 };
	struct store_view v;

	stores_folder_add("fast", NULL); /* two jobs at a time */
	cr_assert_eq(stores_begin(stores_set, &wish, &one, &err), 0, "%s", err.text);
	cr_assert_eq(stores_begin(stores_set, &wish, &two, &err), 0, "%s", err.text);
	wish.deadline_ms = pst_mono_ms() + 1;
	cr_assert_eq(stores_begin(stores_set, &wish, &late, &err), PST_ETIMEOUT);
	cr_assert(strstr(err.text, "datastore fast is busy: 0 jobs"), "%s", err.text);
	wish.deadline_ms = pst_mono_ms() + LONG_MS;
	wish.is_cancelled = give_up;
	cr_assert_eq(stores_begin(stores_set, &wish, &late, &err), PST_ECLOSED);
	cr_assert_eq(pthread_create(&w.thread, NULL, wait_for_turn, &w), 0);
	do
		cr_assert(stores_view_named(stores_set, "fast", &v));
	while (v.waiting == 0);
	cr_assert_eq(v.working, 2);
	stores_end(stores_set, &one);
	pthread_join(w.thread, NULL);
	cr_assert_eq(w.rc, 0);
	stores_end(stores_set, &two);
	stores_end(stores_set, &w.turn);
	cr_assert(stores_view_named(stores_set, "fast", &v));
	cr_assert(v.working == 0 && v.waiting == 0);
}

Test(stores, a_turn_that_was_given_up_holds_nothing_to_give_back)
{
	struct store_wish wish = wish_of(1);
	struct pst_err err = PST_ERR_INIT;
	struct store_turn one, two, late;

	stores_folder_add("fast", NULL); /* two jobs at a time */
	cr_assert_eq(stores_begin(stores_set, &wish, &one, &err), 0, "%s", err.text);
	cr_assert_eq(stores_begin(stores_set, &wish, &two, &err), 0, "%s", err.text);
	wish.needs = 1 << 20;
	wish.is_cancelled = give_up;
	cr_assert_eq(stores_begin(stores_set, &wish, &late, &err), PST_ECLOSED);
	cr_assert_eq(late.id, 0);
	stores_end(stores_set, &late);
	stores_end(stores_set, &one);
	/* Given back twice, what is reserved is less than nothing, and nobody finds room any more. */
	wish = wish_of(1);
	cr_assert_eq(stores_begin(stores_set, &wish, &one, &err), 0, "%s", err.text);
	stores_end(stores_set, &one);
	stores_end(stores_set, &two);
}

static void publish(const char *store)
{
	struct pst_err err = PST_ERR_INIT;
	struct manifest m;
	struct version_params p = { .folder = store, .image = "desk", .version = "7", .source = disk_plain("fast/new.qcow2") };

	cr_assert_eq(version_publish(&p, &m, &err), 0, "%s", err.text);
}

Test(stores, an_overlay_goes_where_its_image_is)
{
	char image[PATH_MAX], name[PLACEMENT_NAME_SIZE];
	struct store_wish wish = wish_of(2);
	struct pst_err err = PST_ERR_INIT;
	struct store_turn turn;
	const char *fast, *rest = "";

	if (geteuid() != 0)
		cr_skip_test("sealing needs root");
	fast = stores_folder_add("fast", NULL);
	stores_folder_add("slow", NULL);
	publish(fast);
	snprintf(image, sizeof(image), "%s/images/desk/7/disk.qcow2", fast);
	stores_of_image(stores_set, image, name, &rest);
	cr_assert_str_eq(name, "fast");
	cr_assert_str_eq(rest, "images/desk/7/disk.qcow2");
	wish.image = image;
	for (int i = 0; i < 4; i++) {
		cr_assert_eq(stores_begin(stores_set, &wish, &turn, &err), 0, "%s", err.text);
		cr_assert_str_eq(turn.name, "fast");
		cr_assert_str_eq(turn.image, image);
		stores_end(stores_set, &turn);
	}
	wish.image = "/elsewhere/golden.qcow2";
	cr_assert_eq(stores_begin(stores_set, &wish, &turn, &err), 0, "%s", err.text);
	cr_assert_str_eq(turn.image, "");
	stores_end(stores_set, &turn);
}

Test(stores, a_copy_of_a_version_counts_by_its_digest_also_while_the_first_one_is_away)
{
	char image[PATH_MAX], copy[PATH_MAX], mark[PATH_MAX];
	struct store_wish wish = wish_of(2);
	struct pst_err err = PST_ERR_INIT;
	struct store_turn turn;
	struct manifest m;
	const char *fast, *slow;

	if (geteuid() != 0)
		cr_skip_test("sealing needs root");
	fast = stores_folder_add("fast", NULL);
	snprintf(mark, sizeof(mark), "%s/datastore.id", fast);
	publish(fast);
	snprintf(image, sizeof(image), "%s/images/desk/7/disk.qcow2", fast);
	cr_assert_eq(version_read(fast, "desk", "7", &m, &err), 0, "%s", err.text);
	slow = stores_folder_add("slow", NULL);
	publish(slow);
	snprintf(copy, sizeof(copy), "%s/images/desk/7/disk.qcow2", slow);
	wish.image = image;
	wish.image_sha256 = "0011"; /* of neither: one that has another digest has another version */
	cr_assert_eq(unlink(mark), 0);
	stores_look(stores_set, "fast");
	for (struct store_view v; stores_view_named(stores_set, "fast", &v) && v.is_online;)
		usleep(10000);
	cr_assert_eq(stores_begin(stores_set, &wish, &turn, &err), 0, "no datastore has it: an overlay of it may lie anywhere");
	cr_assert_str_eq(turn.image, "");
	stores_end(stores_set, &turn);
	cr_assert(!stores_image_copy(stores_set, &wish, mark));
	wish.image_sha256 = m.sha256;
	cr_assert(stores_image_copy(stores_set, &wish, mark));
	cr_assert_str_eq(mark, copy);
	cr_assert_eq(stores_begin(stores_set, &wish, &turn, &err), 0, "%s", err.text);
	cr_assert_str_eq(turn.name, "slow");
	cr_assert_str_eq(turn.image, copy);
	stores_end(stores_set, &turn);
}

static void on_news(void *arg)
{
	__atomic_add_fetch((unsigned *)arg, 1, __ATOMIC_SEQ_CST);
}

Test(stores, what_changes_is_news)
{
	unsigned news = 0;
	struct pst_err err = PST_ERR_INIT;
	struct store_view v;

	stores_folder_add("fast", NULL);
	stores_listen(stores_set, on_news, &news);
	cr_assert_eq(stores_wish(stores_set, "fast", &(struct store_wishes){ .in_maintenance = true }, &err), 0);
	while (__atomic_load_n(&news, __ATOMIC_SEQ_CST) == 0)
		usleep(1000);
	/* Gone, as when its file system is taken away; then there again. */
	cr_assert_eq(rename(disk_at("fast"), disk_at("away")), 0);
	do {
		stores_look(stores_set, "fast");
		usleep(1000);
		cr_assert(stores_view_named(stores_set, "fast", &v));
	} while (v.is_online);
	cr_assert(strstr(v.reason, "mount it"), "%s", v.reason);
	cr_assert(!stores_lock(stores_set, "fast", v.s.path));
	cr_assert_eq(rename(disk_at("away"), disk_at("fast")), 0);
	do {
		stores_look(stores_set, "fast");
		usleep(1000);
		cr_assert(stores_view_named(stores_set, "fast", &v));
	} while (!v.is_online);
	cr_assert(stores_lock(stores_set, "fast", v.s.path));
	stores_unlock(stores_set, "fast");
	stores_listen(stores_set, NULL, NULL);
}
