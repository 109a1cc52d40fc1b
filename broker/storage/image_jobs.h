/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Long work of the provisioner on versions of images: intents are rows, asked for again with the same id until they
 * have ended; how far each one is, only memory knows. Retired versions that nothing needs are removed here. Loop thread only.
 *
 *	import, capture: version building ──► ready (with its files)      remove: version retired ──► no row
 *	                                  └──► failed                                             └──► retired, tried again
 *	copy: version ready ──► ready, with a row of version_copies, or as it was
 */
#pragma once

#include "broker/storage/ops.h"
#include "db/image_job.h"

#include <uv.h>

struct db;
struct image_jobs;

#define IMAGE_KEEP_MS (INT64_C(7) * 24 * 3600 * 1000) /* of a removed version, in the recycle bin */

/* db and ops are borrowed. Returns owned; NULL with err. */
struct image_jobs *image_jobs_create(uv_loop_t *loop, struct db *db, const struct storage_ops *ops, void *arg, struct pst_err *err);
void image_jobs_destroy(struct image_jobs *jobs);

/* Its row has just been committed: it is asked for. */
void image_jobs_begin(struct image_jobs *jobs, const struct image_job_row *row);
/* True when it is at work: its failure will be told. The row's state is the caller's to look at first. */
bool image_jobs_cancel(struct image_jobs *jobs, const char *id);

/* The provisioner's message "image". */
int image_jobs_told(struct image_jobs *jobs, const json_t *msg, struct pst_err *err);
/* The provisioner is there, or there again. */
void image_jobs_connected(struct image_jobs *jobs);
void image_jobs_gone(struct image_jobs *jobs);

/* Of a version that goes: whose turn it is, a copy's before that of its own datastore. */
int image_jobs_removal(struct db *db, const struct version_files_row *files, char ret_datastore[DB_WORD_SIZE], struct pst_err *err);

/* waiting, converting, copying, digesting, removing; false when it is not at work. */
bool image_jobs_progress(const struct image_jobs *jobs, const char *id, const char **ret_step, int *ret_percent);

/* Begins the removal of one retired version that nothing needs, if there is one and nothing is at work; also done by itself once a minute. */
void image_jobs_sweep(struct image_jobs *jobs);
