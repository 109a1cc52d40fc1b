/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a kind of datastore can: a table of functions with two implementations, a folder of files and volumes
 * of a libvirt storage pool. Both have a folder that Puesto writes into; a folder of volumes holds records
 * (volume_record.h) where the other one holds disks, so desktops, versions and the recycle bin are found by the same
 * names. Everything may block; any thread.
 */
#pragma once

#include "base/conf.h"
#include "base/err.h"
#include "broker/hypervisor/disk/datastore.h"
#include "broker/hypervisor/disk/version.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store_settings;

/* What a look at a datastore finds. */
struct store_look {
	struct datastore_space space;
	char about[24];   /* libvirt's word for the kind of pool, "" for a folder */
	bool takes_whole; /* a disk takes the room of all that it promises at once */
};

/* A version's bytes, copied into a new file. */
struct store_fetch {
	const char *image, *version;
	const char *target; /* absolute; must not exist, and is gone again on failure */
	digest_cb go_on;    /* or NULL */
	void *arg;
	int cancel_fd;      /* readable: stop. -1: never */
};

struct store_type {
	const char *kind;
	const char *disk; /* the name of a version's disk in images/IMAGE/VERSION/ */
	/* The section's keys that are this kind's own. */
	int (*settings_read)(struct pst_conf *conf, const char *section, struct store_settings *s, struct pst_err *err);
	/* Is it there, and is it the right one? See store_check. */
	int (*check)(const struct store_settings *s, const char *data, struct pst_err *err);
	/* What a crash has left of versions, while nobody is at work. ret_n: how much that was. */
	int (*sweep)(const struct store_settings *s, int64_t now_ms, unsigned *ret_n, struct pst_err *err);
	int (*measure)(const struct store_settings *s, struct store_look *ret, struct pst_err *err);
	int (*census)(const struct store_settings *s, struct datastore_census *ret, struct pst_err *err);
	/* As version_publish; p->source is of this machine, and is gone afterwards. */
	int (*publish)(const struct store_settings *s, const struct version_params *p, struct manifest *ret, struct pst_err *err);
	/* Is it there as its manifest says, by all that is told without reading it? */
	int (*verify)(const struct store_settings *s, const char *image, const char *version, struct pst_err *err);
	int (*fetch)(const struct store_settings *s, const struct store_fetch *f, struct pst_err *err);
	/* Into the recycle bin, as version_remove. */
	int (*remove)(const struct store_settings *s, const char *const *others, const char *image, const char *version, const char *reason,
		int64_t keep_ms, struct pst_err *err);
	/* The recycle bin: as recycle_purge and recycle_end. */
	int (*purge)(const struct store_settings *s, const char *const *others, int64_t now_ms, unsigned *ret_n, struct pst_err *err);
	int (*end)(const struct store_settings *s, const char *const *others, const char *token, struct pst_err *err);
};

/* store_types.c: the kinds that are built in. NULL when there is no such kind. */
const struct store_type *store_type_find(const char *kind);
/* "directory, volumes" */
const char *store_type_kinds(void);
/* Its disks are volumes, and no files. */
bool store_is_volumes(const struct store_settings *s);
/* Of settings that name none: a directory. */
const struct store_type *store_type_of(const struct store_settings *s);
