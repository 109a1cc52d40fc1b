/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The life of an image's version: published whole or not at all, verified, removed last. Needs root.
 * Covers: broker/hypervisor/disk/version_list.c
 */
#include "broker/hypervisor/disk/version.h"

#include "broker/hypervisor/disk/datastore.h"
#include "broker/hypervisor/disk/recycle.h"
#include "broker/hypervisor/disk/seal.h"
#include "tests/unit/hypervisor/disk_folder.h"
#include "tests/unit/hypervisor/disk_stack.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY INT64_C(86400000)
#define NOW (20000 * DAY)

static void make(void)
{
	struct pst_err err = PST_ERR_INIT;

	if (geteuid() != 0)
		cr_skip_test("sealing needs root");
	disk_folder_make();
	cr_assert_eq(datastore_init(disk_folder, &err), 0, "%s", err.text);
}

static int unseal(const struct manifest *m, void *arg, struct pst_err *err)
{
	char path[PATH_MAX];

	(void)arg;
	if (version_disk_path(disk_folder, m->image, m->version, path, err) == 0)
		seal_break(path, err);
	return 0;
}

static int unseal_entry(const struct recycle_entry *e, void *arg, struct pst_err *err)
{
	char path[PATH_MAX + 16];

	(void)arg;
	snprintf(path, sizeof(path), "%s/disk.qcow2", e->item);
	seal_break(path, err);
	return 0;
}

static void remove_all(void)
{
	struct pst_err err = PST_ERR_INIT;

	if (geteuid() != 0)
		return;
	version_list(disk_folder, unseal, NULL, &err);
	recycle_list(disk_folder, unseal_entry, NULL, &err);
	disk_folder_remove();
}

TestSuite(version, .init = make, .fini = remove_all);

static int publish(const char *image, const char *version, const char *source, struct pst_err *err)
{
	struct version_params p = { .folder = disk_folder, .image = image, .version = version, .source = source,
		.now_ms = NOW };
	struct manifest m;

	return version_publish(&p, &m, err);
}

static int collect(const struct manifest *m, void *arg, struct pst_err *err)
{
	(void)err;
	strcat(arg, m->version);
	return 0;
}

Test(version, a_published_one_is_sealed_described_and_listed)
{
	struct pst_err err = PST_ERR_INIT;
	char path[PATH_MAX], versions[64] = "";
	struct manifest m;

	cr_assert_eq(publish("debian", "1", disk_plain("source.qcow2"), &err), 0, "%s", err.text);
	cr_assert_eq(access(disk_at("source.qcow2"), F_OK), -1, "it was moved");
	cr_assert_eq(version_disk_path(disk_folder, "debian", "1", path, &err), 0);
	cr_assert_eq(seal_verify(path, &err), 0, "%s", err.text);
	cr_assert_eq(version_read(disk_folder, "debian", "1", &m, &err), 0, "%s", err.text);
	cr_assert(m.size == 1 << 20 && m.file_size == 4 * 65536 && m.format == DISK_QCOW2);
	cr_assert_str_eq(m.created, "2024-10-04T00:00:00.000Z");
	cr_assert_eq(version_verify(disk_folder, "debian", "1", true, NULL, NULL, &err), 0, "%s", err.text);

	cr_assert_eq(publish("debian", "1", disk_plain("source.qcow2"), &err), PST_ECONFLICT);
	cr_assert_eq(access(disk_at("source.qcow2"), F_OK), 0);
	cr_assert_eq(publish("debian", "2", disk_at("source.qcow2"), &err), 0, "%s", err.text);
	cr_assert_eq(version_list(disk_folder, collect, versions, &err), 0, "%s", err.text);
	cr_assert(strcmp(versions, "12") == 0 || strcmp(versions, "21") == 0, "%s", versions);
	cr_assert_eq(version_read(disk_folder, "debian", "3", &m, &err), PST_ENOTFOUND);
	cr_assert_eq(version_read(disk_folder, "..", "1", &m, &err), PST_EINVAL);
}

static bool give_up(void *arg, uint32_t basis_points)
{
	(void)arg;
	(void)basis_points;
	return false;
}

