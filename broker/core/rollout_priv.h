/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The part of a round that is about versions on their way to the pools, as the other files of
 * this folder see it.
 */
#pragma once

#include "broker/core/out.h"

#define VERIFY_WAIT_MS 600000 /* a version's first desktop must have reported; longer where its agent may take longer (agent_wait_ms) */
#define VERIFY_TRIES 3        /* when the machine vanishes under it */
#define ROLL_NOTICE_MS 300000 /* from the message to the log-off for a new version */
#define ROLL_WATCH_MS 3600000 /* a version that is out everywhere is judged for so long */
#define SLOWER_FLOOR_MS 1000  /* nobody is bothered by less */

struct core_round;

/* rollout.c */
/* Before its first change, and before a roll-out is added: copies for an undo; its row is written. */
bool rollout_keep(struct core_round *c);
void rollout_touch(struct core_round *c, struct core_rollout *ro);
void rollout_undo(struct core_state *st, struct core_out *out);
void rollout_enter(struct core_round *c, struct core_rollout *ro, enum rollout_phase phase);
/* From wherever it is: the version works, so its canaries or everything. */
void rollout_spread(struct core_round *c, struct core_rollout *ro);
/* The version before is the current one again; bad: this one may not be published by mistake. */
void rollout_revert(struct core_round *c, struct core_rollout *ro, const struct core_reason *why, bool bad);
void rollout_run(struct core_round *c);
void rollout_resume(struct core_state *st, const struct core_now *now);
/* From the wall clock once; a step of it later moves nothing. */
void rollout_set_force(struct core_rollout *ro, const struct core_now *now);
/* Of images that are there no more. */
void rollout_forget(struct core_state *st);
bool rollout_has_pools(const struct core_state *st, const struct core_rollout *ro);
/* A new version is not made for it: an administrator's switch, or a disk that its user keeps. */
bool rollout_spares(const struct core_rollout *ro, const struct core_pool *p, const struct core_desktop *d);
void audit_rollout(struct core_round *c, const char *word, const struct core_rollout *ro, const char *text);
void version_judged(struct core_round *c, const struct core_rollout *ro, bool works);

/* rollout_act.c */
void rollout_on_publish(struct core_round *c);
void rollout_on_act(struct core_round *c);

/* verify.c */
void verify_run(struct core_round *c, struct core_rollout *ro);
/* Takes the wish that a free desktop of this pool goes, because its host is full. */
bool verify_takes_room(const struct core_state *st, const struct core_pool *p);
/* Probes that no roll-out waits for are removed. */
void verify_clean(struct core_round *c);

/* judge.c */
/* A desktop of a version has failed, for whatever reason; a log-on has begun, or has not. */
void judge_failure(struct core_round *c, const struct core_desktop *d, const struct core_reason *why);
void judge_logon(struct core_round *c, const struct core_desktop *d, bool begun);
/* Whether the new version is so much worse that it has to go. */
bool judge_run(struct core_round *c, struct core_rollout *ro);

/* renew.c */
void renew_run(struct core_round *c, struct core_rollout *ro);
/* Whoever was told of it is told again. */
void renew_forget(struct core_round *c, const struct core_rollout *ro);

/* share.c */
/* The version of the pool's next new disk; d is the desktop that gets it, NULL: a new one. */
const char *share_version(
	const struct core_state *st, const struct core_pool *p, const struct core_desktop *d);
/* Adds the old desktops that have to make room for canaries to the stale ones; then the surge. */
void share_count(const struct core_state *st, struct core_pool *p);
/* Which goes first: 0 a stale one, 1 one that makes room for a canary, 2 any. */
int share_rank(const struct core_state *st, const struct core_pool *p, const struct core_desktop *d);
int share_ceiling(const struct core_state *st, const struct core_pool *p);

/* timing.c */
void timing_begin(struct core_round *c, struct core_desktop *d);
void timing_prepared(struct core_round *c, struct core_desktop *d);
void timing_logon(struct core_round *c, const struct core_desktop *d);
/* After the commit. */
void timing_take(struct core_state *st, const struct core_out *out);
