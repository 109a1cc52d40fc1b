/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One round of the core, as the files of this folder see it, and what each of
 * them offers to the others.
 */
#pragma once

#include "base/err.h"
#include "broker/core/agent_priv.h"
#include "broker/core/host_priv.h"
#include "broker/core/personal_priv.h"
#include "broker/core/reason.h"
#include "broker/core/reconcile.h"
#include "broker/core/rollout_priv.h"
#include "broker/core/spare_priv.h"

#define LOGOFF_WAIT_MS 15000   /* the agent may take this long to close a log-on */
#define GRANT_WAIT_MS 60000    /* a granted viewer must come */
#define VACATED_WAIT_MS 3000   /* the gateway may take this long to say why a viewer is gone */
#define CLAIM_WAIT_MS 120000   /* a user must come for an assigned desktop */
#define WAITER_WAIT_MS 30000   /* a waiting user must ask again */
#define FAILED_KEEP_MS 120000  /* a failed desktop stays to be looked at */
#define TASK_RESEND_MS 60000   /* a lost answer is asked for again */
#define BACKOFF_FIRST_MS 1000
#define BACKOFF_MAX_MS 60000
#define TASK_TRIES 5           /* answers "no, but try again" before it is a failure */
#define MACHINE_TRIES 3        /* restarts of a machine that goes down by itself */
#define INVENTORY_SOON_MS 5000
#define INVENTORY_MS 300000
#define INVENTORY_LISTS 2      /* in a row without a desktop, before it is gone */
#define SURPLUS_MS 600000      /* more desktops than needed for so long are removed */
#define MOVE_RETRY_MS 20000   /* after a move that failed; doubles */
#define MOVE_RETRY_MAX_MS 600000
#define BREAKER_FAILURES 3
#define BREAKER_FIRST_MS 30000
#define BREAKER_MAX_MS 600000
#define REAP_FEW 5             /* or a tenth of all, in a round without an operator */
#define RETRY_AFTER_MS 1000    /* a waiting user asks again: after a tenth of what it takes, but */
#define RETRY_LONG_MS 5000     /* not sooner and not later than these */

struct core_round {
	struct core_state *st;
	const struct core_event *ev;
	const struct core_now *now;
	const struct core_ids *ids;
	struct core_out *out;
};

/* out.c */
/* Keeps a copy of the desktop before its first change in this round. */
void desktop_touch(struct core_round *c, struct core_desktop *d);
struct core_desktop *desktop_make(struct core_round *c, const char *id);
struct core_change *change_add(struct core_round *c, enum change_kind kind);
struct core_command *command_add(struct core_round *c, enum command_kind kind);
void audit(struct core_round *c, const char *word, const struct core_desktop *d, const char *text);
void audit_host(struct core_round *c, const char *word, const struct core_host *h);
/* The one host that an administrator changes in this round, for the undo. */
void out_keep_host(struct core_round *c, const struct core_host *h);
void audit_pool(struct core_round *c, const char *word, const struct core_pool *p, const char *text);
void refuse(struct core_round *c, int code, enum reason which, const char *arg);
void wake_at(struct core_round *c, int64_t mono_ms);
void tell_waiter(struct core_round *c, const char *user_id, const char *pool_id);

/* lease.c */
void lease_take(struct core_round *c, struct core_desktop *d, const char *user_id, const char *user_name);
/* The owner loses it; a disk that was used is then made new or removed. */
void lease_release(struct core_round *c, struct core_desktop *d, enum reason why);
/* Asks the agent to close the log-on, then lease_settle(). */
void lease_logoff(struct core_round *c, struct core_desktop *d, enum reason why);
/* The log-on is closed: release, or for an owned desktop keep. */
void lease_settle(struct core_round *c, struct core_desktop *d);

/* session.c */
void session_end(struct core_round *c, struct core_desktop *d, enum reason why, bool tell);
void session_on_grant(struct core_round *c);
void session_on_started(struct core_round *c);
void session_on_ended(struct core_round *c);
void session_on_kill(struct core_round *c);
void session_on_gateway(struct core_round *c);

/* hygiene.c */
void desktop_delete(struct core_round *c, struct core_desktop *d);
void desktop_refresh(struct core_round *c, struct core_desktop *d);
void desktop_restart(struct core_round *c, struct core_desktop *d);
/* A used desktop without an owner: new disk, or no desktop. */
void desktop_clean(struct core_round *c, struct core_desktop *d);
/* It cannot go on: no owner of a floating pool keeps it, the reaper takes it. */
void desktop_fail(struct core_round *c, struct core_desktop *d, const struct core_reason *why);
void desktop_await_agent(struct core_round *c, struct core_desktop *d);

