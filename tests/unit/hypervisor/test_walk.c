/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which files are disks, and where the walk does not go. */
#include "broker/hypervisor/disk/walk.h"

#include "tests/unit/hypervisor/disk_folder.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(walk, .init = disk_folder_make, .fini = disk_folder_remove);

struct seen {
	unsigned n, raw;
	int stop_with;
};

static int see(int fd, const char *path, const struct stat *st, enum disk_format format, void *arg, struct pst_err *err)
{
	struct seen *s = arg;
	struct stat same;

	(void)err;
	cr_assert(fstat(fd, &same) == 0 && same.st_ino == st->st_ino);
	cr_assert(stat(path, &same) == 0 && same.st_ino == st->st_ino, "%s", path);
	s->n++;
	s->raw += format == DISK_RAW;
	return s->stop_with;
}

Test(walk, disks_are_found_by_their_names_in_real_folders)
{
	static const char *const files[] = { "a.qcow2", "b.raw", "in/c.qcow2", "in/.d.qcow2.abcdefghijkl.tmp", "e.txt",
		"qcow2", ".f.tmp", "in/deep/g.raw" };
	struct pst_err err = PST_ERR_INIT;
	struct seen s = { 0 };

	cr_assert(mkdir(disk_at("in"), 0700) == 0 && mkdir(disk_at("in/deep"), 0700) == 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		disk_file(files[i], "", 0, 512);
	cr_assert_eq(symlink("a.qcow2", disk_at("link.qcow2")), 0);
	cr_assert_eq(symlink("in", disk_at("again")), 0);
	cr_assert_eq(mkdir(disk_at("folder.qcow2"), 0700), 0);
	cr_assert_eq(walk_disks(disk_folder, see, &s, &err), 0, "%s", err.text);
	cr_assert(s.n == 5 && s.raw == 2, "%u, %u raw", s.n, s.raw);
	s = (struct seen){ .stop_with = 7 };
	cr_assert_eq(walk_disks(disk_folder, see, &s, &err), 7);
	cr_assert_eq(s.n, 1);
	cr_assert_eq(walk_disks(disk_at("none"), see, &s, &err), PST_ENOTFOUND);
	cr_assert_lt(walk_disks(disk_at("e.txt"), see, &s, &err), 0);
}
