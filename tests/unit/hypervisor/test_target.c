/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Back-ups come onto a datastore whole, are listed, and go, whatever an earlier call has left in its error. */
#include "broker/hypervisor/backup/target.h"

#include "broker/hypervisor/disk/temp.h"
#include "tests/unit/fine.h"
#include "tests/unit/hypervisor/disk_folder.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(target, .init = disk_folder_make, .fini = disk_folder_remove);

#define DESKTOP "1b4e28ba-2fa1-41d2-883f-0016d3cca427"

static struct note sample = { .id = 0x10, .made_ms = 1700000000000, .disk_size = 1 << 20, .reason = "first", .desktop = DESKTOP, .name = "office-001",
	.pool = "Office", .user = "ana", .image = "debian", .version = "1", .base = "/images/debian/1/disk.qcow2", .base_format = DISK_QCOW2,
	.base_size = 1 << 20 };

static size_t listed(void)
{
	struct note *notes;
	struct pst_err err;
	size_t n;

	FINE(target_list(disk_folder, DESKTOP, &notes, &n, &err));
	free(notes);
	return n;
}

static bool never(void *arg, uint32_t parts)
{
	return false;
}

Test(target, a_backup_comes_is_listed_and_goes)
{
	const struct target_variables none = { .data = NULL };
	int fd = open(disk_file("disk", "QFI", 3, 3000000), O_RDONLY | O_CLOEXEC);
	struct note n = sample;
	struct pst_err err;

	cr_assert_eq(listed(), 0, "none was ever made");
	cr_assert_eq(target_put(disk_folder, &n, fd, &none, never, NULL, &err), PST_ECLOSED);
	cr_assert_eq(listed(), 0);
	FINE(target_put(disk_folder, &n, fd, &none, NULL, NULL, &err));
	cr_assert_eq(n.bytes, 3000000);
	cr_assert_eq(listed(), 1);
	FINE(target_verify(disk_folder, &n, NULL, NULL, &err));
	FINE(target_remove(disk_folder, DESKTOP, n.id, &err));
	FINE(target_remove(disk_folder, DESKTOP, n.id, &err));
	cr_assert_eq(listed(), 0);
	close(fd);
}

Test(target, what_a_crash_has_left_is_swept)
{
	char path[512], temp[TEMP_SIZE];
	struct pst_err err;
	size_t n = 0;

	FINE(target_sweep(disk_folder, &n, &err));
	cr_assert_eq(mkdir(disk_at("backups"), 0700), 0);
	cr_assert_eq(mkdir(disk_at("backups/" DESKTOP), 0700), 0);
	cr_assert_eq(temp_name("0000000000000010", temp, &err), 0);
	snprintf(path, sizeof(path), "%s/%s", disk_at("backups/" DESKTOP), temp);
	cr_assert_eq(mkdir(path, 0700), 0);
	FINE(target_sweep(disk_folder, &n, &err));
	cr_assert_eq(n, 1);
	cr_assert_eq(access(path, F_OK), -1);
}
