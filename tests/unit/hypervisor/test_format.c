/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words of the formats, there and back. */
#include "broker/hypervisor/disk/format.h"

#include "base/err.h"

#include <criterion/criterion.h>

Test(format, words_go_there_and_back_and_others_are_refused)
{
	enum disk_format format;
	static const char *const bad[] = { "", "RAW", "qcow", "qcow2 ", "vpc", "luks" };

	for (int i = DISK_RAW; i <= DISK_VHDX; i++) {
		cr_assert_eq(disk_format_parse(disk_format_name((enum disk_format)i), &format), 0);
		cr_assert_eq((int)format, i);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(disk_format_parse(bad[i], &format), PST_EINVAL, "%s", bad[i]);
}
