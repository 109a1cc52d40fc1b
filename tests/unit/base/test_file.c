/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole files: ceilings, modes, and nothing half-written. */
#include "base/file.h"

#include "tests/unit/base/util.h"

#include <sys/stat.h>

Test(file, writes_reads_and_replaces)
{
	char dir[64], path[128], *text;
	struct stat st;
	size_t len;

	temp_dir_make(dir);
	snprintf(path, sizeof(path), "%s/a/b/file", dir);
	struct pst_err err;
	cr_assert_eq(pst_file_write(path, "x", 1, 0600, &err), PST_EIO);
	cr_assert(strstr(err.text, "file: No such file"));

	char sub[128];
	snprintf(sub, sizeof(sub), "%s/a/b", dir);
	cr_assert_eq(pst_mkdirs(sub, 0700, &err), 0);
	cr_assert_eq(pst_mkdirs(sub, 0700, &err), 0);
	cr_assert_eq(pst_file_write(path, "one", 3, 0600, &err), 0);
	cr_assert_eq(pst_file_write(path, "second", 6, 0640, &err), 0);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0640);
	cr_assert_eq(pst_file_read(path, 6, &text, &len, &err), 0);
	cr_assert_eq(len, 6);
	cr_assert_str_eq(text, "second");
	free(text);
	cr_assert_eq(pst_file_read(path, 5, &text, &len, &err), PST_ELIMIT);
	cr_assert_eq(pst_file_read(sub, 5, &text, &len, &err), PST_EINVAL);
	cr_assert_eq(pst_mkdirs(path, 0700, &err), PST_ECONFLICT);
	cr_assert_eq(pst_mkdirs("", 0700, &err), PST_EINVAL);
	snprintf(sub, sizeof(sub), "%s/none", dir);
	cr_assert_eq(pst_file_read(sub, 5, &text, &len, &err), PST_ENOTFOUND);
	temp_dir_remove(dir);
}
