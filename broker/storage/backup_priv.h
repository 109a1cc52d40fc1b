/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What backup_jobs.c and backup_end.c share. */
#pragma once

#include "broker/storage/backup_jobs.h"

struct backup_working {
	struct backup_working *next;
	struct backup_row row;
	char step[16];
	int percent;
	bool is_asked; /* of the present connection */
};

struct question;

struct backup_jobs {
	struct db *db;
	const struct storage_ops *ops;
	void *arg;
	struct pst_timer *timer;
	struct backup_working *first;
	struct question *questions; /* whose answers have not come */
	bool is_connected;
};

void backup_jobs_drop(struct backup_jobs *jobs, struct backup_working *w);

/*
 * Writes how it ended, with its event, and forgets w. msg: the provisioner's "done"; else code and error. On failure w stays: it is not
 * written.
 */
int backup_jobs_end(struct backup_jobs *jobs, struct backup_working *w, const json_t *msg, const char *code, const char *error,
	struct pst_err *err);
