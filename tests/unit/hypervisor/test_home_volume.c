/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A user's disk as the guest mounts it, with the kernel's own ext4 on a loop device: made once, mended, grown, and never made anew
 * under files. In a mount namespace of its own. Covers: broker/hypervisor/desktop/volume.c
 */
#include "broker/hypervisor/desktop/volume.h"

#include "tests/unit/fine.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/loop.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MIB (1 << 20)
#define UID 12345

static char folder[] = "/var/tmp/puesto-volume-XXXXXX", file[64], home[64], device[32];
static int loop = -1;

/* LO_FLAGS_AUTOCLEAR: it ends with whoever has it open. False with errno; EBUSY: somebody else was faster. */
static bool loop_open(int control, int fd)
{
	struct loop_config c = { .fd = (uint32_t)fd, .info = { .lo_flags = LO_FLAGS_AUTOCLEAR } };

	snprintf(device, sizeof(device), "/dev/loop%d", ioctl(control, LOOP_CTL_GET_FREE));
	loop = open(device, O_RDWR | O_CLOEXEC);
	if (loop < 0)
		return false;
	if (ioctl(loop, LOOP_CONFIGURE, &c) == 0)
		return true;
	close(loop);
	return false;
}

static void loop_make(void)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	bool is_there;

	cr_assert(control >= 0 && fd >= 0 && ftruncate(fd, 16 * MIB) == 0);
	while (!(is_there = loop_open(control, fd)) && errno == EBUSY)
		;
	close(control);
	close(fd);
	cr_assert(is_there, "%s: %s", device, strerror(errno));
}

static void make(void)
{
	if (geteuid() != 0 || access("/sbin/mkfs.ext4", X_OK) < 0 || access("/dev/loop-control", W_OK) < 0)
		cr_skip("a loop device and ext4 need root and e2fsprogs");
	cr_assert_eq(unshare(CLONE_NEWNS), 0);
	cr_assert_eq(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	cr_assert_not_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/disk", folder);
	snprintf(home, sizeof(home), "%s/home", folder);
	cr_assert_eq(mkdir(home, 0755), 0);
	loop_make();
}

static void drop(void)
{
	umount2(home, MNT_DETACH);
	close(loop);
	unlink(file);
	rmdir(home);
	rmdir(folder);
}

TestSuite(home_volume, .init = make, .fini = drop, .timeout = 60);

static void put(void)
{
	struct pst_err err;

	FINE(volume_mount(device, home, UID, &err));
}

static void away(void)
{
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(volume_unmount(home, 1000, &err), 0, "%s", err.text);
}

static void note(const char *name, uid_t uid)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", home, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(fchown(fd, uid, uid), 0);
	close(fd);
}

static bool has(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", home, name);
	return access(path, F_OK) == 0;
}

static uid_t owner(void)
{
	struct stat st;

	cr_assert_eq(stat(home, &st), 0);
	return st.st_uid;
}

/* What makes a file system and does not get to give it away. */
static void made_by_root(void)
{
	char command[128];

	snprintf(command, sizeof(command), "mkfs.ext4 -q -F %s", device);
	cr_assert_eq(system(command), 0);
	cr_assert_eq(mount(device, home, "ext4", 0, ""), 0);
}

Test(home_volume, an_empty_disk_becomes_a_home_and_stays_one)
{
	put();
	cr_expect_eq(owner(), UID);
	cr_expect_not(has("lost+found"));
	cr_expect_not(has(".puesto-new"));
	note("letter", UID);
	put();
	away();
	cr_expect_not(has("letter"));
	put();
	cr_expect(has("letter"));
	away();
}

Test(home_volume, files_that_somebody_else_brought_are_given_to_their_user)
{
	made_by_root();
	note("letter", 0);
	cr_assert_eq(umount(home), 0);
	put();
	cr_expect(has("letter"), "it was made anew under them");
	cr_expect_eq(owner(), UID);
	away();
}

Test(home_volume, one_whose_making_was_cut_short_is_made_anew)
{
	for (int is_begun = 0; is_begun < 2; is_begun++) {
		made_by_root();
		if (is_begun) {
			note(".puesto-new", 0);
			note("half", UID);
		}
		cr_assert_eq(umount(home), 0);
		put();
		cr_expect_eq(owner(), UID);
		cr_expect_not(has("half"));
		cr_expect_not(has(".puesto-new"));
		note("letter", UID);
		away();
	}
}

/* Wanted by the kernel for it: ext4(5), EXT4_IOC_RESIZE_FS. A container's root may lack it. */
static bool may_resize(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2];

	return syscall(SYS_capget, &header, caps) == 0 && (caps[0].effective & (1u << CAP_SYS_RESOURCE));
}

Test(home_volume, it_grows_with_its_disk)
{
	struct statfs before, after;

	if (!may_resize()) {
		drop();
		cr_skip("it needs CAP_SYS_RESOURCE");
	}
	put();
	note("letter", UID);
	cr_assert_eq(statfs(home, &before), 0);
	away();
	cr_assert_eq(truncate(file, 32 * MIB), 0);
	cr_assert_eq(ioctl(loop, LOOP_SET_CAPACITY, 0), 0);
	put();
	cr_assert_eq(statfs(home, &after), 0);
	cr_expect_gt(after.f_blocks * (uint64_t)after.f_bsize, before.f_blocks * (uint64_t)before.f_bsize + 10 * MIB);
	cr_expect(has("letter"));
	away();
}

Test(home_volume, what_is_not_ours_is_left_alone)
{
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(pwrite(loop, "data", 4, 4096), 4);
	cr_expect_eq(volume_mount(device, home, UID, &err), PST_ECONFLICT);
	cr_expect_not_null(strstr(err.text, "left alone"), "%s", err.text);
}
