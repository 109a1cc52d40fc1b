/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Edits that are refused before any program starts; what qemu-img does is in tests/integration/test_disk.py. Needs root. */
#include "broker/hypervisor/disk/edit.h"

#include "tests/unit/hypervisor/disk_folder.h"
#include "tests/unit/hypervisor/disk_stack.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void make(void)
{
	if (geteuid() != 0)
		cr_skip_test("the sandbox needs root");
	disk_folder_make();
}

TestSuite(edit, .init = make, .fini = disk_folder_remove);

#define MIB (UINT64_C(1) << 20)

Test(edit, what_cannot_be_is_refused_at_once)
{
	struct pst_err err = PST_ERR_INIT;
	char path[PATH_MAX];
	struct edit_params p = { .program = "/nonexistent", .path = path, .within = disk_folder, .timeout_ms = 1000,
		.cancel_fd = -1 };
	struct stat st;

	snprintf(path, sizeof(path), "%s", disk_plain("disk.qcow2"));
	cr_assert_eq(chmod(path, 0640), 0);
	cr_assert_eq(chown(path, 12, 34), 0);
	cr_assert_eq(edit_grow(&p, MIB, &err), 0, "it has that size: %s", err.text);
	cr_assert_eq(edit_grow(&p, MIB - 512, &err), PST_EINVAL);
	cr_assert_eq(edit_grow(&p, MIB + 1, &err), PST_EINVAL);
	cr_assert_eq(edit_grow(&p, UINT64_C(1) << 47, &err), PST_ELIMIT);
	cr_assert_eq(edit_grow(&p, 2 * MIB, &err), PST_ENOTFOUND, "%s", err.text);
	cr_assert(stat(path, &st) == 0 && st.st_uid == 12 && st.st_gid == 34 && (st.st_mode & 07777) == 0640,
		"a failure gives it back");
	int fd = open(path, O_RDWR);
	cr_assert_eq(edit_grow(&p, 2 * MIB, &err), PST_EBUSY, "%s", err.text);
	close(fd);
	p.within = "/nonexistent";
	cr_assert_eq(edit_grow(&p, 2 * MIB, &err), PST_EDENIED, "%s", err.text);
	p.within = disk_folder;
	snprintf(path, sizeof(path), "%s", disk_file("junk", "junk", 4, 4096));
	cr_assert_eq(edit_grow(&p, 2 * MIB, &err), PST_EINVAL);
}

Test(edit, a_snapshots_name_is_no_option)
{
	struct pst_err err = PST_ERR_INIT;
	char path[PATH_MAX];
	struct edit_params p = { .program = "/nonexistent", .path = path, .within = disk_folder, .timeout_ms = 1000, .cancel_fd = -1 };

	snprintf(path, sizeof(path), "%s", disk_plain("disk.qcow2"));
	cr_assert_eq(edit_snapshot(&p, EDIT_SNAPSHOT_TAKE, "-d", &err), PST_EINVAL);
	cr_assert_eq(edit_snapshot(&p, EDIT_SNAPSHOT_APPLY, "a", &err), PST_ENOTFOUND, "%s", err.text);
	int fd = open(path, O_RDWR);
	cr_assert_eq(edit_snapshot(&p, EDIT_SNAPSHOT_DELETE, "a", &err), PST_EBUSY, "%s", err.text);
	close(fd);
	snprintf(path, sizeof(path), "%s/a,b.qcow2", disk_folder);
	cr_assert_eq(edit_snapshot(&p, EDIT_SNAPSHOT_TAKE, "a", &err), PST_EINVAL, "qemu-img splits at commas");
}
