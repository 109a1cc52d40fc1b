/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Overlays in batches: the good ones stand whole, the others say why, nothing is replaced. */
#include "broker/hypervisor/disk/info.h"
#include "broker/hypervisor/disk/qcow2.h"
#include "broker/hypervisor/disk/seal.h"

#include "tests/unit/hypervisor/disk_folder.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANY 600 /* more than two rounds */

TestSuite(overlay, .init = disk_folder_make, .fini = disk_folder_remove);

static char base[PATH_MAX], paths[MANY][PATH_MAX];

static struct qcow2_overlay overlay(const char *path)
{
	return (struct qcow2_overlay){ .path = path, .backing = base, .backing_format = DISK_RAW,
		.within = disk_folder, .uid = getuid(), .gid = getgid(), .code = -99 };
}

static void base_make(uint64_t size)
{
	snprintf(base, sizeof(base), "%s", disk_file("base", "data", 4, size));
}

static uint64_t size_of(const char *path)
{
	struct pst_err err = PST_ERR_INIT;
	struct disk_info top;

	cr_assert_eq(disk_chain_walk(path, DISK_QCOW2, disk_folder, NULL, NULL, &top, &err), 0, "%s", err.text);
	return top.size;
}

Test(overlay, a_batch_larger_than_a_round_is_made_in_folders_of_its_own)
{
	static struct qcow2_overlay all[MANY];
	struct pst_err err = PST_ERR_INIT;
	struct stat st;

	base_make(10 << 20);
	for (int i = 0; i < MANY; i++) {
		snprintf(paths[i], PATH_MAX, "%s/%d", disk_folder, i % 300);
		if (i < 300)
			cr_assert_eq(mkdir(paths[i], 0700), 0);
		snprintf(paths[i], PATH_MAX, "%s/%d/%d.qcow2", disk_folder, i % 300, i);
		all[i] = overlay(paths[i]);
	}
	cr_assert_eq(qcow2_overlays_create(all, MANY, &err), 0, "%s", err.text);
	for (int i = 0; i < MANY; i++) {
		cr_assert_eq(all[i].code, 0);
		cr_assert_eq(size_of(paths[i]), 10 << 20);
		cr_assert(stat(paths[i], &st) == 0 && (st.st_mode & 07777) == 0600);
	}
	cr_assert_eq(disk_names(), 301, "no temporary file stays");
}

Test(overlay, each_bad_one_says_why_and_the_good_ones_are_made)
{
	static const struct {
		const char *path, *backing;
		enum disk_format format;
		uint64_t size;
		int code;
	} cases[] = {
		{ "good", "base", DISK_RAW, 0, 0 },
		{ "taken", "base", DISK_RAW, 0, PST_ECONFLICT },
		{ "good", "base", DISK_RAW, 0, PST_ECONFLICT }, /* twice in one call */
		{ "nowhere/x", "base", DISK_RAW, 0, PST_ENOTFOUND },
		{ "larger", "base", DISK_RAW, 2 << 20, 0 },
		{ "smaller", "base", DISK_RAW, 1 << 10, PST_EINVAL },
		{ "odd", "base", DISK_RAW, (2 << 20) + 1, PST_EINVAL },
		{ "huge", "base", DISK_RAW, UINT64_C(1) << 60, PST_ELIMIT },
		{ "wrong-format", "base", DISK_QCOW2, 0, PST_EINVAL },
		{ "no-backing", "none", DISK_RAW, 0, PST_ENOTFOUND },
		{ "outside", "../../etc/passwd", DISK_RAW, 0, PST_EDENIED },
		{ "empty-backing", "empty", DISK_RAW, 0, PST_EINVAL },
		{ "last", "base", DISK_RAW, 0, 0 },
	};
	enum { N = sizeof(cases) / sizeof(cases[0]) };
	static char backings[N][PATH_MAX];
	struct qcow2_overlay all[N];
	struct pst_err err = PST_ERR_INIT;

	base_make((1 << 20) - 100);
	disk_file("taken", "mine", 4, 4);
	disk_file("empty", "", 0, 0);
	for (int i = 0; i < N; i++) {
		snprintf(paths[i], PATH_MAX, "%s/%s", disk_folder, cases[i].path);
		snprintf(backings[i], PATH_MAX, "%s/%s", disk_folder, cases[i].backing);
		all[i] = overlay(paths[i]);
		all[i].backing = backings[i];
		all[i].backing_format = cases[i].format;
		all[i].size = cases[i].size;
	}
	cr_assert_eq(qcow2_overlays_create(all, N, &err), PST_ECONFLICT, "the first one's");
	cr_assert(strstr(err.text, "taken"), "%s", err.text);
	for (int i = 0; i < N; i++)
		cr_assert_eq(all[i].code, cases[i].code, "%s: %d", cases[i].path, all[i].code);
	cr_assert_eq(size_of(paths[0]), 1 << 20, "rounded up to whole sectors");
	cr_assert_eq(size_of(paths[4]), 2 << 20);
	cr_assert_eq(disk_names(), 6, "base, taken, empty, good, larger, last");
}

