/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What personal.c offers to the files of this folder.
 */
#pragma once

#include "broker/core/state.h"

struct core_round;

#define MOUNT_WAIT_MS 120000   /* a guest may make or mend its file system */
#define UNMOUNT_WAIT_MS 30000
#define SETBACK_FIRST_MS 30000
#define SETBACK_MAX_MS 600000

/* A lease has begun. */
void personal_want(struct core_round *c, struct core_desktop *d);
/* A lease has ended before anything was brought. */
void personal_drop(struct core_desktop *d);
/* Before its disk is made new: true while the user's own has to go first; then desktop_clean or desktop_refresh comes again. */
bool personal_leaves(struct core_round *c, struct core_desktop *d);
/* Its machine goes as it is, perhaps with the disk mounted. */
void personal_cut(struct core_round *c, struct core_desktop *d);
/* Nothing unmounts it any more: the machine is removed. */
void personal_break(struct core_round *c, struct core_desktop *d);
/* Its machine is no more. */
void personal_released(struct core_round *c, struct core_desktop *d);
void personal_started(struct core_round *c, struct core_desktop *d, enum task_kind kind);
void personal_attached(struct core_round *c, struct core_desktop *d);
void personal_detached(struct core_round *c, struct core_desktop *d);
void personal_fail(struct core_round *c, struct core_desktop *d, const char *why);
void personal_on_hello(struct core_round *c, struct core_desktop *d, bool is_new_boot);
/* False: it is no word of ours. */
bool personal_on_report(struct core_round *c, struct core_desktop *d);
void personal_late(struct core_round *c, struct core_desktop *d);
/* Begins what is wanted of this desktop and possible now. */
void personal_next(struct core_round *c, struct core_desktop *d);
void personal_run(struct core_round *c);
/* Whether a user's disk is not tried again yet; ret says why. */
bool personal_waits(const struct core_round *c, const char *user_id, const char *pool_id, struct core_reason *ret);