Test(version, what_cannot_be_published_stays_where_it_was)
{
	struct pst_err err = PST_ERR_INIT;
	char source[PATH_MAX];
	struct version_params p = { .folder = disk_folder, .image = "i", .version = "v", .source = source,
		.go_on = give_up };
	struct manifest m;
	struct stat st;

	disk_plain("base.qcow2");
	snprintf(source, sizeof(source), "%s", disk_overlay("source.qcow2", "base.qcow2"));
	cr_assert_eq(publish("i", "v", source, &err), PST_EINVAL);
	cr_assert(strstr(err.text, "backing file"), "%s", err.text);
	snprintf(source, sizeof(source), "%s", disk_plain("source.qcow2"));
	int fd = open(source, O_RDWR);
	cr_assert_eq(publish("i", "v", source, &err), PST_EBUSY, "%s", err.text);
	close(fd);
	cr_assert_eq(version_publish(&p, &m, &err), PST_ECLOSED, "%s", err.text);
	cr_assert(stat(source, &st) == 0 && (st.st_mode & 07777) == 0600, "it can be written again");
	snprintf(source, sizeof(source), "%s", disk_file("junk.qcow2", "junk", 4, 1 << 20));
	cr_assert_eq(publish("i", "v", source, &err), PST_EINVAL);
	cr_assert_eq(publish("i", "v", disk_at("none"), &err), PST_ENOTFOUND);
	cr_assert_eq(publish("i", "../v", source, &err), PST_EINVAL);
	cr_assert_eq(rmdir(disk_at("images/i")), 0, "nothing was left");
}

Test(version, a_changed_one_is_found)
{
	struct pst_err err = PST_ERR_INIT;
	char path[PATH_MAX];
	uint8_t byte = 7;

	cr_assert_eq(publish("i", "v", disk_plain("s.qcow2"), &err), 0, "%s", err.text);
	cr_assert_eq(version_disk_path(disk_folder, "i", "v", path, &err), 0);
	cr_assert_eq(seal_break(path, &err), 0);
	cr_assert_eq(chmod(path, 0644), 0);
	cr_assert_eq(version_verify(disk_folder, "i", "v", false, NULL, NULL, &err), PST_ECONFLICT, "no seal");
	int fd = open(path, O_WRONLY);
	cr_assert_eq(pwrite(fd, &byte, 1, 200000), 1);
	close(fd);
	cr_assert_eq(seal_set(path, NULL, &err), 0);
	cr_assert_eq(version_verify(disk_folder, "i", "v", false, NULL, NULL, &err), 0, "%s", err.text);
	cr_assert_eq(version_verify(disk_folder, "i", "v", true, NULL, NULL, &err), PST_ECONFLICT);
	cr_assert(strstr(err.text, "bytes"), "%s", err.text);
}

Test(version, one_that_desktops_stand_on_is_not_removed)
{
	struct pst_err err = PST_ERR_INIT;
	struct manifest m;
	unsigned n;

	cr_assert_eq(publish("i", "v", disk_plain("s.qcow2"), &err), 0, "%s", err.text);
	disk_overlay("desktops/d.qcow2", "images/i/v/disk.qcow2");
	cr_assert_eq(version_remove(disk_folder, NULL, "i", "v", "old", NOW, DAY, &err), PST_EBUSY);
	cr_assert(strstr(err.text, "desktops/d.qcow2"), "%s", err.text);
	disk_file("desktops/d.qcow2", "junk", 4, 4096);
	cr_assert_eq(version_remove(disk_folder, NULL, "i", "v", "old", NOW, DAY, &err), PST_EBUSY, "who knows what it was");
	cr_assert_eq(unlink(disk_at("desktops/d.qcow2")), 0);
	cr_assert_eq(version_remove(disk_folder, NULL, "i", "v", "old", NOW, DAY, &err), 0, "%s", err.text);
	cr_assert_eq(version_read(disk_folder, "i", "v", &m, &err), PST_ENOTFOUND);
	cr_assert_eq(recycle_purge(disk_folder, NULL, NOW + DAY, &n, &err), 0, "%s", err.text);
	cr_assert_eq(n, 1, "the immutable file goes, too");
	cr_assert_eq(rmdir(disk_at("images/i")), 0);
}

Test(version, a_half_published_disk_is_kept_in_the_bin)
{
	struct pst_err err = PST_ERR_INIT;
	unsigned n = 9;

	cr_assert_eq(mkdir(disk_at("images/i"), 0700), 0);
	cr_assert_eq(mkdir(disk_at("images/i/.v.abcdefghijkl.tmp"), 0700), 0);
	cr_assert_eq(mkdir(disk_at("images/i/.w.abcdefghijkl.tmp"), 0700), 0);
	cr_assert_eq(seal_set(disk_plain("images/i/.v.abcdefghijkl.tmp/disk.qcow2"), NULL, &err), 0);
	cr_assert_eq(version_sweep(disk_folder, NOW, DAY, &n, &err), 0, "%s", err.text);
	cr_assert_eq(n, 2);
	cr_assert_eq(rmdir(disk_at("images/i")), 0);
	cr_assert_eq(recycle_purge(disk_folder, NULL, NOW + DAY, &n, &err), 0, "%s", err.text);
	cr_assert_eq(n, 1);
}
