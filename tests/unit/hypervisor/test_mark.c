/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The installation's mark is made once and never guessed. */
#include "broker/hypervisor/mark.h"

#include "base/file.h"
#include "broker/hypervisor/local/tree.h"
#include "tests/unit/fine.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Test(mark, is_made_once_and_a_damaged_one_is_refused)
{
	char data[] = "/tmp/puesto-mark-XXXXXX", path[PATH_MAX], a[MARK_SIZE], b[MARK_SIZE];
	struct pst_err err = PST_ERR_INIT;

	cr_assert_not_null(mkdtemp(data));
	FINE(mark_read(data, a, &err));
	cr_assert_eq(strlen(a), MARK_SIZE - 1);
	FINE(mark_read(data, b, &err));
	cr_assert_str_eq(a, b);
	snprintf(path, sizeof(path), "%s/instance", data);
	cr_assert_eq(pst_file_write(path, "abc\n", 4, 0644, &err), 0);
	cr_assert_eq(mark_read(data, b, &err), PST_EINVAL);
	cr_assert_not_null(strstr(err.text, "instance"), "%s", err.text);
	cr_assert_eq(mark_read("/nonexistent", b, &err), PST_EIO, "%s", err.text);
	cr_assert_eq(tree_remove(data, &err), 0);
}
