/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Snapshots as files: what stands on what after each step, and after a crash between two.
 * Covers: broker/hypervisor/disk/snapshot_list.c
 */
#include "broker/hypervisor/disk/snapshot.h"

#include "broker/hypervisor/disk/info.h"
#include "tests/unit/hypervisor/disk_folder.h"
#include "tests/unit/hypervisor/disk_stack.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char disk[PATH_MAX];

static void make(void)
{
	disk_folder_make();
	disk_plain("golden.qcow2");
	cr_assert_eq(mkdir(disk_at("d"), 0700), 0);
	snprintf(disk, sizeof(disk), "%s", disk_overlay("d/disk.qcow2", "golden.qcow2"));
}

TestSuite(snapshot, .init = make, .fini = disk_folder_remove);

static const char *backing_of(const char *path)
{
	static struct disk_info info;
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(disk_chain_walk(path, DISK_QCOW2, disk_folder, NULL, NULL, &info, &err), 0, "%s", err.text);
	return info.qcow2.backing;
}

struct listing {
	unsigned n, current;
	char names[64];
};

static int see(const struct snapshot *s, void *arg, struct pst_err *err)
{
	struct listing *l = arg;

	(void)err;
	l->n++;
	l->current += s->is_current;
	strcat(l->names, s->name);
	return 0;
}

static struct listing list(void)
{
	struct listing l = { 0 };
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(snapshot_list(disk, see, &l, &err), 0, "%s", err.text);
	return l;
}

static int delete(const char *id, struct pst_err *err)
{
	struct edit_params p = { .program = "/nonexistent", .within = disk_folder, .timeout_ms = 1000, .cancel_fd = -1 };

	return snapshot_delete(&p, disk, disk_folder, NULL, id, err);
}

Test(snapshot, taken_ones_stand_on_each_other_and_the_disk_on_the_last)
{
	struct pst_err err = PST_ERR_INIT;
	struct snapshot a, b;
	struct stat st;

	cr_assert_eq(chown(disk, 12, 34), 0);
	cr_assert_eq(snapshot_take(disk, disk_folder, "a", 5000, &a, &err), 0, "%s", err.text);
	cr_assert_str_eq(backing_of(disk), a.path);
	cr_assert_eq(snapshot_take(disk, disk_folder, "b", 6000, &b, &err), 0, "%s", err.text);
	cr_assert_str_eq(backing_of(disk), b.path);
	cr_assert_str_eq(backing_of(b.path), a.path);
	cr_assert_str_eq(backing_of(a.path), disk_at("golden.qcow2"));
	cr_assert(stat(b.path, &st) == 0 && st.st_nlink == 1 && (st.st_mode & 07777) == 0400);
	cr_assert(stat(disk, &st) == 0 && st.st_uid == 12 && st.st_gid == 34 && (st.st_mode & 07777) == 0600);
	struct listing l = list();
	cr_assert(l.n == 2 && l.current == 1 && strchr(l.names, 'a') && strchr(l.names, 'b'));
}

Test(snapshot, going_back_is_a_new_overlay_of_what_was)
{
	struct pst_err err = PST_ERR_INIT;
	struct snapshot a, b;

	cr_assert_eq(snapshot_take(disk, disk_folder, "a", 5000, &a, &err), 0, "%s", err.text);
	cr_assert_eq(snapshot_take(disk, disk_folder, "b", 6000, &b, &err), 0, "%s", err.text);
	cr_assert_eq(snapshot_revert(disk, disk_folder, a.id, &err), 0, "%s", err.text);
	cr_assert_str_eq(backing_of(disk), a.path);
	cr_assert_eq(list().n, 2, "b is still there");
	cr_assert_eq(delete(a.id, &err), PST_EBUSY, "b and the disk stand on it");
	cr_assert_eq(delete(b.id, &err), 0, "nothing stands on it: %s", err.text);
	cr_assert_eq(list().n, 1);
	cr_assert_eq(delete(b.id, &err), PST_ENOTFOUND);
	cr_assert_neq(delete(a.id, &err), 0, "the disk takes it over, which takes qemu-img");
	cr_assert_eq(list().n, 1);
	cr_assert_eq(snapshot_revert(disk, disk_folder, "000000000000", &err), PST_ENOTFOUND);
	cr_assert_eq(snapshot_revert(disk, disk_folder, "../../golden", &err), PST_ENOTFOUND);
}

