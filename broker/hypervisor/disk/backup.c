/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plans back-ups. */
#include "broker/hypervisor/disk/backup.h"

#include "base/mem.h"

static const char *const reasons[] = {
	[BACKUP_NOT_DUE] = "not_due",
	[BACKUP_DUE] = "due",
	[BACKUP_FIRST] = "first",
	[BACKUP_FULL_DUE] = "full_due",
	[BACKUP_CHAIN_LONG] = "chain_long",
	[BACKUP_NO_BITMAP] = "no_bitmap",
	[BACKUP_BITMAP_BROKEN] = "bitmap_broken",
	[BACKUP_CHAIN_BROKEN] = "chain_broken",
	[BACKUP_RESIZED] = "resized",
};

const char *backup_reason_name(enum backup_reason reason)
{
	PRE((size_t)reason < PST_ARRAY_LEN(reasons));
	return reasons[reason];
}

static const struct backup *find(const struct backup *backups, size_t n, uint64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (backups[i].id == id)
			return &backups[i];
	return NULL;
}

/* A parent is older than its child, so a walk to the parents ends. */
static int list_check(const struct backup *backups, size_t n)
{
	if (n > BACKUPS_MAX)
		return PST_ELIMIT;
	for (size_t i = 0; i < n; i++) {
		const struct backup *b = &backups[i], *parent = find(backups, n, b->parent);

		if (b->id == 0 || find(backups, n, b->id) != b || b->parent == b->id)
			return PST_EINVAL;
		if (b->parent != 0 && parent && parent->made_ms >= b->made_ms)
			return PST_EINVAL;
	}
	return 0;
}

int backup_chain(const struct backup *backups, size_t n, uint64_t id, size_t *ret_indices)
{
	const struct backup *b = find(backups, n, id);
	size_t length = 0;

	if (!b)
		return PST_ENOTFOUND;
	for (; length < n; b = find(backups, n, b->parent)) {
		if (!b || !b->is_whole)
			return PST_EINVAL;
		ret_indices[length++] = (size_t)(b - backups);
		if (b->parent == 0)
			break;
	}
	if (!b || b->parent != 0)
		return PST_EINVAL;
	for (size_t i = 0; i < length / 2; i++) {
		size_t other = ret_indices[length - 1 - i];

		ret_indices[length - 1 - i] = ret_indices[i];
		ret_indices[i] = other;
	}
	return (int)length;
}

/* The youngest whole one that is not in the future (a clock was set back), full ones only if asked for. */
static const struct backup *last_of(const struct backup *backups, size_t n, int64_t now_ms, bool only_full)
{
	const struct backup *last = NULL;

	for (size_t i = 0; i < n; i++) {
		if (!backups[i].is_whole || backups[i].made_ms > now_ms || (only_full && backups[i].parent != 0))
			continue;
		if (!last || backups[i].made_ms > last->made_ms)
			last = &backups[i];
	}
	return last;
}

/* Why the next one has to be a full one; BACKUP_DUE when it need not. */
static enum backup_reason full_reason(const struct backup_policy *policy, const struct backup *backups, size_t n,
	const struct backup_disk *disk, int64_t now_ms)
{
	const struct backup *last = last_of(backups, n, now_ms, false), *full = last_of(backups, n, now_ms, true);
	size_t indices[BACKUPS_MAX];
	int length;

	if (!last || !full)
		return BACKUP_FIRST;
	length = backup_chain(backups, n, last->id, indices);
	if (length < 0)
		return BACKUP_CHAIN_BROKEN;
	if (now_ms - full->made_ms >= policy->full_every_ms)
		return BACKUP_FULL_DUE;
	if ((uint32_t)length >= policy->chain_max)
		return BACKUP_CHAIN_LONG;
	if (disk->size != last->disk_size)
		return BACKUP_RESIZED;
	if (disk->bitmap_of != last->id)
		return BACKUP_NO_BITMAP;
	return disk->bitmap_is_whole ? BACKUP_DUE : BACKUP_BITMAP_BROKEN;
}

