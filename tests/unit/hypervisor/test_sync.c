/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Many files are synced, and a failure is told of the file that has it. */
#include "broker/hypervisor/disk/sync.h"

#include "tests/unit/hypervisor/disk_folder.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define N 40

TestSuite(sync, .init = disk_folder_make, .fini = disk_folder_remove);

Test(sync, each_file_has_its_own_answer)
{
	int fds[N], errors[N], pair[2];

	cr_assert_eq(pipe(pair), 0);
	for (int i = 0; i < N; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		disk_file(name, "x", 1, 5000);
		fds[i] = open(disk_at(name), O_RDWR);
		errors[i] = -7;
	}
	close(fds[3]);
	fds[3] = -1;
	int whole = fds[20];
	fds[20] = pair[1]; /* a pipe cannot be synced */
	cr_assert_eq(sync_files(fds, errors, N), 1);
	for (int i = 0; i < N; i++)
		cr_assert_eq(errors[i], i == 3 ? -7 : i == 20 ? EINVAL : 0, "%d: %d", i, errors[i]);
	fds[20] = whole;
	cr_assert_eq(sync_files(fds, errors, 0), 0);
	cr_assert_eq(sync_files(fds + 20, errors, 1), 0);
}

Test(sync, a_folder_is_synced_too)
{
	int fd = open(disk_folder, O_RDONLY | O_DIRECTORY), error = -7;

	cr_assert_eq(sync_files(&fd, &error, 1), 0);
	cr_assert_eq(error, 0);
	close(fd);
}
