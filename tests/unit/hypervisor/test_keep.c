/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a machine keeps: its clock after a sleep, its file system on a larger disk. Covers: broker/hypervisor/desktop/clock.c broker/hypervisor/desktop/grow.c */
#include "broker/hypervisor/desktop/clock.h"
#include "broker/hypervisor/desktop/grow.h"

#include <criterion/criterion.h>

Test(keep, the_clock_is_put_forward_by_as_much_as_the_machine_was_away)
{
	static const struct {
		const char *what;
		struct clock_look before, now;
		int64_t expect;
	} cases[] = {
		{ "a second", { 1000, 5000, 1000300 }, { 1001, 6000, 1001300 }, 0 },
		{ "a slow second", { 1000, 5000, 1000300 }, { 1003, 7900, 1003200 }, 0 },
		{ "a night", { 1000, 5000, 1000300 }, { 31001, 6000, 1001300 }, 31001300 },
		{ "a night, and somebody has set it", { 1000, 5000, 1000300 }, { 31001, 6000, 31001900 }, 0 },
		{ "a step by a time server", { 1000, 5000, 1000300 }, { 1001, 6000, 9001300 }, 0 },
		{ "a clock that was an hour ahead stays so", { 1000, 5000, 4600300 }, { 31001, 6000, 4601300 }, 34601300 },
		{ "a hardware clock that went back", { 1000, 5000, 1000300 }, { 900, 6000, 1001300 }, 0 },
		{ "a machine that stood still while its clock was written", { 1000, 5000, 1000300 }, { 1001, 65000, 1061300 }, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		cr_expect_eq(clock_after_sleep(&cases[i].before, &cases[i].now), cases[i].expect, "%s", cases[i].what);
}

Test(keep, a_file_system_follows_a_disk_that_is_larger_by_more_than_its_own_blocks)
{
	cr_expect_eq(grow_blocks(UINT64_C(1) << 30, 4096, 262144), 0, "it is as large");
	cr_expect_eq(grow_blocks((UINT64_C(1) << 30) + 8192, 4096, 262144), 0, "two blocks are not worth it");
	cr_expect_eq(grow_blocks(UINT64_C(2) << 30, 4096, 262144), 524288);
	cr_expect_eq(grow_blocks(UINT64_C(1) << 29, 4096, 262144), 0, "smaller it does not become");
	cr_expect_eq(grow_blocks(UINT64_C(20) << 40, 4096, 262144), UINT64_C(20) << 28, "beyond 16 TiB too");
	cr_expect_eq(grow_blocks(1 << 30, 0, 1), 0);
}

Test(keep, what_is_no_ext4_of_its_own_does_not_grow)
{
	cr_expect_eq(grow_file_system("/proc"), GROW_FOREIGN);
	cr_expect_eq(grow_file_system("/nowhere"), GROW_FOREIGN);
}