/* On either side of now: a clock that was set back a little makes nothing due. */
static bool has_recent(const struct backup_policy *policy, const struct backup *backups, size_t n, int64_t now_ms)
{
	for (size_t i = 0; i < n; i++) {
		int64_t away = now_ms - backups[i].made_ms;

		if (backups[i].is_whole && away < policy->every_ms && -away < policy->every_ms)
			return true;
	}
	return false;
}

static struct backup_plan plan(const struct backup_policy *policy, const struct backup *backups, size_t n,
	const struct backup_disk *disk, int64_t now_ms)
{
	const struct backup *last = last_of(backups, n, now_ms, false);
	struct backup_plan p = { .kind = BACKUP_NONE, .reason = BACKUP_NOT_DUE };

	if (has_recent(policy, backups, n, now_ms))
		return p;
	p.reason = full_reason(policy, backups, n, disk, now_ms);
	p.kind = p.reason == BACKUP_DUE ? BACKUP_INCREMENTAL : BACKUP_FULL;
	p.parent = p.kind == BACKUP_INCREMENTAL ? last->id : 0;
	return p;
}

/* The index of the full one that a back-up hangs on, or n for one whose chain is broken. */
static size_t root_of(const struct backup *backups, size_t n, const struct backup *b)
{
	for (size_t steps = 0; b && steps <= n; steps++) {
		if (b->parent == 0)
			return (size_t)(b - backups);
		b = find(backups, n, b->parent);
	}
	return n;
}

/* When the youngest whole back-up of a chain was made: that is what the chain can still give back. */
static void chains_measure(const struct backup *backups, size_t n, size_t *roots, int64_t *youngest)
{
	for (size_t i = 0; i < n; i++)
		youngest[i] = INT64_MIN;
	for (size_t i = 0; i < n; i++) {
		roots[i] = root_of(backups, n, &backups[i]);
		if (roots[i] < n && backups[roots[i]].is_whole && backups[i].is_whole)
			youngest[roots[i]] = PST_MAX(youngest[roots[i]], backups[i].made_ms);
	}
}

/* How many whole chains are younger than the one of this root. */
static uint32_t younger_chains(const int64_t *youngest, size_t n, size_t root)
{
	uint32_t younger = 0;

	for (size_t i = 0; i < n; i++)
		younger += youngest[i] != INT64_MIN && youngest[i] > youngest[root];
	return younger;
}

/* One that hangs on nothing may do so because the list has a gap: a full one would go from under what is still to be kept. */
static bool has_gap(const struct backup_policy *policy, const struct backup *backups, const size_t *roots, size_t n, int64_t now_ms)
{
	for (size_t i = 0; i < n; i++) {
		if (roots[i] == n && now_ms - backups[i].made_ms <= policy->keep_ms)
			return true;
	}
	return false;
}

static void expire(const struct backup_policy *policy, const struct backup *backups, size_t n, int64_t now_ms,
	bool *expired)
{
	int64_t youngest[BACKUPS_MAX];
	size_t roots[BACKUPS_MAX];
	bool is_unsure;

	chains_measure(backups, n, roots, youngest);
	is_unsure = has_gap(policy, backups, roots, n, now_ms);
	for (size_t i = 0; i < n; i++) {
		size_t root = roots[i];
		bool is_old = now_ms - backups[i].made_ms > policy->keep_ms;

		/* Broken ones are kept as long as whole ones: somebody may mend or read them. */
		if (root < n && youngest[root] != INT64_MIN)
			is_old = now_ms - youngest[root] > policy->keep_ms &&
				younger_chains(youngest, n, root) >= policy->keep_chains;
		expired[i] = is_old && !is_unsure;
	}
}

int backup_plan_make(const struct backup_policy *policy, const struct backup *backups, size_t n,
	const struct backup_disk *disk, int64_t now_ms, struct backup_plan *ret_plan, bool *expired)
{
	int rc = list_check(backups, n);

	if (rc < 0)
		return rc;
	*ret_plan = plan(policy, backups, n, disk, now_ms);
	expire(policy, backups, n, now_ms, expired);
	return 0;
}
