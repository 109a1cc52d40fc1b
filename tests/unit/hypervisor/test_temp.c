/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names that come last, and what a crash leaves. */
#include "broker/hypervisor/disk/temp.h"

#include "tests/unit/hypervisor/disk_folder.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(temp, .init = disk_folder_make, .fini = disk_folder_remove);

Test(temp, only_a_single_name_has_a_temporary_one)
{
	static const char *const bad[] = { "", ".", "..", "a/b", "/" };
	struct pst_err err = PST_ERR_INIT;
	char a[TEMP_SIZE], b[TEMP_SIZE], longest[TEMP_NAME_MAX + 2];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(temp_name(bad[i], a, &err), PST_EINVAL, "%s", bad[i]);
	memset(longest, 'x', sizeof(longest));
	longest[TEMP_NAME_MAX + 1] = '\0';
	cr_assert_eq(temp_name(longest, a, &err), PST_EINVAL);
	longest[TEMP_NAME_MAX] = '\0';
	cr_assert_eq(temp_name(longest, a, &err), 0);
	cr_assert_eq(strlen(a), TEMP_SIZE - 1);
	cr_assert_str_eq(a + strlen(a) - 4, ".tmp");
	cr_assert_eq(temp_name(longest, b, &err), 0);
	cr_assert_str_neq(a, b);
}

Test(temp, a_taken_name_stays_what_it_was)
{
	struct pst_err err = PST_ERR_INIT;
	struct stat st;
	int folder = open(disk_folder, O_RDONLY | O_DIRECTORY);

	disk_file("new", "n", 1, 1);
	disk_file("old", "old", 3, 3);
	cr_assert_eq(temp_publish(folder, "new", "old", &err), PST_ECONFLICT);
	cr_assert(stat(disk_at("old"), &st) == 0 && st.st_size == 3);
	cr_assert_eq(temp_publish(folder, "new", "other", &err), 0, "%s", err.text);
	cr_assert(stat(disk_at("other"), &st) == 0 && st.st_size == 1);
	cr_assert_eq(access(disk_at("new"), F_OK), -1);
	cr_assert_eq(temp_publish(folder, "new", "third", &err), PST_ENOTFOUND, "it is gone");
	close(folder);
}

Test(temp, a_sweep_takes_what_a_crash_has_left_and_nothing_else)
{
	struct pst_err err = PST_ERR_INIT;
	char name[TEMP_SIZE];
	size_t n = 9;

	disk_file("disk.qcow2", "", 0, 0);
	disk_file(".hidden", "", 0, 0);
	disk_file("x.tmp", "", 0, 0);
	disk_file(".tmp", "", 0, 0);
	cr_assert_eq(temp_name("disk.qcow2", name, &err), 0);
	disk_file(name, "", 0, 0);
	cr_assert_eq(temp_name("1.0", name, &err), 0);
	cr_assert_eq(mkdir(disk_at(name), 0700), 0);
	cr_assert_eq(disk_names(), 6);
	cr_assert_eq(temp_sweep(disk_folder, &n, &err), 0, "%s", err.text);
	cr_assert_eq(n, 2);
	cr_assert_eq(disk_names(), 4);
	cr_assert_eq(temp_sweep(disk_at("none"), NULL, &err), PST_ENOTFOUND);
}
