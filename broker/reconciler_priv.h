/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The body of the reconciler, for its files: reconciler.c (calls by the
 * API), reconciler_peers.c (reports of the other programs),
 * reconciler_rollout.c (versions on their way to the pools), reconciler_late.c (what could not be written yet), reconciler_load.c (rows to state), reconciler_write.c (changes to rows) and
 * reconciler_send.c (commands and notices).
 */
#pragma once

#include "base/err.h"
#include "broker/core/reconcile.h"
#include "broker/reconciler.h"
#include "db/db.h"

struct late;

struct reconciler {
	struct db *db;
	const struct reconciler_ops *ops;
	void *arg;
	struct core_state st;
	struct core_ids ids;
	uint8_t enrol_key[32];
	char boot[CORE_ID_SIZE]; /* of this machine, for tickets */
	bool stale;              /* memory ran out in a round: load anew */
	int64_t pruned_wall;
	struct late *late; /* owned list; reconciler_late.c */
};

/* Everything from the tables; what only memory knows is carried over from old (may be NULL). */
int reconciler_load(struct reconciler *r, struct core_state *ret, const struct core_state *old,
                    struct pst_err *err);
int reconciler_load_config(struct reconciler *r, struct core_config *ret, struct pst_err *err);
void core_config_finish(struct core_config *cfg);

/* Inside a transaction. */
int reconciler_write(struct reconciler *r, const struct core_out *out, const struct core_now *now,
                     struct pst_err *err);

/* reconciler_rollout.c */
int reconciler_load_rollouts(struct db *db, struct core_state *st, struct pst_err *err);
/* Of CHANGE_ROLLOUT, _PUBLISHED, _VERSION and _TIMING. */
int reconciler_write_rollout(struct reconciler *r, const struct core_change *ch, const struct core_now *now, struct pst_err *err);

/* After the commit. */
void reconciler_send(struct reconciler *r, const struct core_out *out);

/* The token is a function of the task: a repeated command carries the same one. */
void reconciler_enrol_token(const struct reconciler *r, const char *task, char ret_token[44]);

/* reconciler_late.c */
/* Runs the round; what could not be written is told again until it is. The result is this round's. */
int late_tell(struct reconciler *r, const struct core_event *ev, struct pst_err *err);
/* The other end is back: what was not written is true no more. object "" when it is about none. */
void late_forget(struct reconciler *r, enum core_event_kind kind, const char *object);
void late_run(struct reconciler *r);
void late_finish(struct reconciler *r);

/* reconciler.c */
void reconciler_now(const struct reconciler *r, struct core_now *ret);
/* A step of the caller's own in the round's transaction; NULL: none. It runs last, and
 * only when the core did not refuse. */
typedef int (*round_step)(struct reconciler *r, void *arg, struct pst_err *err);

/* out is for core_out_finish() by the caller, whatever the result. */
int round_run_step(struct reconciler *r, const struct core_event *ev, struct core_out *out, round_step step,
                   void *step_arg, struct pst_err *err);
int round_run(struct reconciler *r, const struct core_event *ev, struct pst_err *err);
