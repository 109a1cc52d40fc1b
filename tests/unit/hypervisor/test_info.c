/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files and chains of files that want to lead somewhere else. */
#include "broker/hypervisor/disk/info.h"

#include "tests/unit/hypervisor/disk_folder.h"

#include "broker/hypervisor/disk/layout.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(info, .init = disk_folder_make, .fini = disk_folder_remove);

/* An overlay of 1 MiB whose header names the backing file, in any words. */
static const char *overlay(const char *name, const char *backing, const char *format)
{
	struct pst_err err = PST_ERR_INIT;
	uint8_t head[LAYOUT_HEAD_MAX];
	struct layout l;

	cr_assert_eq(layout_init(&l, 1 << 20, &err), 0);
	int n = layout_head(&l, "/", DISK_QCOW2, head, &err);
	cr_assert_gt(n, 0);
	/* The place of the format's five letters, and the name at the end. */
	head[111] = (uint8_t)strlen(format);
	memset(head + 112, 0, 8);
	memcpy(head + 112, format, strlen(format));
	if (!format[0])
		head[104] = 1; /* an extension that nobody knows */
	n -= 1;
	head[19] = (uint8_t)strlen(backing);
	memcpy(head + n, backing, strlen(backing));
	return disk_file(name, head, (size_t)n + strlen(backing), l.file_size);
}

static int count(unsigned depth, const char *path, const struct disk_info *info, void *arg)
{
	(void)path;
	(void)info;
	*(unsigned *)arg = depth + 1;
	return 0;
}

Test(info, raw_and_qcow2_tell_their_sizes)
{
	struct pst_err err = PST_ERR_INIT;
	struct disk_info info;
	int fd = disk_open(disk_file("a.raw", "QFI\xfb", 4, 3000), NULL, &err);

	cr_assert_geq(fd, 0, "%s", err.text);
	cr_assert_eq(disk_info_read(fd, DISK_RAW, &info, &err), 0, "a raw disk is never asked what it is");
	cr_assert(info.size == 3000 && info.file_size == 3000 && info.qcow2.version == 0);
	cr_assert_lt(disk_info_read(fd, DISK_QCOW2, &info, &err), 0);
	cr_assert_eq(disk_info_read(fd, DISK_VMDK, &info, &err), PST_EUNSUPPORTED);
	close(fd);

	fd = disk_open(overlay("o.qcow2", "a.raw", "raw"), NULL, &err);
	cr_assert_eq(disk_info_read(fd, DISK_QCOW2, &info, &err), 0, "%s", err.text);
	cr_assert(info.size == 1 << 20 && info.file_size == 4 * 65536 && info.allocated < info.file_size);
	close(fd);
}

Test(info, a_chain_is_walked_to_its_end)
{
	struct pst_err err = PST_ERR_INIT;
	struct disk_info top;
	unsigned n = 0;
	char base[PATH_MAX];

	snprintf(base, sizeof(base), "%s", disk_file("a.raw", "", 0, 4096));
	overlay("b.qcow2", base, "raw");
	const char *path = overlay("c.qcow2", "b.qcow2", "qcow2");
	cr_assert_eq(disk_chain_walk(path, DISK_QCOW2, disk_folder, count, &n, &top, &err), 0, "%s", err.text);
	cr_assert_eq(n, 3);
	cr_assert_str_eq(top.qcow2.backing, "b.qcow2");
}

Test(info, circles_and_endless_chains_end)
{
	struct pst_err err = PST_ERR_INIT;
	char name[32], below[32];

	cr_assert_eq(disk_chain_walk(overlay("self", "self", "qcow2"), DISK_QCOW2, disk_folder, NULL, NULL, NULL,
		&err), PST_ELIMIT);
	disk_file("0", "", 0, 512);
	for (int i = 1; i <= DISK_CHAIN_MAX; i++) {
		snprintf(name, sizeof(name), "%d", i);
		snprintf(below, sizeof(below), "%d", i - 1);
		const char *path = overlay(name, below, i == 1 ? "raw" : "qcow2");
		cr_assert_eq(disk_chain_walk(path, DISK_QCOW2, disk_folder, NULL, NULL, NULL, &err),
			i < DISK_CHAIN_MAX ? 0 : PST_ELIMIT, "%d: %s", i, err.text);
	}
}

Test(info, a_chain_does_not_leave_its_folder)
{
	struct pst_err err = PST_ERR_INIT;
	static const struct {
		const char *backing, *format;
		int code;
	} cases[] = {
		{ "/etc/passwd", "raw", PST_EDENIED },
		{ "../../etc/passwd", "raw", PST_EDENIED },
		{ "out", "raw", PST_EDENIED }, /* a link to /etc/passwd */
		{ "up/../../etc/passwd", "raw", PST_EDENIED },
		{ "in", "raw", 0 }, /* a link to a.raw */
		{ "./up/../a.raw", "raw", 0 },
		{ "a.raw", "", PST_EINVAL }, /* would have to be guessed */
		{ "a.raw", "vmdk", PST_EINVAL },
		{ "a.raw", "luks", PST_EINVAL },
		{ "json:{}", "raw", PST_EINVAL },
		{ "nbd://host/x", "raw", PST_EINVAL },
		{ "pipe", "raw", PST_EINVAL },
		{ "up", "raw", PST_EINVAL },
		{ "none", "raw", PST_ENOTFOUND },
	};

	disk_file("a.raw", "", 0, 512);
	cr_assert_eq(mkdir(disk_at("up"), 0700), 0);
	cr_assert_eq(mkfifo(disk_at("pipe"), 0600), 0);
	cr_assert_eq(symlink("/etc/passwd", disk_at("out")), 0);
	cr_assert_eq(symlink("a.raw", disk_at("in")), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *path = overlay("o", cases[i].backing, cases[i].format);

		cr_assert_eq(disk_chain_walk(path, DISK_QCOW2, disk_folder, NULL, NULL, NULL, &err),
			cases[i].code, "%s: %s", cases[i].backing, err.text);
	}
}

Test(info, folders_are_compared_by_whole_names)
{
	struct pst_err err = PST_ERR_INIT;
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%s/imag", disk_folder);
	cr_assert_eq(mkdir(folder, 0700), 0);
	cr_assert_eq(disk_open(disk_file("image", "", 0, 512), folder, &err), PST_EDENIED);
	cr_assert_eq(disk_open("image", NULL, &err), PST_EINVAL, "relative");
	snprintf(folder, sizeof(folder), "%s/", disk_folder);
	int fd = disk_open(disk_at("image"), folder, &err);
	cr_assert_geq(fd, 0, "%s", err.text);
	close(fd);
}
