/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Users' disks in files, with real loop devices where this machine lends some. Covers: broker/hypervisor/desktop/ext4.c */
#include "broker/hypervisor/desktop/ext4.h"
#include "broker/hypervisor/desktop/loop.h"

#include "base/err.h"
#include "tests/unit/fine.h"
#include "tests/unit/hypervisor/disk_folder.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MB (UINT64_C(1) << 20)
#define UID 4321

static void make(void)
{
	disk_folder_make();
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
}

TestSuite(loop, .init = make, .fini = disk_folder_remove);

static void need_loops(void)
{
	struct pst_err why = PST_ERR_INIT;

	if (geteuid() != 0 || loop_check(disk_folder, &why) < 0)
		cr_skip("no loop devices, or no right to mount: %s", why.text);
	cr_assert_eq(disk_names(), 0, "the check leaves nothing");
}

static int opened(uint64_t size, int skeleton)
{
	struct pst_err err = STALE;
	int mount = loop_open(disk_folder, size, skeleton, UID, &err);

	cr_assert_geq(mount, 0, "%s", err.text);
	LEFT_ALONE(err, "loop_open");
	return mount;
}

static uint64_t room(int mount)
{
	struct statvfs s;

	cr_assert_eq(fstatvfs(mount, &s), 0);
	return (uint64_t)s.f_blocks * s.f_frsize;
}

static void settle(void)
{
	struct pst_err err = PST_ERR_INIT;
	int file = loop_file(disk_folder);

	cr_assert_geq(file, 0);
	cr_assert_eq(loop_settle(file, 5000, &err), 0, "%s", err.text);
	close(file);
}

Test(loop, a_disk_is_made_with_its_size_kept_and_larger_the_next_time)
{
	struct stat st;
	int mount, skeleton;

	need_loops();
	cr_assert_eq(mkdir(disk_at("skel"), 0755), 0);
	disk_file("skel/welcome", "hello", 5, 5);
	disk_file(LOOP_FILE ".new", "half made", 9, 9); /* as a crash leaves it */
	skeleton = open(disk_at("skel"), O_RDONLY | O_DIRECTORY);
	mount = opened(32 * MB, skeleton);
	close(skeleton);
	cr_assert(room(mount) > 16 * MB && room(mount) < 32 * MB);
	cr_assert_eq(fstatat(mount, "welcome", &st, 0), 0);
	cr_assert(st.st_uid == UID && st.st_size == 5);
	cr_assert_eq(fstatat(mount, ".", &st, 0), 0);
	cr_assert(st.st_uid == UID && (st.st_mode & 07777) == 0700);
	cr_assert_eq(faccessat(mount, "lost+found", F_OK, 0), -1);
	cr_assert(loop_is(mount, disk_folder));
	cr_assert_not(loop_is(mount, disk_at("skel")));
	close(mount);
	settle();
	mount = opened(64 * MB, -1);
	cr_assert_gt(room(mount), 48 * MB, "it has grown");
	cr_assert_eq(fstatat(mount, "welcome", &st, 0), 0, "with what was in it");
	cr_assert_eq(faccessat(mount, "lost+found", F_OK, 0), -1);
	close(mount);
	settle();
	mount = opened(8 * MB, -1);
	cr_assert_gt(room(mount), 48 * MB, "it never shrinks");
	close(mount);
	settle();
}

Test(loop, it_is_mounted_once)
{
	struct pst_err err = PST_ERR_INIT;
	int mount, file;

	need_loops();
	cr_assert_eq(loop_file(disk_folder), -1, "there is none yet");
	mount = opened(16 * MB, -1);
	file = loop_file(disk_folder);
	cr_assert_eq(loop_settle(file, 100, &err), PST_EBUSY, "%s", err.text);
	close(mount);
	cr_assert_eq(loop_settle(file, 5000, &err), 0, "%s", err.text);
	close(file);
}

Test(loop, what_is_no_file_system_is_not_mounted)
{
	struct pst_err err = PST_ERR_INIT;

	need_loops();
	disk_file(LOOP_FILE, "something else", 14, 16 * MB);
	cr_assert_lt(loop_open(disk_folder, 16 * MB, -1, UID, &err), 0);
	cr_assert(err.text[0]);
}

/* As an administrator leaves it who keeps it on another file system, which is away now. */
Test(loop, what_is_there_in_its_place_is_never_replaced)
{
	struct pst_err err = PST_ERR_INIT;
	struct stat st;

	cr_assert_eq(symlink("/nowhere/disk.raw", disk_at(LOOP_FILE)), 0);
	cr_assert_lt(loop_open(disk_folder, 16 * MB, -1, UID, &err), 0);
	cr_assert(lstat(disk_at(LOOP_FILE), &st) == 0 && S_ISLNK(st.st_mode), "it is as it was");
	cr_assert_eq(disk_names(), 1, "and nothing was made beside it");
}

Test(loop, a_superblock_is_read)
{
	uint8_t super[2048] = { 0 };
	struct pst_err err = PST_ERR_INIT;
	uint64_t bytes = 0;
	int fd;

	super[1024 + 5] = 1;  /* 256 blocks */
	super[1024 + 24] = 2; /* of 4 KiB */
	super[1024 + 56] = 0x53;
	super[1024 + 57] = 0xef;
	fd = open(disk_file("a", super, sizeof(super), sizeof(super)), O_RDONLY);
	cr_assert_eq(ext4_bytes(fd, &bytes, &err), 0, "%s", err.text);
	cr_assert_eq(bytes, MB);
	close(fd);
	super[1024 + 24] = 200;
	fd = open(disk_file("b", super, sizeof(super), sizeof(super)), O_RDONLY);
	cr_assert_eq(ext4_bytes(fd, &bytes, &err), PST_EIO, "no block is that large");
	close(fd);
	fd = open(disk_file("c", super, 100, 100), O_RDONLY);
	cr_assert_eq(ext4_bytes(fd, &bytes, &err), PST_EIO, "it is too short");
	close(fd);
}
