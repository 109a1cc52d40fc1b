/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is done to a desktop, by tasks, as the other files of this folder see it.
 */
#pragma once

#include "broker/core/out.h"
#include "broker/core/reason.h"
#include "broker/core/state.h"

struct core_round;

#define TASK_RESEND_MS 60000   /* a lost answer is asked for again */
#define BACKOFF_FIRST_MS 1000
#define BACKOFF_MAX_MS 60000
#define TASK_TRIES 5           /* answers "no, but try again" before it is a failure */

/* task.c */
/* The row once more, after a field of a new task was set. */
void task_rewrite(struct core_round *c, const struct core_task *t);
void task_start(struct core_round *c, struct core_desktop *d, enum task_kind kind);
void task_start_orphan(struct core_round *c, struct core_orphan *o);
void task_on_result(struct core_round *c);
void task_all_due(struct core_round *c);
void task_dispatch(struct core_round *c);
int64_t task_backoff(int failures);
bool task_is_light(const struct core_task *t); /* it loads no host: nobody waits for its turn */

/* operation.c */
void operation_on(struct core_round *c);
/* Its owner comes: what an administrator has stopped is started. */
void operation_wake(struct core_round *c, struct core_desktop *d);
void operation_done(struct core_round *c, struct core_desktop *d, const struct core_task *t);
void operation_move(struct core_round *c, struct core_desktop *d, struct core_host *to);
void operation_failed(struct core_round *c, struct core_desktop *d, const struct core_task *t);

/* restore.c */
void restore_on(struct core_round *c);
/* It was to come back with its disk, and its machine was never made; again. */
bool restore_is_unfinished(const struct core_desktop *d);
void restore_again(struct core_round *c, struct core_desktop *d);
