/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What spare.c, the second tier of spare desktops, offers to the other files of the core.
 */
#pragma once

#include <stdbool.h>

#define RESUME_WAIT_MS 120000 /* a suspended desktop must run, from the command on */
#define WAKE_WAIT_MS 60000    /* and then its agent must answer */
#define TIER_RETRY_MS 60000   /* after a suspend or a resume that failed; doubles */
#define TIER_RETRY_MAX_MS 3600000

struct core_desktop;
struct core_pool;
struct core_reason;
struct core_round;
struct core_task;

/* Begins to resume at most n: for users who wait, of older versions too; for the first tier, of the present one. */
void spare_wake(struct core_round *c, struct core_pool *p, int n, bool for_user);
/* How many more desktops the second tier wants to be made; 0: none, or the reason stands in the tier. */
int spare_lack(struct core_round *c, struct core_pool *p);
/* Begins to suspend at most n ready ones. */
void spare_suspend(struct core_round *c, struct core_pool *p, int n);
/* Removes at most n that sleep, stale ones first; how many were found. */
int spare_shed(struct core_round *c, struct core_pool *p, int n, bool only_stale);
/* Before anything else than a resume is done to it. */
void spare_leave(struct core_round *c, struct core_desktop *d);
void spare_suspended(struct core_round *c, struct core_desktop *d);
void spare_not_suspended(struct core_round *c, struct core_desktop *d, const struct core_task *t);
/* The command that resumes it has left. */
void spare_sent(struct core_round *c, struct core_desktop *d);
void spare_start(struct core_round *c, struct core_desktop *d);
/* When its machine runs, or its agent has answered: with both it is awake. */
void spare_is_up(struct core_round *c, struct core_desktop *d);
/* It was to be resumed and has not come: a new disk, or another desktop. */
void spare_astray(struct core_round *c, struct core_desktop *d, const struct core_reason *why);
