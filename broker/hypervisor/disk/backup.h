/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What to back up next and what to let go, from the list of what there is: full back-ups, and
 * incremental ones that hold what a dirty bitmap has noted since the one before. Pure.
 *
 *	full ◄── incremental ◄── incremental        full ◄── incremental …
 *	└────────────── a chain ───────────┘
 *	kept or let go as a whole: a later one is nothing without those before
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BACKUPS_MAX 1024 /* of one disk */

struct backup {
	uint64_t id;     /* not 0 */
	uint64_t parent; /* the one before; 0: it is a full one */
	int64_t made_ms; /* wall clock */
	uint64_t disk_size; /* virtual bytes of the disk then */
	bool is_whole;   /* finished, and not found broken since */
};

struct backup_policy {
	int64_t every_ms;      /* between two of any kind */
	int64_t full_every_ms; /* between two full ones */
	uint32_t chain_max;    /* in a chain, the full one included */
	int64_t keep_ms;       /* after the last one of a chain was made */
	uint32_t keep_chains;  /* whole ones at least, whatever their age */
};

/* The disk as it is now. */
struct backup_disk {
	uint64_t bitmap_of;   /* the back-up since which its bitmap notes; 0: it has none */
	bool bitmap_is_whole; /* not marked as inconsistent by a crash */
	uint64_t size;        /* virtual bytes */
};

enum backup_kind {
	BACKUP_NONE,
	BACKUP_INCREMENTAL,
	BACKUP_FULL,
};

enum backup_reason {
	BACKUP_NOT_DUE,
	BACKUP_DUE,          /* incremental: the usual case */
	BACKUP_FIRST,        /* full: there is none yet */
	BACKUP_FULL_DUE,     /* full: its time has come */
	BACKUP_CHAIN_LONG,   /* full: the chain is as long as it may be */
	BACKUP_NO_BITMAP,    /* full: nothing notes what changed since the last one */
	BACKUP_BITMAP_BROKEN,
	BACKUP_CHAIN_BROKEN, /* full: one of the chain is lost */
	BACKUP_RESIZED,      /* full: the disk has another size */
};

struct backup_plan {
	enum backup_kind kind;
	enum backup_reason reason;
	uint64_t parent; /* of an incremental one */
};

const char *backup_reason_name(enum backup_reason reason);

/*
 * expired[n] gets true for those that may be let go now. PST_EINVAL for a list that cannot be
 * (an id twice or 0, a circle, a parent that is younger), PST_ELIMIT above BACKUPS_MAX.
 */
int backup_plan_make(const struct backup_policy *policy, const struct backup *backups, size_t n,
	const struct backup_disk *disk, int64_t now_ms, struct backup_plan *ret_plan, bool *expired);

/*
 * What a restore of id reads, the full one first: their indices, n at most. Returns how many,
 * PST_ENOTFOUND without it, PST_EINVAL when one of them is lost or not whole.
 */
int backup_chain(const struct backup *backups, size_t n, uint64_t id, size_t *ret_indices);
