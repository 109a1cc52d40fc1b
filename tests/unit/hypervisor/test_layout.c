/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables of an empty overlay for sizes at the edges. */
#include "broker/hypervisor/disk/layout.h"

#include <criterion/criterion.h>
#include <string.h>

#define MIB (UINT64_C(1) << 20)
#define TIB (UINT64_C(1) << 40)

Test(layout, tables_follow_the_virtual_size)
{
	static const struct {
		uint64_t size;
		uint32_t l1_entries, clusters;
		int code;
	} cases[] = {
		{ 512, 1, 4, 0 },
		{ 512 * MIB, 1, 4, 0 },
		{ 512 * MIB + 512, 2, 4, 0 },
		{ 4 * TIB, 8192, 4, 0 },
		{ 4 * TIB + 512, 8193, 5, 0 },
		{ 64 * TIB, 131072, 19, 0 },
		{ 64 * TIB + 512, 0, 0, PST_ELIMIT },
		{ 0, 0, 0, PST_EINVAL },
		{ 1000, 0, 0, PST_EINVAL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pst_err err = PST_ERR_INIT;
		struct layout l;

		cr_assert_eq(layout_init(&l, cases[i].size, &err), cases[i].code, "case %zu: %s", i, err.text);
		if (cases[i].code < 0)
			continue;
		cr_assert_eq(l.l1_entries, cases[i].l1_entries, "case %zu", i);
		cr_assert_eq(l.clusters, cases[i].clusters, "case %zu", i);
		cr_assert_eq(l.file_size, (uint64_t)l.clusters * QCOW2_CLUSTER_SIZE);
	}
}

Test(layout, every_cluster_of_the_file_is_counted_once)
{
	struct pst_err err = PST_ERR_INIT;
	uint8_t block[2 * LAYOUT_CLUSTERS_MAX], table[8];
	struct layout l;

	cr_assert_eq(layout_init(&l, 5 * TIB, &err), 0);
	cr_assert_eq(LAYOUT_BLOCK_SIZE(&l), 10);
	layout_refcount_block(&l, block);
	for (size_t i = 0; i < 10; i++)
		cr_assert_eq(block[i], i % 2);
	layout_refcount_table(table);
	cr_assert_arr_eq(table, "\0\0\0\0\0\2\0\0", 8);
}

Test(layout, a_head_reads_back_as_it_was_written)
{
	static const char *const names[] = { "/a", "/srv/images/debian 12/3/disk.qcow2", "/with:colon" };
	struct pst_err err = PST_ERR_INIT;
	uint8_t head[QCOW2_HEAD_SIZE];
	struct qcow2_header h;
	struct layout l;

	cr_assert_eq(layout_init(&l, 20 * 1024 * MIB, &err), 0);
	for (int format = DISK_RAW; format <= DISK_QCOW2; format++) {
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			memset(head, 0, sizeof(head));
			int n = layout_head(&l, names[i], (enum disk_format)format, head, &err);
			cr_assert_gt(n, 0, "%s", err.text);
			cr_assert_eq(qcow2_parse(head, sizeof(head), &h, &err), 0, "%s", err.text);
			cr_assert_str_eq(h.backing, names[i]);
			cr_assert_str_eq(h.backing_format, disk_format_name((enum disk_format)format));
			cr_assert(h.version == 3 && h.cluster_bits == 16 && h.size == l.size);
			cr_assert(h.l1_entries == 40 && h.snapshots == 0 && !h.is_dirty && !h.has_data_file);
		}
	}
}

Test(layout, a_disk_of_its_own_names_no_other)
{
	struct pst_err err = PST_ERR_INIT;
	uint8_t head[QCOW2_HEAD_SIZE] = { 0 };
	struct qcow2_header h;
	struct layout l;

	cr_assert_eq(layout_init(&l, MIB, &err), 0);
	cr_assert_eq(layout_head(&l, NULL, DISK_QCOW2, head, &err), 112);
	cr_assert_eq(qcow2_parse(head, sizeof(head), &h, &err), 0, "%s", err.text);
	cr_assert(h.size == MIB && h.backing[0] == '\0' && h.backing_format[0] == '\0');
}

Test(layout, names_that_mean_something_else_are_refused)
{
	struct pst_err err = PST_ERR_INIT;
	uint8_t head[LAYOUT_HEAD_MAX];
	char name[QCOW2_BACKING_MAX + 2];
	struct layout l;

	cr_assert_eq(layout_init(&l, MIB, &err), 0);
	memset(name, 'x', sizeof(name));
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	cr_assert_eq(layout_head(&l, name, DISK_RAW, head, &err), PST_EINVAL);
	name[QCOW2_BACKING_MAX] = '\0';
	cr_assert_gt(layout_head(&l, name, DISK_RAW, head, &err), QCOW2_BACKING_MAX);
	cr_assert_eq(layout_head(&l, "", DISK_RAW, head, &err), PST_EINVAL);
	cr_assert_eq(layout_head(&l, "nbd:host:1", DISK_RAW, head, &err), PST_EINVAL);
	cr_assert_eq(layout_head(&l, "base.raw", DISK_RAW, head, &err), PST_EINVAL);
}
