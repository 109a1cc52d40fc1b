/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One datastore as provisioner.conf has it, and whether what is there now is the right
 * one. A datastore carries a mark: where its file system is not mounted, the empty folder below has
 * none, or another one, and nothing is written into it. A pool of volumes has its UUID for a mark. Any thread.
 *
 *	FOLDER/datastore.id          the mark, 32 hexadecimal digits
 *	FOLDER/incoming/             disks that an administrator has put there to be imported
 *	DATA/datastores/NAME         the mark that is expected there
 *	DATA/volumes/NAME            the FOLDER of a datastore of volumes
 */
#pragma once

#include "base/conf.h"
#include "base/err.h"
#include "broker/hypervisor/disk/level.h"
#include "broker/hypervisor/disk/placement.h"
#include "broker/hypervisor/storage/store_type.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define STORE_POOLS_SIZE 1024
#define STORE_JOBS_DEFAULT 8 /* tokens of the governor */
#define STORE_MARK_SIZE 33

struct store_settings {
	const struct store_type *type; /* NULL: a directory */
	char name[PLACEMENT_NAME_SIZE];
	char path[900];               /* absolute; names of backing files have to fit into a qcow2 header */
	char pools[STORE_POOLS_SIZE]; /* ",a,b,": these only; "": every one */
	struct level_limits limits;
	uint32_t jobs_max;
	uint32_t overcommit_percent;  /* 0: no ceiling */
	uint64_t keeps_free;          /* bytes */
	bool is_backups;              /* for back-ups of desktops, and for nothing else */
	bool is_plain;                /* a driver's own "directory": no mark, no images, and its own layout */
	/* of volumes */
	char pool[128], uri[512];     /* libvirt's name of the pool, and where that libvirt is */
	char tool[256];               /* qemu-img, for what libvirt cannot read or write */
	uint32_t reserve_percent;     /* of a disk's size, kept in its volume for snapshots */
};

/* Every key of the section is read, also on failure. PST_EINVAL names the key. */
int store_settings_read(struct pst_conf *conf, const char *section, const char *name, struct store_settings *ret,
	struct pst_err *err);

/* pool: "" is none that is known, which is a matter of "every one" only. */
bool store_allows(const struct store_settings *s, const char *pool);

/*
 * Is this the datastore? A new one gets its mark and its folders. PST_ENOTFOUND: the folder is not there, or
 * not the right one; err says what to do. data: where the expected marks lie (absolute).
 */
int store_check(const struct store_settings *s, const char *data, struct pst_err *err);

/* --- for the kinds ------------------------------------------------------------------------- */

/* FOLDER's parts, incoming/ too, where they are missing. */
int store_folders_make(const struct store_settings *s, struct pst_err *err);
/* "" where there is none; PST_EINVAL for what is no mark. */
int store_mark_read(const char *path, char out[STORE_MARK_SIZE], struct pst_err *err);
int store_mark_write(const char *path, const char *mark, struct pst_err *err);
/* DATA/datastores/NAME; makes its folder. */
int store_mark_path(const struct store_settings *s, const char *data, char out[PATH_MAX], struct pst_err *err);
