/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Recycle bins as the broker sees them. */
#include "broker/hypervisor/storage/bin_job.h"

#include "base/json.h"
#include "broker/hypervisor/disk/recycle.h"
#include "tests/unit/hypervisor/disk_folder.h"
#include "tests/unit/hypervisor/disk_stack.h"
#include "tests/unit/hypervisor/stores_folder.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(bin_job, .init = stores_folder_make, .fini = stores_folder_remove);

#define DESKTOP "1b4e28ba-2fa1-41d2-883f-0016d3cca428"

static json_t *ask(json_t *msg, int code)
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

Test(bin_job, what_was_put_away_is_listed_restored_and_ended)
{
	const char *fast = stores_folder_add("fast", NULL);
	struct pst_err err = PST_ERR_INIT;
	json_t *list, *item;
	char token[RECYCLE_TOKEN_SIZE];

	cr_assert_eq(mkdir(disk_at("fast/desktops/m-p"), 0755), 0);
	cr_assert_eq(mkdir(disk_at("fast/desktops/m-p/" DESKTOP), 0755), 0);
	disk_plain("fast/desktops/m-p/" DESKTOP "/disk.qcow2");
	cr_assert_eq(recycle_put(fast, disk_at("fast/desktops/m-p/" DESKTOP), "deleted", 1000, 5000, NULL, &err), 0, "%s", err.text);
	list = ask(json_pack("{s:s}", "op", "bin_list"), 0);
	cr_assert_eq(json_array_size(json_object_get(list, "items")), 1);
	item = json_array_get(json_object_get(list, "items"), 0);
	cr_assert_str_eq(pst_json_str(item, "kind", 16), "desktop");
	cr_assert_str_eq(pst_json_str(item, "name", 64), DESKTOP);
	cr_assert_str_eq(pst_json_str(item, "datastore", 64), "fast");
	cr_assert_eq(pst_json_int(item, "until_ms", 0, INT64_MAX, 0), 6000);
	cr_assert_gt(pst_json_int(item, "bytes", 0, INT64_MAX, 0), 0);
	strcpy(token, pst_json_str(item, "token", 64));
	json_decref(list);

	json_decref(ask(json_pack("{s:s, s:s, s:s}", "op", "bin_restore", "datastore", "fast", "token", token), 0));
	cr_assert_eq(access(disk_at("fast/desktops/m-p/" DESKTOP "/disk.qcow2"), F_OK), 0);
	ask(json_pack("{s:s, s:s, s:s}", "op", "bin_restore", "datastore", "fast", "token", token), PST_ENOTFOUND);

	struct recycle_entry e;
	cr_assert_eq(recycle_put(fast, disk_at("fast/desktops/m-p/" DESKTOP), "deleted", 1000, 5000, &e, &err), 0, "%s", err.text);
	json_decref(ask(json_pack("{s:s, s:s, s:s}", "op", "bin_remove", "datastore", "fast", "token", e.token), 0));
	cr_assert_eq(access(e.item, F_OK), -1);
	ask(json_pack("{s:s, s:s, s:s}", "op", "bin_remove", "datastore", "fast", "token", "../../../../x"), PST_ENOTFOUND);
	ask(json_pack("{s:s, s:s, s:s}", "op", "bin_remove", "datastore", "none", "token", e.token), PST_EBUSY);
	ask(json_pack("{s:s}", "op", "bin_burn"), PST_EUNSUPPORTED);
	ask(json_pack("{s:s}", "op", "bin_remove"), PST_EINVAL);
}
