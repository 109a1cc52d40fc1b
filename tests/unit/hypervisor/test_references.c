/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Overlays are found by their headers, whatever they call what they stand on. */
#include "broker/hypervisor/disk/references.h"

#include "tests/unit/hypervisor/disk_folder.h"
#include "tests/unit/hypervisor/disk_stack.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(references, .init = disk_folder_make, .fini = disk_folder_remove);

Test(references, overlays_are_counted_and_the_doubtful_too)
{
	struct pst_err err = PST_ERR_INIT;
	struct references r;
	char golden[PATH_MAX], moved[PATH_MAX];

	snprintf(golden, sizeof(golden), "%s", disk_plain("golden.qcow2"));
	disk_plain("other.qcow2");
	cr_assert_eq(references_count(disk_folder, NULL, golden, &r, &err), 0, "%s", err.text);
	cr_assert(r.overlays == 0 && r.unreadable == 0 && r.first[0] == '\0');

	disk_overlay("a.qcow2", "golden.qcow2");
	disk_overlay("b.qcow2", "other.qcow2");
	disk_overlay("c.qcow2", "a.qcow2");
	cr_assert_eq(symlink("golden.qcow2", disk_at("alias")), 0);
	disk_overlay("d.qcow2", "alias");
	cr_assert_eq(references_count(disk_folder, NULL, golden, &r, &err), 0, "%s", err.text);
	cr_assert_eq(r.overlays, 2, "a and d: %u", r.overlays);

	disk_file("broken.qcow2", "QFI\xfb", 4, 100);
	cr_assert_eq(references_count(disk_folder, NULL, golden, &r, &err), 0);
	cr_assert(r.overlays == 2 && r.unreadable == 1);
	/* By its name also when it has gone. */
	snprintf(moved, sizeof(moved), "%s", disk_at("moved"));
	cr_assert_eq(rename(golden, moved), 0);
	cr_assert_eq(references_count(disk_folder, NULL, golden, &r, &err), 0);
	cr_assert_eq(r.overlays, 1, "the one with an alias has lost it: %u", r.overlays);
}

Test(references, drivers_keep_overlays_in_folders_of_their_own)
{
	struct pst_err err = PST_ERR_INIT;
	struct references r;
	char store[PATH_MAX], driver[PATH_MAX], golden[PATH_MAX];
	const char *const others[] = { driver, NULL };

	snprintf(store, sizeof(store), "%s", disk_at("store"));
	snprintf(driver, sizeof(driver), "%s", disk_at("driver"));
	cr_assert(mkdir(store, 0700) == 0 && mkdir(driver, 0700) == 0);
	snprintf(golden, sizeof(golden), "%s", disk_plain("store/golden.qcow2"));
	disk_overlay("driver/a.qcow2", "store/golden.qcow2");
	cr_assert_eq(references_count(store, NULL, golden, &r, &err), 0, "%s", err.text);
	cr_assert_eq(r.overlays, 0);
	cr_assert_eq(references_count(store, others, golden, &r, &err), 0, "%s", err.text);
	cr_assert(r.overlays == 1 && r.first[0]);
	snprintf(driver, sizeof(driver), "%s", disk_at("unmounted"));
	cr_assert_eq(references_count(store, others, golden, &r, &err), PST_ENOTFOUND, "who knows what lies there");
}
