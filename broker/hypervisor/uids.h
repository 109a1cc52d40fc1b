/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A range of uids, one for each desktop of a provider. Any thread. */
#pragma once

#include "base/err.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define UIDS_MAX 1024

struct uids {
	pthread_mutex_t lock; /* guards the two below */
	bool taken[UIDS_MAX];
	uint32_t next;
	uid_t base;
	uint32_t count;
};

/* count is at most UIDS_MAX. */
void uids_init(struct uids *u, uid_t base, uint32_t count);
void uids_finish(struct uids *u);

/*
 * Two installations on one machine must not share uids: the salt (a path) decides, from lowest on
 * within four million.
 */
uid_t uids_base_default(const char *salt, uid_t lowest);

/*
 * Takes one that is not taken (and of which also, which may be NULL, says nothing), beginning after the
 * last one, so that none comes back soon. PST_EBUSY when there is none.
 */
int uids_take(struct uids *u, const bool also[UIDS_MAX], uid_t *ret_uid, struct pst_err *err);

/* Nothing happens for a uid that is not of the range. */
void uids_mark(struct uids *u, uid_t uid, bool taken);
