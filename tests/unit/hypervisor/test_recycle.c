/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Into the bin, back, and away when the time is over. */
#include "broker/hypervisor/disk/recycle.h"

#include "broker/hypervisor/disk/datastore.h"
#include "tests/unit/hypervisor/disk_folder.h"
#include "tests/unit/hypervisor/disk_stack.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void make(void)
{
	struct pst_err err = PST_ERR_INIT;

	disk_folder_make();
	cr_assert_eq(datastore_init(disk_folder, &err), 0, "%s", err.text);
}

TestSuite(recycle, .init = make, .fini = disk_folder_remove);

#define DAY INT64_C(86400000)
#define NOW (20000 * DAY)

static int count(const struct recycle_entry *e, void *arg, struct pst_err *err)
{
	(void)e;
	(void)err;
	(*(unsigned *)arg)++;
	return 0;
}

static unsigned entries(void)
{
	struct pst_err err = PST_ERR_INIT;
	unsigned n = 0;

	cr_assert_eq(recycle_list(disk_folder, count, &n, &err), 0, "%s", err.text);
	return n;
}

Test(recycle, what_was_removed_comes_back_to_its_place)
{
	struct pst_err err = PST_ERR_INIT;
	struct recycle_entry e;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s", disk_file("personal/ana.qcow2", "ana", 3, 3));
	cr_assert_eq(recycle_put(disk_folder, path, "user was removed", NOW, 7 * DAY, &e, &err), 0, "%s", err.text);
	cr_assert(access(path, F_OK) < 0 && access(e.item, F_OK) == 0);
	cr_assert(e.until_ms == NOW + 7 * DAY && e.is_whole);
	cr_assert_eq(entries(), 1);
	disk_file("personal/ana.qcow2", "new", 3, 3);
	cr_assert_eq(recycle_restore(disk_folder, e.token, &err), PST_ECONFLICT, "another one stands there");
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(recycle_restore(disk_folder, e.token, &err), 0, "%s", err.text);
	cr_assert(access(path, F_OK) == 0 && entries() == 0);
	cr_assert_eq(recycle_restore(disk_folder, e.token, &err), PST_ENOTFOUND);
	cr_assert_eq(recycle_restore(disk_folder, "../../personal", &err), PST_ENOTFOUND);
}

Test(recycle, only_what_lies_in_the_datastore_goes_there)
{
	static const char *const bad[] = { "/etc/passwd", "%s", "%sx/y", "%s/../y", "%s/personal/../../y" };
	struct pst_err err = PST_ERR_INIT;
	char path[PATH_MAX], reason[RECYCLE_REASON_MAX + 2];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *rest = strncmp(bad[i], "%s", 2) == 0 ? bad[i] + 2 : NULL;

		snprintf(path, sizeof(path), "%s%s", rest ? disk_folder : "", rest ? rest : bad[i]);
		cr_assert_eq(recycle_put(disk_folder, path, "", NOW, DAY, NULL, &err), PST_EINVAL, "%s", path);
	}
	cr_assert_eq(recycle_put(disk_folder, disk_at("personal/none"), "", NOW, DAY, NULL, &err), PST_ENOTFOUND);
	memset(reason, 'x', sizeof(reason));
	reason[sizeof(reason) - 1] = '\0';
	cr_assert_eq(recycle_put(disk_folder, disk_file("x", "", 0, 0), reason, NOW, DAY, NULL, &err), PST_EINVAL);
	cr_assert_eq(recycle_put(disk_folder, disk_at("x"), "\xff", NOW, DAY, NULL, &err), PST_EINVAL);
	cr_assert_eq(access(disk_at("x"), F_OK), 0, "it stays where it was");
	cr_assert_eq(entries(), 0);
}

Test(recycle, time_ends_them_one_by_one)
{
	struct pst_err err = PST_ERR_INIT;
	unsigned n;

	for (int i = 1; i <= 3; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d.qcow2", i);
		cr_assert_eq(recycle_put(disk_folder, disk_file(name, "", 0, 1), "r", NOW, i * DAY, NULL, &err), 0);
	}
	cr_assert_eq(mkdir(disk_at("recycle/not-a-token"), 0700), 0);
	cr_assert_eq(mkdir(disk_at("recycle/0123456789abcdef"), 0700), 0, "no label");
	cr_assert_eq(recycle_purge(disk_folder, NULL, NOW, &n, &err), 0, "%s", err.text);
	cr_assert(n == 0 && entries() == 3);
	cr_assert_eq(recycle_purge(disk_folder, NULL, NOW + 2 * DAY, &n, &err), 0, "%s", err.text);
	cr_assert(n == 2 && entries() == 1);
	cr_assert_eq(recycle_purge(disk_folder, NULL, NOW + 9 * DAY, NULL, &err), 0);
	cr_assert_eq(entries(), 0);
}

Test(recycle, a_disk_that_others_stand_on_waits_for_them)
{
	struct pst_err err = PST_ERR_INIT;
	struct recycle_entry base, overlay;
	char path[PATH_MAX];
	unsigned n;

	disk_plain("desktops/base.qcow2");
	snprintf(path, sizeof(path), "%s", disk_overlay("desktops/top.qcow2", "desktops/base.qcow2"));
	cr_assert_eq(recycle_put(disk_folder, disk_at("desktops/base.qcow2"), "r", NOW, DAY, &base, &err), 0);
	cr_assert_eq(recycle_put(disk_folder, path, "r", NOW, 2 * DAY, &overlay, &err), 0, "%s", err.text);
	cr_assert_eq(recycle_purge(disk_folder, NULL, NOW + DAY, &n, &err), 0, "%s", err.text);
	cr_assert_eq(n, 0, "the overlay in the bin can still come back");
	cr_assert_eq(recycle_purge(disk_folder, NULL, NOW + 2 * DAY, &n, &err), 0, "%s", err.text);
	cr_assert_eq(recycle_purge(disk_folder, NULL, NOW + 2 * DAY, NULL, &err), 0, "%s", err.text);
	cr_assert_eq(entries(), 0, "in whichever order they were met");
}

Test(recycle, a_label_without_its_item_is_cleared_away)
{
	struct pst_err err = PST_ERR_INIT;
	struct recycle_entry e;
	unsigned n;

	cr_assert_eq(recycle_put(disk_folder, disk_file("x", "", 0, 0), "r", NOW, 9 * DAY, &e, &err), 0);
	cr_assert_eq(rename(e.item, disk_at("x")), 0);
	cr_assert_eq(recycle_purge(disk_folder, NULL, NOW, &n, &err), 0);
	cr_assert(n == 1 && entries() == 0 && access(disk_at("x"), F_OK) == 0);
}
