/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Makes disks for tests. */
#include "tests/unit/hypervisor/disk_stack.h"

#include "broker/hypervisor/disk/layout.h"
#include "broker/hypervisor/disk/qcow2.h"
#include "tests/unit/hypervisor/disk_folder.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *disk_plain(const char *name)
{
	struct pst_err err = PST_ERR_INIT;
	uint8_t bytes[3 * QCOW2_CLUSTER_SIZE] = { 0 };
	struct layout l;

	cr_assert_eq(layout_init(&l, 1 << 20, &err), 0);
	cr_assert_gt(layout_head(&l, "/", DISK_RAW, bytes, &err), 0);
	memset(bytes + 8, 0, 12);  /* no backing file… */
	memset(bytes + 104, 0, 32); /* …and no format of one */
	layout_refcount_table(bytes + LAYOUT_TABLE_AT);
	layout_refcount_block(&l, bytes + LAYOUT_BLOCK_AT);
	return disk_file(name, bytes, sizeof(bytes), l.file_size);
}

const char *disk_overlay(const char *name, const char *backing)
{
	struct pst_err err = PST_ERR_INIT;
	char path[PATH_MAX], below[PATH_MAX];

	snprintf(path, sizeof(path), "%s", disk_at(name));
	snprintf(below, sizeof(below), "%s", disk_at(backing));
	struct qcow2_overlay o = { .path = path, .backing = below, .backing_format = DISK_QCOW2, .uid = getuid(),
		.gid = getgid() };
	cr_assert_eq(qcow2_overlays_create(&o, 1, &err), 0, "%s", err.text);
	return disk_at(name);
}
