/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A folder of disks is measured, and nothing odd in it misleads. */
#include "broker/hypervisor/disk/datastore.h"

#include "broker/hypervisor/disk/qcow2.h"
#include "tests/unit/hypervisor/disk_folder.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(datastore, .init = disk_folder_make, .fini = disk_folder_remove);

Test(datastore, its_parts_are_made_and_its_space_is_measured)
{
	struct pst_err err = PST_ERR_INIT;
	struct datastore_space space;
	struct stat st;

	cr_assert_eq(datastore_init(disk_at("store"), &err), 0, "%s", err.text);
	cr_assert_eq(datastore_init(disk_at("store"), &err), 0, "%s", err.text);
	cr_assert(stat(disk_at("store/desktops"), &st) == 0 && (st.st_mode & 07777) == 0711);
	cr_assert_eq(datastore_measure(disk_at("store"), &space, &err), 0, "%s", err.text);
	cr_assert(space.total > 0 && space.used <= space.total && space.free <= space.total);
	cr_assert_eq(datastore_measure(disk_at("none"), &space, &err), PST_ENOTFOUND);
	disk_file("file", "", 0, 0);
	cr_assert_lt(datastore_init(disk_at("file"), &err), 0);
}

Test(datastore, a_census_counts_what_may_be_filled)
{
	struct pst_err err = PST_ERR_INIT;
	struct datastore_census c;
	char base[128], path[128];

	cr_assert_eq(datastore_init(disk_folder, &err), 0);
	snprintf(base, sizeof(base), "%s", disk_file("images/base.raw", "x", 1, 8 << 20));
	snprintf(path, sizeof(path), "%s", disk_at("desktops/a.qcow2"));
	struct qcow2_overlay o = { .path = path, .backing = base, .backing_format = DISK_RAW, .uid = getuid(),
		.gid = getgid() };
	cr_assert_eq(qcow2_overlays_create(&o, 1, &err), 0, "%s", err.text);
	cr_assert_eq(datastore_census(disk_folder, &c, &err), 0, "%s", err.text);
	cr_assert(c.disks == 2 && c.unreadable == 0 && c.promised == 16 << 20, "%u %lu", c.disks,
		(unsigned long)c.promised);
	cr_assert(c.allocated < 1 << 20);

	cr_assert_eq(chmod(base, 0444), 0);
	disk_file("desktops/bad.qcow2", "junk", 4, 4096);
	disk_file("desktops/notes.txt", "x", 1, 1 << 30);
	cr_assert_eq(symlink("/", disk_at("desktops/root")), 0);
	cr_assert_eq(symlink(base, disk_at("desktops/link.raw")), 0);
	cr_assert_eq(mkfifo(disk_at("desktops/pipe.raw"), 0600), 0);
	cr_assert_eq(datastore_census(disk_folder, &c, &err), 0, "%s", err.text);
	cr_assert(c.disks == 3 && c.unreadable == 1, "%u, %u", c.disks, c.unreadable);
	cr_assert(c.promised >= 8 << 20 && c.promised < 9 << 20, "a sealed image does not grow");
	cr_assert_eq(datastore_census(disk_at("none"), &c, &err), PST_ENOTFOUND);
}

Test(datastore, a_deep_tree_ends_the_count_there)
{
	struct pst_err err = PST_ERR_INIT;
	struct datastore_census c;

	cr_assert_eq(chdir(disk_folder), 0);
	for (int i = 0; i < 12; i++) {
		cr_assert_eq(mkdir("d", 0700), 0);
		cr_assert_eq(chdir("d"), 0);
	}
	cr_assert_eq(chdir("/"), 0);
	disk_file("d/d/d/in.raw", "", 0, 4096);
	disk_file("d/d/d/d/d/d/d/d/d/out.raw", "", 0, 4096);
	cr_assert_eq(datastore_census(disk_folder, &c, &err), 0, "%s", err.text);
	cr_assert_eq(c.disks, 1);
}
