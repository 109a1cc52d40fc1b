/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Recycle bins of folders that providers have for themselves. */
#include "broker/hypervisor/storage/bins.h"

#include "base/json.h"
#include "broker/hypervisor/disk/personal.h"
#include "broker/hypervisor/disk/recycle.h"
#include "broker/hypervisor/storage/bin_job.h"
#include "tests/unit/hypervisor/disk_folder.h"
#include "tests/unit/hypervisor/stores_folder.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(bins, .init = stores_folder_make, .fini = stores_folder_remove);

static json_t *run(json_t *msg, int code)
{
	struct pst_err err = PST_ERR_INIT;
	struct bin_job job;
	json_t *reply = NULL;

	if (bin_job_parse(msg, &job, &err) == 0)
		reply = bin_job_run(stores_set, &job, &err);
	cr_assert_eq(reply ? 0 : err.code, code, "%s", err.text);
	json_decref(msg);
	return reply;
}

static json_t *one_of(const char *op, const char *token)
{
	return json_pack("{s:s, s:s, s:s}", "op", op, "datastore", "vm", "token", token);
}

/* A disk of ana's that was removed at the first second, for five. */
static void removed(char token[RECYCLE_TOKEN_SIZE])
{
	struct pst_err err = PST_ERR_INIT;
	json_t *list, *item;

	cr_assert_eq(personal_create(disk_at("own"), "ana", "office", 1 << 20, getuid(), getgid(), &err), 0, "%s", err.text);
	cr_assert_eq(personal_remove(disk_at("own"), "ana", "office", "removed", 1000, 5000, &err), 0, "%s", err.text);
	list = run(json_pack("{s:s}", "op", "bin_list"), 0);
	item = json_array_get(json_object_get(list, "items"), 0);
	cr_assert(item && json_array_size(json_object_get(list, "items")) == 1);
	cr_assert_str_eq(pst_json_str(item, "kind", 16), "personal");
	cr_assert_str_eq(pst_json_str(item, "name", 64), "ana/office");
	cr_assert_str_eq(pst_json_str(item, "datastore", 64), "vm");
	cr_assert_gt(pst_json_int(item, "bytes", 0, INT64_MAX, 0), 0);
	strcpy(token, pst_json_str(item, "token", 64));
	json_decref(list);
}

static void own_make(void)
{
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(mkdir(disk_at("own"), 0755), 0);
	cr_assert_eq(bins_add("vm", "/of/an/earlier/start", &err), 0, "%s", err.text);
	cr_assert_eq(bins_add("vm", disk_at("own"), &err), 0, "%s", err.text);
}

Test(bins, a_removed_disk_is_listed_comes_back_and_ends)
{
	char token[RECYCLE_TOKEN_SIZE], mark[100];
	struct pst_err err = PST_ERR_INIT;
	json_t *list;

	own_make();
	list = run(json_pack("{s:s}", "op", "bin_list"), 0);
	cr_assert(json_array_size(json_object_get(list, "items")) == 0 && json_array_size(json_object_get(list, "unlisted")) == 0,
		"of a folder of which nothing was removed there is nothing to tell");
	json_decref(list);
	removed(token);
	snprintf(mark, sizeof(mark), "own/recycle/%s/item/office/holder", token);
	cr_assert_eq(symlink("00000000-0000-0000-0000-000000000000", disk_at(mark)), 0, "as a removal leaves it that was cut off");
	json_decref(run(one_of("bin_restore", token), 0));
	cr_assert_eq(access(disk_at("own/personal/ana/office/disk.qcow2"), F_OK), 0);
	cr_assert_eq(access(disk_at("own/personal/ana/office/holder"), F_OK), -1);
	cr_assert_eq(personal_remove(disk_at("own"), "ana", "office", "removed", 1000, 5000, &err), 0, "%s", err.text);
	list = run(json_pack("{s:s}", "op", "bin_list"), 0);
	strcpy(token, pst_json_str(json_array_get(json_object_get(list, "items"), 0), "token", 64));
	json_decref(list);
	json_decref(run(one_of("bin_remove", token), 0));
	run(one_of("bin_remove", token), PST_ENOTFOUND);
	list = run(json_pack("{s:s}", "op", "bin_list"), 0);
	cr_assert_eq(json_array_size(json_object_get(list, "items")), 0);
	json_decref(list);
}

Test(bins, one_that_has_a_successor_stays_where_it_is)
{
	char token[RECYCLE_TOKEN_SIZE];
	struct pst_err err = PST_ERR_INIT;

	own_make();
	removed(token);
	cr_assert_eq(personal_create(disk_at("own"), "ana", "office", 1 << 20, getuid(), getgid(), &err), 0, "%s", err.text);
	run(one_of("bin_restore", token), PST_ECONFLICT);
}

Test(bins, what_is_over_is_ended)
{
	char token[RECYCLE_TOKEN_SIZE], path[900];
	struct pst_err err = PST_ERR_INIT;
	struct bin_folder f;

	own_make();
	cr_assert_eq(bins_add("second", disk_at("own"), &err), 0, "it has the same folder");
	cr_assert(bins_view(0, &f) && !bins_view(1, &f));
	cr_assert(bins_lock(stores_set, "second", path) && strcmp(path, disk_at("own")) == 0);
	bins_unlock(stores_set, "vm");
	cr_assert_eq(bins_purge(5999), 0);
	removed(token);
	cr_assert_eq(bins_purge(5999), 0);
	cr_assert_eq(bins_purge(6000), 1);
	run(one_of("bin_restore", token), PST_ENOTFOUND);
}

Test(bins, no_provider_has_a_datastores_name)
{
	struct store_settings s = { .name = "fast", .limits = { .warning = 99, .critical = 100, .back = 1 }, .jobs_max = 2 };
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(mkdir(disk_at("fast"), 0755), 0);
	snprintf(s.path, sizeof(s.path), "%s", disk_at("fast"));
	cr_assert_eq(stores_add(stores_shared(), &s, disk_at("data"), &err), 0, "%s", err.text);
	cr_assert_eq(bins_add("fast", disk_at("own"), &err), PST_ECONFLICT, "%s", err.text);
	stores_destroy(stores_shared());
}

Test(bins, there_is_an_end_of_them)
{
	struct pst_err err = PST_ERR_INIT;
	char name[16], path[1000];

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	cr_assert_eq(bins_add("vm", path, &err), PST_EINVAL);
	for (int i = 1; i <= BINS_MAX; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		cr_assert_eq(bins_add(name, "/x", &err), i < BINS_MAX ? 0 : PST_ELIMIT);
	}
}
