/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The datastores of this machine: watched, placed on, and worked on in turns. They belong to no driver, since
 * drivers that place on the same folder share its space and its turns; a process has one set of them.
 * Any thread; a call that waits says so.
 *
 *	             mark, folders, space          full               made room
 *	opening ────────────────────────► online ────────► critical ──────────► online
 *	   ▲                                │ the mark is not there, or no answer for STORES_SILENT_MS
 *	   └────────────── offline ◄────────┘
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/disk/datastore.h"
#include "broker/hypervisor/storage/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORES_MAX 32
#define STORES_LOOK_MS 5000     /* between two looks at a datastore */
#define STORES_CENSUS_MS 60000  /* between two counts of its disks */
#define STORES_SILENT_MS 20000  /* a look that takes longer hangs: the file system's server is gone */
#define STORES_REASON_SIZE 400
#define STORES_OVERLAY_NEEDS (UINT64_C(64) << 20) /* bytes that a new overlay is likely to write soon */

struct stores;

/* A datastore as it is now. */
struct store_view {
	struct store_settings s; /* as configured */
	struct level_limits limits; /* that hold, an administrator's before the file's */
	bool is_online, in_maintenance;
	char reason[STORES_REASON_SIZE]; /* why it is offline, or what was wrong when it was opened */
	enum level level;
	char about[24];    /* as in store_type.h */
	bool takes_whole;
	struct datastore_space space;
	struct datastore_census census;
	uint32_t working, waiting; /* jobs */
};

/* Returns owned; NULL on no memory. For tests: a program uses stores_shared. */
struct stores *stores_create(void);
/* Ends the watches; nobody may be at work. Accepts NULL. */
void stores_destroy(struct stores *set);

/* This process's set, made at the first call; it is there until the end. NULL on no memory. */
struct stores *stores_shared(void);

/*
 * Adds one and begins to watch it: waits, at most 5 s, until it was looked at. data: see store_check.
 * PST_ECONFLICT when its name or its folder is there already, PST_ELIMIT.
 */
int stores_add(struct stores *set, const struct store_settings *s, const char *data, struct pst_err *err);

/*
 * news is called, on any thread and with the set's lock (it calls nothing here), when there is something that an
 * administrator should see. NULL: nobody is, and no call goes on any more.
 */
void stores_listen(struct stores *set, void (*news)(void *arg), void *arg);

/* False when there is none. */
bool stores_view(struct stores *set, size_t index, struct store_view *ret);
bool stores_view_named(struct stores *set, const char *name, struct store_view *ret);

struct store_wishes {
	bool in_maintenance;
	uint8_t warning, critical; /* 0: as configured */
};

/* What an administrator wishes. PST_ENOTFOUND, PST_EINVAL for limits that cannot be. */
int stores_wish(struct stores *set, const char *name, const struct store_wishes *w, struct pst_err *err);

/* Looks at it at once, and counts its disks. */
void stores_look(struct stores *set, const char *name);

/*
 * Recycle bin and versions of one datastore are nobody else's meanwhile: waits. False without such a
 * datastore, or while it is offline.
 */
bool stores_lock(struct stores *set, const char *name, char ret_path[900]);
void stores_unlock(struct stores *set, const char *name);

/*
 * The folders of all datastores of files but this one, in which overlays of its images may lie: for references.h.
 * Returns owned (free(), one piece), ends with NULL; NULL on no memory.
 */
const char *const *stores_others(struct stores *set, const char *name);

/* The datastore whose image this file is, as "" or a name; ret_rest (may be NULL) gets "images/…". */
void stores_of_image(struct stores *set, const char *file, char ret_name[PLACEMENT_NAME_SIZE], const char **ret_rest);

/* --- placement: stores_place.c ------------------------------------------------------- */

struct store_wish {
	const char *const *names; /* the datastores that may be chosen; n of them */
	size_t n;
	const char *pool;         /* or "" */
	bool is_ours;             /* no pool's, but the installation's: any datastore may be chosen */
	const char *image;        /* the golden disk of an overlay, or NULL */
	const char *image_sha256; /* its digest: a copy counts also while the datastore that image names is away. "" or NULL: not known */
	uint64_t needs, promises; /* bytes, as in placement.h */
	bool is_kept;             /* a disk that lies there is made anew: names has its one datastore, and only its turn matters */
	uint32_t weight;          /* tokens of the governor */
	uint64_t deadline_ms;     /* monotonic: the turn has come by then, or PST_ETIMEOUT */
	bool (*is_cancelled)(void *arg); /* asked several times a second while it waits: PST_ECLOSED. NULL: it is not */
	void *arg;
};

/* A turn on a datastore, from stores_begin to stores_end. The caller's memory, which stays where it is. */
struct store_turn {
	struct store_turn *next;
	char name[PLACEMENT_NAME_SIZE];
	char path[900];
	char image[PATH_MAX]; /* the golden disk as it lies on this datastore; "" where it lies on none */
	char why[STORES_REASON_SIZE]; /* the decision in words */
	size_t index;
	uint64_t id, needs;
	bool has_begun;
};

/* Chooses, reserves, and waits for the turn. PST_ENOSPC or PST_EBUSY when none is fit, with each one's reason. */
int stores_begin(struct stores *set, const struct store_wish *wish, struct store_turn *turn, struct pst_err *err);
void stores_end(struct stores *set, struct store_turn *turn);

/*
 * While the datastore that wish->image lies on is away: where a copy of it lies, on one of wish->names. False where it is not away, or
 * there is none.
 */
bool stores_image_copy(struct stores *set, const struct store_wish *wish, char ret[PATH_MAX]);

/* True when one of them would take a new disk of a pool that all may use; else why not, in words. */
bool stores_have_room(struct stores *set, const char *const *names, size_t n, char *ret_reason, size_t size);
