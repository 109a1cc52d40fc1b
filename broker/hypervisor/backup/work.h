/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the broker asks of back-ups, from its first step to its last, on the calling thread.
 *
 *	backup   the disk, running or not ── QEMU's job ──► .backup.TOKEN.tmp beside it ── copy, digest ──► the datastore of back-ups
 *	restore  the chain's files, the full one first ── QEMU's daemon ──► a new disk ──► in the place of the old one
 *
 * QEMU writes beside the disk only: what happens to the datastore of back-ups is never a matter of the guest's.
 */
#pragma once

#include "broker/hypervisor/backup/blocks.h"
#include "broker/hypervisor/backup/note.h"
#include "broker/hypervisor/driver.h"
#include "broker/hypervisor/storage/stores.h"

#include <jansson.h>

enum backup_work_kind {
	WORK_BACKUP,
	WORK_RESTORE, /* the disk of a desktop that is stopped */
	WORK_REBUILD, /* a disk for a desktop that is not there */
	WORK_REMOVE,  /* a whole chain */
};

struct backup_order {
	enum backup_work_kind kind;
	char task[PST_UUID_SIZE], desktop[PST_UUID_SIZE];
	char provider[MACHINE_NAME_SIZE];        /* not of remove */
	char datastore[PLACEMENT_NAME_SIZE];     /* of the back-ups; backup: "" is the only one */
	uint64_t id;                             /* restore, rebuild, remove: of the back-up */
	char base[PATH_MAX];                     /* rebuild: where the version's golden disk is */
	struct backup_policy policy;             /* backup */
	/* backup: for its manifest */
	char name[NOTE_NAME_SIZE], pool[NOTE_NAME_SIZE], user[NOTE_NAME_SIZE], image[NOTE_NAME_SIZE], version[NOTE_NAME_SIZE];
};

/* Of the broker's message "backup". PST_EINVAL names the field. */
int backup_order_parse(const json_t *msg, struct backup_order *ret, struct pst_err *err);

struct backup_result {
	char datastore[PLACEMENT_NAME_SIZE];
	struct note note;  /* backup: what was made; id 0: nothing was due */
	uint64_t removed[BACKUPS_MAX];
	size_t removed_n;
};

struct backup_work {
	struct stores *set;
	struct driver *driver; /* NULL for remove */
	const struct backup_order *o;
	int cancel_fd; /* readable: stop */
	/* step: a literal; percent of that step. */
	void (*tell)(void *arg, const char *step, unsigned percent);
	void *arg;
};

/* The id of the back-up that a task makes: the same task finds it again. */
uint64_t backup_work_id(const char *task);

/* PST_ECLOSED when it was cancelled; on failure nothing of it is left, but a bitmap that the next one removes. */
int backup_work_run(const struct backup_work *w, struct backup_result *ret, struct pst_err *err);

/* --- between work.c, make.c and restore.c ----------------------------------------------------------- */

bool work_is_cancelled(const struct backup_work *w);
/* The datastore of back-ups. PST_EBUSY while it is offline. */
int work_store(const struct backup_work *w, struct store_view *ret, struct pst_err *err);
int work_make(const struct backup_work *w, struct backup_result *ret, struct pst_err *err);
int work_restore(const struct backup_work *w, struct pst_err *err);
/* For backup.h. ret has room for n. */
void work_backups(const struct note *notes, size_t n, struct backup *ret);

/* What job copies, until it has. Ended early, also by an error, it is released. */
int work_job(const struct backup_work *w, const struct blocks *b, const struct blocks_disk *disk, const struct blocks_job *job,
	const char *step, struct pst_err *err);
/* Copies what one file of a chain has itself into another qcow2 file. */
int work_layer(const struct backup_work *w, const char *layer, int target_fd, const char *target, struct pst_err *err);
