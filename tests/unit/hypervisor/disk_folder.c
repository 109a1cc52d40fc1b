/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tests' folder. */
#include "tests/unit/hypervisor/disk_folder.h"

#include "broker/hypervisor/local/tree.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char disk_folder[64];

void disk_folder_make(void)
{
	char name[] = "/tmp/puesto-disk-XXXXXX";

	cr_assert_not_null(mkdtemp(name));
	char *real = realpath(name, NULL);
	cr_assert(real && strlen(real) < sizeof(disk_folder));
	memcpy(disk_folder, real, strlen(real) + 1);
	free(real);
}

void disk_folder_remove(void)
{
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(tree_remove(disk_folder, &err), 0, "%s", err.text);
}

const char *disk_at(const char *name)
{
	static char paths[8][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 8];

	cr_assert_lt(snprintf(path, PATH_MAX, "%s/%s", disk_folder, name), PATH_MAX);
	return path;
}

const char *disk_file(const char *name, const void *data, size_t len, uint64_t size)
{
	const char *path = disk_at(name);
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);

	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(write(fd, data, len), (ssize_t)len);
	cr_assert_eq(ftruncate(fd, (off_t)size), 0);
	close(fd);
	return path;
}

unsigned disk_names(void)
{
	DIR *dir = opendir(disk_folder);
	unsigned n = 0;

	cr_assert_not_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}