/* operation.c */
void operation_on(struct core_round *c);
/* Its owner comes: what an administrator has stopped is started. */
void operation_wake(struct core_round *c, struct core_desktop *d);
void operation_done(struct core_round *c, struct core_desktop *d, const struct core_task *t);
void operation_move(struct core_round *c, struct core_desktop *d, struct core_host *to);
void operation_failed(struct core_round *c, struct core_desktop *d, const struct core_task *t);

/* restore.c */
void restore_on(struct core_round *c);

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

/* wait.c */
/* In an answer that is otherwise whole: how long it takes, in figures and words, and when to ask again. Nothing where it is not known. */
void wait_tell_place(const struct core_round *c, struct connect_answer *a, const struct core_pool *p, int position);
void wait_tell_desktop(const struct core_round *c, struct connect_answer *a, const struct core_desktop *d);

/* breaker.c */
struct core_breaker *breaker_find(const struct core_state *st, const char *provider, const char *image,
                                  const char *version);
/* May a desktop be made now? When not, ret says why. */
bool breaker_allows(struct core_round *c, const char *provider, const char *image, const char *version,
                    struct core_reason *ret);
/* This desktop is being tried; no other until it has worked or failed, or time has passed. */
void breaker_probe(struct core_round *c, const struct core_desktop *d);
void breaker_fail(struct core_round *c, const struct core_desktop *d, const struct core_reason *why);
void breaker_pass(struct core_round *c, const struct core_desktop *d);
/* The cause may be gone (provider NULL: of any): one desktop is tried at once, and the pauses begin anew. */
void breaker_try_now(struct core_round *c, const char *provider);

/* machine.c */
/* Health and capacity, from the provisioner's last hello. */
void machine_serve(struct core_state *st, struct core_provider *pr);
void machine_on_hello(struct core_round *c);
void machine_on_gone(struct core_round *c);
void machine_on_report(struct core_round *c);
void machine_down(struct core_round *c, struct core_desktop *d, const char *text);
void machine_gone(struct core_round *c, struct core_desktop *d);
/* A desktop with an unfinished task, or one that failed, is left alone. */
void machine_apply(struct core_round *c, struct core_desktop *d, const struct machine_report *m);

/* inventory.c */
void inventory_take(struct core_round *c);
void inventory_on_allow(struct core_round *c);

/* reaper.c */
void reaper_sight(struct core_round *c, const char *machine);
void reaper_after_inventory(struct core_round *c, size_t machine_count);
void reaper_on_allow(struct core_round *c);
void reaper_failed(struct core_round *c);

/* assign.c */
struct core_desktop *assign_choose(const struct core_state *st, const struct core_pool *p, const char *user_id);
void assign_waiters(struct core_round *c);
void assign_on_connect(struct core_round *c);
void assign_answer(struct core_round *c);
/* A free one that is on its way to be ready. */
bool desktop_is_coming(const struct core_desktop *d);
void assign_on_cancel(struct core_round *c);
void assign_on_revoked(struct core_round *c);

/* operate.c */
/* The desktop of the event, when nothing is being done to it already; NULL: refused. */
struct core_desktop *operate_on_idle(struct core_round *c);
void operate_on_logoff(struct core_round *c);
void operate_on_restart(struct core_round *c);
void operate_on_refresh(struct core_round *c);
void operate_on_delete(struct core_round *c);
void operate_on_drain(struct core_round *c);
void operate_on_pool_delete(struct core_round *c);
void operate_on_config(struct core_round *c);

/* pool_plan.c */
void pool_count(struct core_state *st);
void pool_plan(struct core_round *c);
int provider_capacity(const struct core_provider *p); /* how many it may hold; 0: no limit */
/* It has fewer desktops than it should, and may have more. */
bool pool_lacks(const struct core_pool *p);

/* Whether the provider can make one more; when not, ret says why. */
bool provider_allows(struct core_round *c, struct core_provider *pr, struct core_reason *ret);
/* A desktop of that version, in the pool's count or (probe) outside of it. NULL: no memory. */
struct core_desktop *pool_make(struct core_round *c, struct core_pool *p, const char *version, bool probe);

/* deadline.c */
void deadline_expire(struct core_round *c);
void deadline_wake(struct core_round *c);
