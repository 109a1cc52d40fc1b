/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Back-ups of desktops: made when their pool wishes it or somebody asks, restored, removed. Intents are rows, asked for again with
 * the same id until they have ended; how far each one is, only memory knows. Loop thread only.
 *
 *	making ──► ready (in the provisioner's words: full or incremental, and why)     restore, rebuild: the job of a ready one
 *	      └──► failed, tried again                                                  remove:           the row goes
 */
#pragma once

#include "broker/storage/ops.h"
#include "db/backup.h"

#include <uv.h>

struct db;
struct backup_jobs;

#define BACKUP_JOBS_ASKED 16 /* made by themselves at a time; the provisioner works on some of them */

/* db and ops are borrowed. Returns owned; NULL with err. */
struct backup_jobs *backup_jobs_create(uv_loop_t *loop, struct db *db, const struct storage_ops *ops, void *arg, struct pst_err *err);
void backup_jobs_destroy(struct backup_jobs *jobs);

/* Its row, with a job that runs, has just been committed: it is asked for. */
void backup_jobs_begin(struct backup_jobs *jobs, const struct backup_row *row);
/* False: nothing of that id is at work. Its failure will be told. */
bool backup_jobs_cancel(struct backup_jobs *jobs, const char *id);

/* The provisioner's message "backup". */
int backup_jobs_told(struct backup_jobs *jobs, const json_t *msg, struct pst_err *err);
/* The provisioner is there, or there again. */
void backup_jobs_connected(struct backup_jobs *jobs);
void backup_jobs_gone(struct backup_jobs *jobs);

/* waiting, copying, storing, checking; false when nothing of that back-up is at work. */
bool backup_jobs_progress(const struct backup_jobs *jobs, const char *id, const char **ret_step, int *ret_percent);

/* Begins those that are due; also done by itself once a minute. */
void backup_jobs_sweep(struct backup_jobs *jobs);
