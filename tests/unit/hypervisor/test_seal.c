/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A sealed image takes no byte from anybody, and what is not sealed is told. Needs root. */
#include "broker/hypervisor/disk/seal.h"

#include "tests/unit/hypervisor/disk_folder.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void make(void)
{
	if (geteuid() != 0)
		cr_skip_test("sealing needs root");
	disk_folder_make();
}

static void remove_all(void)
{
	struct pst_err err = PST_ERR_INIT;

	if (geteuid() != 0)
		return;
	seal_break(disk_at("golden"), &err);
	disk_folder_remove();
}

TestSuite(seal, .init = make, .fini = remove_all);

Test(seal, a_sealed_file_is_read_only_even_for_root)
{
	struct pst_err err = PST_ERR_INIT;
	bool immutable = false;
	struct stat st;
	const char *path = disk_file("golden", "g", 1, 1);

	cr_assert_eq(seal_verify(path, &err), PST_ECONFLICT, "not yet");
	cr_assert_eq(seal_set(path, &immutable, &err), 0, "%s", err.text);
	cr_assert_eq(seal_verify(path, &err), 0, "%s", err.text);
	cr_assert(stat(path, &st) == 0 && st.st_uid == 0 && (st.st_mode & 07777) == 0444);
	if (immutable) {
		cr_assert_eq(open(path, O_WRONLY), -1);
		cr_assert_eq(errno, EPERM);
		cr_assert_eq(unlink(path), -1);
	}
	cr_assert_eq(seal_set(path, NULL, &err), 0, "twice is fine: %s", err.text);
	cr_assert_eq(seal_break(path, &err), 0, "%s", err.text);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(seal_verify(path, &err), PST_ENOTFOUND);
}

Test(seal, whoever_has_it_open_for_writing_is_found)
{
	struct pst_err err = PST_ERR_INIT;
	const char *path = disk_file("golden", "g", 1, 1);
	int fd = open(path, O_RDWR);

	cr_assert_eq(seal_set(path, NULL, &err), PST_EBUSY, "%s", err.text);
	cr_assert_neq(seal_verify(path, &err), 0);
	close(fd);
	cr_assert_eq(seal_set(path, NULL, &err), 0, "%s", err.text);
}

Test(seal, links_and_second_names_are_refused)
{
	struct pst_err err = PST_ERR_INIT;
	const char *path = disk_file("golden", "g", 1, 1);

	cr_assert_eq(link(path, disk_at("second")), 0);
	cr_assert_eq(seal_set(path, NULL, &err), PST_ECONFLICT);
	cr_assert(strstr(err.text, "2 names"), "%s", err.text);
	cr_assert_eq(symlink("golden", disk_at("link")), 0);
	cr_assert_neq(seal_set(disk_at("link"), NULL, &err), 0);
	cr_assert_eq(seal_set(disk_folder, NULL, &err), PST_EINVAL);
	cr_assert_eq(seal_break(path, &err), 0, "an unsealed one");
}

Test(seal, a_lost_seal_is_told)
{
	static const mode_t modes[] = { 0644, 0440, 0600, 04444 };
	struct pst_err err = PST_ERR_INIT;
	const char *path = disk_file("golden", "g", 1, 1);

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		cr_assert_eq(chmod(path, modes[i]), 0);
		cr_assert_eq(seal_verify(path, &err), PST_ECONFLICT, "%04o", modes[i]);
	}
	cr_assert_eq(chmod(path, 0444), 0);
	cr_assert_eq(seal_verify(path, &err), 0, "%s", err.text);
	cr_assert_eq(chown(path, 1, 0), 0);
	cr_assert_eq(seal_verify(path, &err), PST_ECONFLICT);
}
