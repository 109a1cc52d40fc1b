/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory that children map and nobody can write. */
#include "broker/hypervisor/qemu/memory.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE (8u << 20)

/* Some bytes at three places, holes between them. */
static int file_make(char last)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	cr_assert_eq(ftruncate(fd, SIZE), 0);
	cr_assert_eq(pwrite(fd, "one", 3, 100), 3);
	cr_assert_eq(pwrite(fd, "two", 3, 5 << 20), 3);
	cr_assert_eq(pwrite(fd, &last, 1, SIZE - 1), 1);
	return fd;
}

static int seal(int file, char hex[PST_SHA256_HEX_SIZE])
{
	struct pst_err err = PST_ERR_INIT;
	int fd = memory_seal(file, SIZE, hex, &err);

	cr_assert_geq(fd, 0, "%s", err.text);
	return fd;
}

Test(memory, is_the_same_bytes_with_their_holes)
{
	char hex[PST_SHA256_HEX_SIZE], a[4096], b[4096];
	int file = file_make('z'), fd = seal(file, hex);
	struct stat st;

	for (off_t at = 0; at < SIZE; at += (off_t)sizeof(a)) {
		cr_assert_eq(pread(file, a, sizeof(a), at), (ssize_t)sizeof(a));
		cr_assert_eq(pread(fd, b, sizeof(b), at), (ssize_t)sizeof(b));
		cr_assert_eq(memcmp(a, b, sizeof(a)), 0, "at %lld", (long long)at);
	}
	cr_assert_eq(fstat(fd, &st), 0);
	cr_expect_lt(st.st_blocks * 512, SIZE / 2, "holes stay holes");
	close(file);
	close(fd);
}

Test(memory, nobody_writes_to_it_however_it_is_opened)
{
	char hex[PST_SHA256_HEX_SIZE], path[40];
	int file = file_make('z'), fd = seal(file, hex), again;
	char *p;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDWR | O_CLOEXEC);
	cr_assert_geq(again, 0, "QEMU opens it so");
	cr_expect_eq(pwrite(again, "x", 1, 0), -1);
	cr_expect_eq(errno, EPERM);
	cr_expect_eq(ftruncate(again, 0), -1);
	cr_expect_eq(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, again, 0), MAP_FAILED);
	p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, again, 0);
	cr_assert_neq(p, MAP_FAILED, "a child's own copy");
	p[100] = 'X';
	cr_expect_eq(pread(fd, path, 3, 100), 3);
	cr_expect_eq(memcmp(path, "one", 3), 0, "stays its own");
	munmap(p, SIZE);
	close(again);
	close(file);
	close(fd);
}

Test(memory, the_digest_tells_damage)
{
	char first[PST_SHA256_HEX_SIZE], same[PST_SHA256_HEX_SIZE], other[PST_SHA256_HEX_SIZE], moved[PST_SHA256_HEX_SIZE];
	int files[4] = { file_make('z'), file_make('z'), file_make('y'), file_make('z') };

	cr_assert_eq(pwrite(files[3], "\0\0\0two", 6, 5 << 20), 6);
	close(seal(files[0], first));
	close(seal(files[1], same));
	close(seal(files[2], other));
	close(seal(files[3], moved));
	cr_expect_str_eq(first, same);
	cr_expect_str_neq(first, other);
	cr_expect_str_neq(first, moved);
	for (int i = 0; i < 4; i++)
		close(files[i]);
}

Test(memory, another_size_is_refused)
{
	struct pst_err err = PST_ERR_INIT;
	char hex[PST_SHA256_HEX_SIZE];
	int file = file_make('z');

	cr_expect_eq(memory_seal(file, SIZE * 2, hex, &err), PST_ECONFLICT);
	cr_expect_eq(memory_seal(-1, SIZE, hex, &err), PST_ECONFLICT);
	close(file);
}
