/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names that would be another path. */
#include "broker/hypervisor/disk/name.h"

#include <criterion/criterion.h>
#include <string.h>

Test(name, only_a_plain_component_is_a_name)
{
	static const char *const good[] = { "debian-12", "Ventanas 11", "1.0", "año", "a..b", "x" };
	static const char *const bad[] = { "", ".", "..", ".hidden", "-rf", "a/b", "/", "a\nb", " a", "a ", "\xff" };
	char longest[DISK_NAME_MAX + 2];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_assert(disk_name_valid(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert(!disk_name_valid(bad[i]), "%s", bad[i]);
	memset(longest, 'x', sizeof(longest));
	longest[DISK_NAME_MAX + 1] = '\0';
	cr_assert(!disk_name_valid(longest));
	longest[DISK_NAME_MAX] = '\0';
	cr_assert(disk_name_valid(longest));
}
