/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who has a desktop and who waits for one, as the other files of this folder see it.
 */
#pragma once

#include "broker/core/out.h"
#include "broker/core/reason.h"
#include "broker/core/state.h"

struct core_round;

#define LOGOFF_WAIT_MS 15000   /* the agent may take this long to close a log-on */
#define GRANT_WAIT_MS 60000    /* a granted viewer must come */
#define VACATED_WAIT_MS 3000   /* the gateway may take this long to say why a viewer is gone */
#define CLAIM_WAIT_MS 120000   /* a user must come for an assigned desktop */
#define WAITER_WAIT_MS 30000   /* a waiting user must ask again */
#define RETRY_AFTER_MS 1000    /* a waiting user asks again: after a tenth of what it takes, but */
#define RETRY_LONG_MS 5000     /* not sooner and not later than these */

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

/* assign.c */
struct core_desktop *assign_choose(const struct core_state *st, const struct core_pool *p, const char *user_id);
void assign_waiters(struct core_round *c);
void assign_on_connect(struct core_round *c);
void assign_answer(struct core_round *c);
/* A free one that is on its way to be ready. */
bool desktop_is_coming(const struct core_desktop *d);
void assign_on_cancel(struct core_round *c);
void assign_on_revoked(struct core_round *c);

/* wait.c */
/* In an answer that is otherwise whole: how long it takes, in figures and words, and when to ask again. Nothing where it is not known. */
void wait_tell_place(const struct core_round *c, struct connect_answer *a, const struct core_pool *p, int position);
void wait_tell_desktop(const struct core_round *c, struct connect_answer *a, const struct core_desktop *d);