Test(snapshot, a_disk_in_use_is_left_alone)
{
	struct pst_err err = PST_ERR_INIT;
	struct snapshot a;

	cr_assert_eq(snapshot_take(disk, disk_folder, "a", 5000, &a, &err), 0);
	int fd = open(disk, O_RDWR);
	cr_assert_eq(snapshot_take(disk, disk_folder, "b", 6000, NULL, &err), PST_EBUSY, "%s", err.text);
	cr_assert_eq(snapshot_revert(disk, disk_folder, a.id, &err), PST_EBUSY);
	close(fd);
	cr_assert_eq(list().n, 1);
}

Test(snapshot, names_paths_and_numbers_have_limits)
{
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(snapshot_take(disk, disk_folder, "", 0, NULL, &err), PST_EINVAL);
	cr_assert_eq(snapshot_take(disk, disk_folder, "a\nb", 0, NULL, &err), PST_EINVAL);
	cr_assert_eq(snapshot_take("disk.qcow2", disk_folder, "a", 0, NULL, &err), PST_EINVAL);
	cr_assert_eq(snapshot_take(disk_at("d/none.qcow2"), disk_folder, "a", 0, NULL, &err), PST_ENOTFOUND);
	for (int i = 0; i <= SNAPSHOTS_MAX; i++)
		cr_assert_eq(snapshot_take(disk, disk_folder, "s", i, NULL, &err), i < SNAPSHOTS_MAX ? 0 : PST_ELIMIT,
			"%d: %s", i, err.text);
	cr_assert_eq(list().n, SNAPSHOTS_MAX);
}

Test(snapshot, a_crash_on_the_way_means_that_nothing_has_happened)
{
	struct pst_err err = PST_ERR_INIT;
	static const char label[] = "{\"v\":1,\"id\":\"0123456789ab\",\"name\":\"x\",\"created\":\"2026-11-29T10:00:00Z\"}";
	struct snapshot a;

	/* The label only; then the second name, too; then the overlay beside it. */
	for (int step = 0; step < 3; step++) {
		disk_file("d/snapshot-0123456789ab.json", label, strlen(label), strlen(label));
		if (step > 0)
			cr_assert_eq(link(disk, disk_at("d/snapshot-0123456789ab.qcow2")), 0);
		if (step > 1)
			disk_file("d/.next.abcdefghijkl.tmp", "", 0, 512);
		cr_assert_eq(snapshot_repair(disk, &err), 0, "%s", err.text);
		cr_assert_eq(list().n, 0);
		cr_assert_eq(access(disk_at("d/snapshot-0123456789ab.json"), F_OK), -1);
		cr_assert_eq(access(disk_at("d/snapshot-0123456789ab.qcow2"), F_OK), -1);
		cr_assert_eq(access(disk_at("d/.next.abcdefghijkl.tmp"), F_OK), -1);
		cr_assert_str_eq(backing_of(disk), disk_at("golden.qcow2"));
	}
	cr_assert_eq(snapshot_take(disk, disk_folder, "a", 0, &a, &err), 0);
	cr_assert_eq(snapshot_repair(disk, &err), 0);
	cr_assert_eq(list().n, 1, "a whole one stays");
	/* A label that somebody has broken hides the snapshot and loses nothing. */
	char name[64];
	snprintf(name, sizeof(name), "d/snapshot-%s.json", a.id);
	disk_file(name, "{}", 2, 2);
	cr_assert_eq(list().n, 0);
	cr_assert_eq(snapshot_repair(disk, &err), 0);
	cr_assert_eq(access(a.path, F_OK), 0);
}
