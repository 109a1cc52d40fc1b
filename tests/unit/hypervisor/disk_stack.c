/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Makes disks for tests. */
#include "tests/unit/hypervisor/disk_stack.h"

#include "broker/hypervisor/disk/qcow2.h"
#include "tests/unit/hypervisor/disk_folder.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

const char *disk_plain(const char *name)
{
	struct pst_err err = PST_ERR_INIT;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s", disk_at(name));
	struct qcow2_overlay o = { .path = path, .size = 1 << 20, .uid = getuid(), .gid = getgid() };
	unlink(path);
	cr_assert_eq(qcow2_overlays_create(&o, 1, &err), 0, "%s", err.text);
	return disk_at(name);
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