Test(overlay, an_overlay_of_an_overlay_has_its_size)
{
	struct pst_err err = PST_ERR_INIT;
	struct qcow2_overlay o;

	base_make(1 << 20);
	snprintf(paths[0], PATH_MAX, "%s/below", disk_folder);
	snprintf(paths[1], PATH_MAX, "%s/above", disk_folder);
	o = overlay(paths[0]);
	o.size = 3 << 20;
	cr_assert_eq(qcow2_overlays_create(&o, 1, &err), 0, "%s", err.text);
	o = overlay(paths[1]);
	o.backing = paths[0];
	o.backing_format = DISK_QCOW2;
	cr_assert_eq(qcow2_overlays_create(&o, 1, &err), 0, "%s", err.text);
	cr_assert_eq(size_of(paths[1]), 3 << 20);
}

Test(overlay, a_chain_gets_no_longer_than_it_can_be_read)
{
	struct pst_err err = PST_ERR_INIT;

	base_make(1 << 20);
	for (int i = 1; i <= DISK_CHAIN_MAX; i++) {
		snprintf(paths[i], PATH_MAX, "%s/%d", disk_folder, i);
		struct qcow2_overlay o = overlay(paths[i]);
		if (i > 1) {
			o.backing = paths[i - 1];
			o.backing_format = DISK_QCOW2;
		}
		cr_assert_eq(qcow2_overlays_create(&o, 1, &err), i < DISK_CHAIN_MAX ? 0 : PST_ELIMIT, "%d: %s", i,
			err.text);
	}
	cr_assert_eq(size_of(paths[DISK_CHAIN_MAX - 1]), 1 << 20);
}

Test(overlay, an_empty_disk_stands_alone_and_tells_its_size)
{
	struct pst_err err = PST_ERR_INIT;
	struct qcow2_overlay o[2];

	base_make(1 << 20);
	snprintf(paths[0], PATH_MAX, "%s/empty", disk_folder);
	snprintf(paths[1], PATH_MAX, "%s/sizeless", disk_folder);
	o[0] = overlay(paths[0]);
	o[1] = overlay(paths[1]);
	o[0].backing = o[1].backing = NULL;
	o[0].size = 5 << 20;
	cr_assert_eq(qcow2_overlays_create(o, 2, &err), PST_EINVAL);
	cr_assert(o[0].code == 0 && o[1].code == PST_EINVAL);
	cr_assert_eq(size_of(paths[0]), 5 << 20);
}

Test(overlay, a_golden_file_that_could_be_written_is_refused)
{
	struct pst_err err = PST_ERR_INIT;
	struct qcow2_overlay o[2];

	if (geteuid() != 0)
		cr_skip_test("sealing needs root");
	base_make(1 << 20);
	snprintf(paths[0], PATH_MAX, "%s/golden", disk_folder);
	snprintf(paths[1], PATH_MAX, "%s/other", disk_folder);
	o[0] = overlay(paths[0]);
	o[1] = overlay(paths[1]);
	o[0].is_golden = true;
	cr_assert_eq(qcow2_overlays_create(o, 2, &err), PST_ECONFLICT, "%s", err.text);
	cr_assert(o[0].code == PST_ECONFLICT && o[1].code == 0);
	cr_assert_eq(seal_set(base, NULL, &err), 0, "%s", err.text);
	cr_assert_eq(qcow2_overlays_create(o, 1, &err), 0, "%s", err.text);
	cr_assert_eq(seal_break(base, &err), 0);
}

Test(overlay, relative_paths_are_refused)
{
	struct pst_err err = PST_ERR_INIT;
	struct qcow2_overlay o;

	base_make(1 << 20);
	o = overlay("relative.qcow2");
	cr_assert_eq(qcow2_overlays_create(&o, 1, &err), PST_EINVAL);
	o = overlay(disk_at("x"));
	o.backing = "base";
	cr_assert_eq(qcow2_overlays_create(&o, 1, &err), PST_EINVAL);
	cr_assert_eq(qcow2_overlays_create(NULL, 0, &err), 0);
}

/* A ceiling on a file's size fails the write itself, as a full disk does. */
Test(overlay, a_write_that_fails_leaves_nothing)
{
	struct rlimit limit = { .rlim_cur = 70000, .rlim_max = RLIM_INFINITY };
	struct pst_err err = PST_ERR_INIT;
	struct qcow2_overlay o;

	base_make(1 << 20);
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = 70000;
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	o = overlay(disk_at("x"));
	cr_assert_eq(qcow2_overlays_create(&o, 1, &err), PST_EIO);
	cr_assert_eq(o.code, PST_EIO);
	cr_assert_eq(disk_names(), 1);
}
