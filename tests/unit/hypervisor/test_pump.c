/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pipes that stand for files. */
#include "broker/hypervisor/libvirt/pump.h"

#include "base/clock.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define STREAM_SIZE (5u << 20) /* more than a pipe holds */

static char path[64];

static int stream(void)
{
	int fd = memfd_create("stream", MFD_CLOEXEC);
	char *bytes = malloc(STREAM_SIZE);

	cr_assert(fd >= 0 && bytes);
	for (size_t i = 0; i < STREAM_SIZE; i++)
		bytes[i] = (char)(i * 7 + (i >> 13));
	cr_assert_eq(write(fd, bytes, STREAM_SIZE), STREAM_SIZE);
	free(bytes);
	return fd;
}

static void name(void)
{
	snprintf(path, sizeof(path), "/tmp/puesto-pump-%d", (int)getpid());
}

/* How libvirt reads: as if it were a file. */
static void whole_is_read(int file, const char *head, uint64_t at)
{
	size_t len = strlen(head), want = len + STREAM_SIZE - at;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *got = malloc(want), *of = malloc(STREAM_SIZE), byte;

	cr_assert(fd >= 0 && got && of);
	for (size_t n = 0; n < want;) {
		ssize_t k = read(fd, got + n, want - n);

		cr_assert_gt(k, 0);
		n += (size_t)k;
	}
	cr_assert_eq(read(fd, &byte, 1), 0, "it ends: who waits for more of a file that is too short would wait for ever");
	cr_assert_eq(pread(file, of, STREAM_SIZE, 0), STREAM_SIZE);
	cr_expect(memcmp(got, head, len) == 0 && memcmp(got + len, of + at, STREAM_SIZE - at) == 0);
	close(fd);
	free(got);
	free(of);
}

Test(pump, gives_a_head_and_the_rest_of_a_file_and_leaves_nothing, .timeout = 20)
{
	struct pst_err err = PST_ERR_INIT;
	int file = stream();
	struct stat st;

	name();
	for (int i = 0; i < 2; i++) {
		struct pump *p = pump_begin(path, i ? "another head" : "head", i ? 12 : 4, file, 100, &err);

		cr_assert_not_null(p, "%s", err.text);
		cr_assert(stat(path, &st) == 0 && S_ISFIFO(st.st_mode) && (st.st_mode & 0777) == 0600);
		whole_is_read(file, i ? "another head" : "head", 100);
		pump_end(p);
		cr_assert(stat(path, &st) < 0);
	}
	cr_expect_eq(lseek(file, 0, SEEK_CUR), STREAM_SIZE, "the file's own position stays");
	close(file);
}

/* As later ones than libvirt 9.0 do: they look at the head, close, and open it once more. */
Test(pump, begins_anew_for_whoever_opens_it_again, .timeout = 20)
{
	struct pst_err err = PST_ERR_INIT;
	int file = stream(), fd;
	char head[4] = "";
	struct pump *p;

	name();
	p = pump_begin(path, "head", 4, file, 100, &err);
	cr_assert_not_null(p, "%s", err.text);
	for (int i = 0; i < 3; i++) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		cr_assert(read(fd, head, 4) == 4 && memcmp(head, "head", 4) == 0);
		close(fd);
	}
	whole_is_read(file, "head", 100);
	whole_is_read(file, "head", 100);
	pump_end(p);
	cr_assert(access(path, F_OK) < 0);
	close(file);
}

Test(pump, ends_though_nobody_reads, .timeout = 20)
{
	struct pst_err err = PST_ERR_INIT;
	int file = stream(), fd;
	struct pump *p;
	char byte;

	name();
	p = pump_begin(path, "head", 4, file, 0, &err);
	cr_assert_not_null(p, "%s", err.text);
	pump_end(p);
	p = pump_begin(path, "head", 4, file, 0, &err);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	cr_assert_eq(read(fd, &byte, 1), 1);
	close(fd); /* somebody who gave up half-way */
	pump_end(p);
	pump_end(NULL);
	close(file);
}

Test(pump, says_where_it_cannot_be)
{
	struct pst_err err = PST_ERR_INIT;

	cr_expect_null(pump_begin("/nowhere/at/all", "head", 4, -1, 0, &err));
	cr_expect(strstr(err.text, "/nowhere/at/all"), "%s", err.text);
}
