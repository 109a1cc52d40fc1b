/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Disks in volumes: their room, and their first bytes as our own reader and the writer of files have them. Covers: broker/hypervisor/disk/place_io.c (with test_san.py) */
#include "broker/hypervisor/disk/volume.h"

#include "broker/hypervisor/disk/info.h"
#include "tests/unit/hypervisor/disk_folder.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(volume, .init = disk_folder_make, .fini = disk_folder_remove);

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

Test(volume, the_room_is_for_all_of_the_disk_and_no_waste)
{
	static const uint64_t sizes[] = { 512, MIB, 64 * MIB, 512 * MIB + 512, 20 * GIB, 2048 * GIB, QCOW2_SIZE_MAX };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t bare = volume_room(sizes[i], 0), more = volume_room(sizes[i], 10);

		cr_assert(bare > sizes[i] && bare % VOLUME_ROUND == 0, "%llu", (unsigned long long)sizes[i]);
		cr_assert(bare <= sizes[i] + sizes[i] / 1000 + 2 * VOLUME_ROUND, "%llu takes %llu", (unsigned long long)sizes[i], (unsigned long long)bare);
		cr_assert(more >= bare + sizes[i] / 100 * 10 - VOLUME_ROUND, "%llu", (unsigned long long)sizes[i]);
	}
	cr_assert_eq(volume_room(QCOW2_SIZE_MAX + 1, 0), UINT64_MAX);
	cr_assert_eq(volume_room(0, 0), UINT64_MAX);
}

Test(volume, its_first_bytes_are_a_whole_overlay)
{
	struct qcow2_overlay o = { .path = disk_at("file.qcow2"), .backing = "/srv/gold", .backing_size = 64 * MIB, .backing_format = DISK_QCOW2,
		.uid = geteuid(), .gid = getegid(), .size = 80 * MIB };
	struct pst_err err = PST_ERR_INIT;
	struct disk_info info;
	uint8_t *bytes, *file;
	size_t len;
	int fd;

	bytes = volume_overlay(80 * MIB, "/srv/gold", DISK_QCOW2, &len, &err);
	cr_assert_not_null(bytes, "%s", err.text);
	cr_assert_eq(qcow2_overlays_create(&o, 1, &err), 0, "%s", err.text);
	fd = open(o.path, O_RDONLY);
	file = malloc(len);
	cr_assert_eq(read(fd, file, len), (ssize_t)len);
	cr_assert_eq(memcmp(file, bytes, len), 0, "as the writer of files makes it");
	cr_assert_eq(disk_info_read(fd, DISK_QCOW2, &info, &err), 0, "%s", err.text);
	cr_assert_eq(info.file_size, len);
	cr_assert_str_eq(info.qcow2.backing, "/srv/gold");
	close(fd);
	free(file);
	free(bytes);
	bytes = volume_overlay(80 * MIB, "iscsi://h:3260/t/1", DISK_RAW, &len, &err);
	cr_assert_not_null(bytes, "%s", err.text);
	free(bytes);
	cr_assert_null(volume_overlay(80 * MIB, "relative", DISK_RAW, &len, &err));
	cr_assert_null(volume_overlay(QCOW2_SIZE_MAX + 512, "/srv/gold", DISK_RAW, &len, &err));
}
