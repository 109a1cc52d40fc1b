/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Archives that an engine takes and gives. */
#include "broker/hypervisor/container/tar.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Test(tar, what_is_put_is_found)
{
	struct pst_err err = PST_ERR_INIT;
	const char *text;
	struct pst_buf b;
	size_t len;

	pst_buf_init(&b, 1 << 16);
	tar_put(&b, "etc", 0755, 0, NULL, 0);
	tar_put(&b, "etc/passwd", 0644, 12345678, "root\n", 5);
	tar_end(&b);
	cr_assert(!b.failed);
	cr_assert_eq(b.len, 5 * TAR_BLOCK);
	cr_assert_eq(tar_first((char *)b.data, b.len, &text, &len, &err), 0, "%s", err.text);
	cr_assert_eq(len, 5);
	cr_assert_eq(memcmp(text, "root\n", 5), 0);
	/* Cut anywhere it is an error or nothing, and never more than there is. */
	for (size_t cut = 0; cut < b.len; cut++) {
		char *part = malloc(cut ? cut : 1);

		memcpy(part, b.data, cut);
		if (tar_first(part, cut, &text, &len, &err) == 0)
			cr_assert(text + len <= part + cut);
		free(part);
	}
	b.data[TAR_BLOCK + 124] = '9';
	cr_assert_eq(tar_first((char *)b.data, b.len, &text, &len, &err), PST_EPROTO, "the sum does not hold");
	pst_buf_finish(&b);
	cr_assert_eq(tar_first("", 0, &text, &len, &err), PST_ENOTFOUND);
}

Test(tar, another_program_reads_it)
{
	char path[] = "/tmp/puesto-tar-XXXXXX", command[128], out[256] = "";
	struct pst_buf b;
	FILE *f;

	pst_buf_init(&b, 1 << 16);
	tar_put(&b, "home", 0755, 4000123456u, NULL, 0);
	tar_put(&b, "etc/x", 0600, 7, "0123456789", 10);
	tar_end(&b);
	int fd = mkstemp(path);
	cr_assert_eq(write(fd, b.data, b.len), (ssize_t)b.len);
	close(fd);
	snprintf(command, sizeof(command), "tar --numeric-owner -tvf %s", path);
	f = popen(command, "r");
	cr_assert_gt(fread(out, 1, sizeof(out) - 1, f), 0);
	cr_assert_eq(pclose(f), 0);
	cr_assert_not_null(strstr(out, "4000123456/4000123456"), "%s", out);
	cr_assert_not_null(strstr(out, "-rw------- 7/7"), "%s", out);
	remove(path);
	pst_buf_finish(&b);
}

Test(tar, names_of_any_length_and_links_are_read_by_others)
{
	char path[] = "/tmp/puesto-tar-XXXXXX", command[128], out[8192] = "", deep[900] = "", edge[101];
	struct pst_buf b;
	FILE *f;

	while (strlen(deep) < 880)
		strcat(deep, "a-folder/");
	strcat(deep, "x");
	memset(edge, 'e', 100);
	edge[100] = '\0';
	pst_buf_init(&b, 1 << 16);
	const struct tar_entry entries[] = {
		{ .type = TAR_FOLDER, .name = "d", .mode = 0755 },
		{ .type = TAR_FILE, .name = deep, .mode = 04755, .uid = 7833000, .gid = 5, .mtime = 86400 },
		{ .type = TAR_FILE, .name = edge, .mode = 0644 },
		{ .type = TAR_SYMLINK, .name = "s", .link = deep, .mode = 0777, .mtime = -5 },
		{ .type = TAR_HARDLINK, .name = "h", .link = edge, .mode = 0644 },
	};
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		tar_put_entry(&b, &entries[i]);
	tar_end(&b);
	cr_assert(!b.failed);
	int fd = mkstemp(path);
	cr_assert_eq(write(fd, b.data, b.len), (ssize_t)b.len);
	close(fd);
	snprintf(command, sizeof(command), "TZ=UTC tar --numeric-owner -tvf %s 2>&1", path);
	f = popen(command, "r");
	cr_assert_gt(fread(out, 1, sizeof(out) - 1, f), 0);
	cr_assert_eq(pclose(f), 0, "%s", out);
	cr_expect(strstr(out, "-rwsr-xr-x 7833000/5") && strstr(out, "1970-01-02"), "%s", out);
	cr_expect(strstr(out, deep) && strstr(out, "s -> a-folder/"), "%s", out);
	cr_expect(strstr(out, "h link to eeee") && !strstr(out, "pax"), "%s", out);
	unlink(path);
	pst_buf_finish(&b);
}
