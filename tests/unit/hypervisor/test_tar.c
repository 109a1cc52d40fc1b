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
