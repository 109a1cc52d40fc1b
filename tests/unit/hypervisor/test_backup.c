/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is backed up next, what may go, and what a restore reads. */
#include "broker/hypervisor/disk/backup.h"

#include <criterion/criterion.h>

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)
#define SIZE 1000

static const struct backup_policy daily = { .every_ms = DAY, .full_every_ms = 7 * DAY, .chain_max = 5,
	.keep_ms = 14 * DAY, .keep_chains = 1 };

/* A full one at day 0, and incremental ones at the days after. */
static size_t week(struct backup *b, size_t days)
{
	for (size_t i = 0; i < days; i++)
		b[i] = (struct backup){ .id = i + 1, .parent = i, .made_ms = (int64_t)i * DAY, .disk_size = SIZE,
			.is_whole = true };
	return days;
}

Test(backup, the_next_one_is_full_when_it_has_to_be)
{
	static const struct {
		const char *what;
		size_t days;
		struct backup_disk disk;
		int64_t now;
		enum backup_kind kind;
		enum backup_reason reason;
		uint64_t parent;
	} cases[] = {
		{ "nothing yet", 0, { 0, false, SIZE }, 0, BACKUP_FULL, BACKUP_FIRST, 0 },
		{ "too early", 3, { 3, true, SIZE }, 3 * DAY - 1, BACKUP_NONE, BACKUP_NOT_DUE, 0 },
		{ "the usual", 3, { 3, true, SIZE }, 3 * DAY, BACKUP_INCREMENTAL, BACKUP_DUE, 3 },
		{ "a long chain", 5, { 5, true, SIZE }, 5 * DAY, BACKUP_FULL, BACKUP_CHAIN_LONG, 0 },
		{ "a week", 3, { 3, true, SIZE }, 7 * DAY, BACKUP_FULL, BACKUP_FULL_DUE, 0 },
		{ "just before", 3, { 3, true, SIZE }, 7 * DAY - 1, BACKUP_INCREMENTAL, BACKUP_DUE, 3 },
		{ "no bitmap", 3, { 0, false, SIZE }, 4 * DAY, BACKUP_FULL, BACKUP_NO_BITMAP, 0 },
		{ "an old bitmap", 3, { 2, true, SIZE }, 4 * DAY, BACKUP_FULL, BACKUP_NO_BITMAP, 0 },
		{ "a broken bitmap", 3, { 3, false, SIZE }, 4 * DAY, BACKUP_FULL, BACKUP_BITMAP_BROKEN, 0 },
		{ "grown", 3, { 3, true, 2 * SIZE }, 4 * DAY, BACKUP_FULL, BACKUP_RESIZED, 0 },
		{ "the clock set back a little", 3, { 3, true, SIZE }, 2 * DAY - HOUR, BACKUP_NONE, BACKUP_NOT_DUE, 0 },
		{ "the clock set back far", 3, { 3, true, SIZE }, -5 * DAY, BACKUP_FULL, BACKUP_FIRST, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct backup b[8];
		bool expired[8];
		struct backup_plan p;

		cr_assert_eq(backup_plan_make(&daily, b, week(b, cases[i].days), &cases[i].disk, cases[i].now, &p, expired),
			0, "%s", cases[i].what);
		cr_assert(p.kind == cases[i].kind && p.reason == cases[i].reason, "%s: %s", cases[i].what,
			backup_reason_name(p.reason));
		cr_assert_eq(p.parent, cases[i].parent, "%s", cases[i].what);
	}
}

Test(backup, a_lost_link_makes_the_next_one_full)
{
	const struct backup_disk disk = { 3, true, SIZE };
	struct backup b[8];
	struct backup_plan p;
	bool expired[8];

	week(b, 3);
	b[1].is_whole = false;
	cr_assert_eq(backup_plan_make(&daily, b, 3, &disk, 3 * DAY, &p, expired), 0);
	cr_assert(p.kind == BACKUP_FULL && p.reason == BACKUP_CHAIN_BROKEN);
	week(b, 3);
	b[2].is_whole = false;
	cr_assert_eq(backup_plan_make(&daily, b, 3, &disk, 3 * DAY, &p, expired), 0);
	cr_assert(p.kind == BACKUP_FULL && p.reason == BACKUP_NO_BITMAP, "the bitmap went on from the failed one");
	b[0].is_whole = false;
	cr_assert_eq(backup_plan_make(&daily, b + 1, 2, &disk, 3 * DAY, &p, expired), 0);
	cr_assert_eq(p.reason, BACKUP_FIRST, "without a full one there is nothing");
}

Test(backup, chains_go_as_a_whole_and_one_always_stays)
{
	const struct backup_disk disk = { 0, false, SIZE };
	struct backup b[8];
	struct backup_plan p;
	bool expired[8];

	/* Two chains: days 0 to 2, and day 10 with 11; and a failed one of day 1. */
	week(b, 3);
	b[3] = (struct backup){ .id = 10, .made_ms = 10 * DAY, .disk_size = SIZE, .is_whole = true };
	b[4] = (struct backup){ .id = 11, .parent = 10, .made_ms = 11 * DAY, .disk_size = SIZE, .is_whole = true };
	b[5] = (struct backup){ .id = 12, .parent = 99, .made_ms = 1 * DAY, .disk_size = SIZE, .is_whole = true };
	static const struct {
		int64_t now;
		const char *gone;
	} cases[] = {
		{ 11 * DAY, "......" },
		{ 15 * DAY + 1, ".....x" }, /* hangs on nothing */
		{ 16 * DAY, ".....x" },    /* the first is 16 days old, its chain's last is 14 */
		{ 16 * DAY + 1, "xxx..x" },
		{ 99 * DAY, "xxx..x" }, /* the last chain stays */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(backup_plan_make(&daily, b, 6, &disk, cases[i].now, &p, expired), 0);
		for (size_t k = 0; k < 6; k++)
			cr_assert_eq(expired[k], cases[i].gone[k] == 'x', "case %zu, back-up %zu", i, k);
	}
	struct backup_policy none = daily;
	none.keep_chains = 0;
	cr_assert_eq(backup_plan_make(&none, b, 6, &disk, 99 * DAY, &p, expired), 0);
	cr_assert(expired[3] && expired[4]);
	b[3].is_whole = false;
	cr_assert_eq(backup_plan_make(&daily, b, 6, &disk, 99 * DAY, &p, expired), 0);
	cr_assert(expired[3] && expired[4] && !expired[0] && !expired[2], "a broken chain counts for nothing");
}

Test(backup, a_list_with_a_gap_lets_no_chain_go)
{
	const struct backup_disk disk = { 0, false, SIZE };
	struct backup b[8];
	struct backup_plan p;
	bool expired[8];

	/* An old chain, a young full one, and one of between whose own full one is not in the list: it may be any. */
	week(b, 3);
	b[3] = (struct backup){ .id = 10, .made_ms = 30 * DAY, .disk_size = SIZE, .is_whole = true };
	b[4] = (struct backup){ .id = 11, .parent = 99, .made_ms = 29 * DAY, .disk_size = SIZE, .is_whole = true };
	static const struct {
		int64_t now;
		const char *gone;
	} cases[] = {
		{ 31 * DAY, "....." },
		{ 43 * DAY, "....." },
		{ 43 * DAY + 1, "xxx.x" }, /* it is over itself: nothing that hangs on what is not seen is to be kept */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(backup_plan_make(&daily, b, 5, &disk, cases[i].now, &p, expired), 0);
		for (size_t k = 0; k < 5; k++)
			cr_assert_eq(expired[k], cases[i].gone[k] == 'x', "case %zu, back-up %zu", i, k);
	}
}

Test(backup, a_restore_reads_from_the_full_one_on)
{
	struct backup b[8];
	size_t indices[8];

	week(b, 4);
	struct backup swap = b[0];
	b[0] = b[3];
	b[3] = swap;
	cr_assert_eq(backup_chain(b, 4, 3, indices), 3);
	cr_assert(indices[0] == 3 && indices[1] == 1 && indices[2] == 2);
	cr_assert_eq(backup_chain(b, 4, 1, indices), 1);
	cr_assert_eq(backup_chain(b, 4, 77, indices), PST_ENOTFOUND);
	b[1].is_whole = false;
	cr_assert_eq(backup_chain(b, 4, 3, indices), PST_EINVAL);
	cr_assert_eq(backup_chain(b, 3, 4, indices), PST_EINVAL, "the full one is lost");
	week(b, 2);
	b[0].parent = 2;
	cr_assert_eq(backup_chain(b, 2, 2, indices), PST_EINVAL, "a circle");
	cr_assert_eq(backup_chain(b, 0, 2, indices), PST_ENOTFOUND);
}

Test(backup, impossible_lists_are_refused)
{
	const struct backup_disk disk = { 0 };
	static struct backup b[BACKUPS_MAX + 1];
	static bool expired[BACKUPS_MAX + 1];
	struct backup_plan p;

	week(b, 2);
	b[1].id = 1;
	cr_assert_eq(backup_plan_make(&daily, b, 2, &disk, 0, &p, expired), PST_EINVAL, "twice");
	week(b, 2);
	b[0].id = 0;
	cr_assert_eq(backup_plan_make(&daily, b, 2, &disk, 0, &p, expired), PST_EINVAL);
	week(b, 2);
	b[0].parent = 2;
	cr_assert_eq(backup_plan_make(&daily, b, 2, &disk, 0, &p, expired), PST_EINVAL, "a circle");
	week(b, 1);
	b[0].parent = 1;
	cr_assert_eq(backup_plan_make(&daily, b, 1, &disk, 0, &p, expired), PST_EINVAL, "its own parent");
	week(b, BACKUPS_MAX + 1);
	cr_assert_eq(backup_plan_make(&daily, b, BACKUPS_MAX + 1, &disk, 0, &p, expired), PST_ELIMIT);
	cr_assert_eq(backup_plan_make(&daily, b, BACKUPS_MAX, &disk, (BACKUPS_MAX + 1) * DAY, &p, expired), 0);
	cr_assert_eq(p.reason, BACKUP_FULL_DUE);
}
