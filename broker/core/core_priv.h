/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One round of the core, as the files of this folder see it, and what each of
 * them offers to the others.
 */
#pragma once

#include "base/err.h"
#include "broker/core/agent_priv.h"
#include "broker/core/host_priv.h"
#include "broker/core/lease_priv.h"
#include "broker/core/machine_priv.h"
#include "broker/core/personal_priv.h"
#include "broker/core/reason.h"
#include "broker/core/reconcile.h"
#include "broker/core/rollout_priv.h"
#include "broker/core/spare_priv.h"
#include "broker/core/task_priv.h"

#define SURPLUS_MS 600000      /* more desktops than needed for so long are removed */
#define MOVE_RETRY_MS 20000   /* after a move that failed; doubles */
#define MOVE_RETRY_MAX_MS 600000

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

/* hygiene.c */
void desktop_delete(struct core_round *c, struct core_desktop *d);
void desktop_refresh(struct core_round *c, struct core_desktop *d);
void desktop_restart(struct core_round *c, struct core_desktop *d);
/* A used desktop without an owner: new disk, or no desktop. */
void desktop_clean(struct core_round *c, struct core_desktop *d);
/* It cannot go on: no owner of a floating pool keeps it, the reaper takes it. */
void desktop_fail(struct core_round *c, struct core_desktop *d, const struct core_reason *why);
void desktop_await_agent(struct core_round *c, struct core_desktop *d);

/* operate.c */
/* The desktop of the event, when nothing is being done to it already; NULL: refused. */
struct core_desktop *operate_on_idle(struct core_round *c);
/* Settling its lease has begun something stronger. */
bool operate_is_overtaken(const struct core_desktop *d);
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
