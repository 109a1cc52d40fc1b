/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The shell around the decision core: it turns calls into events, runs
 * reconcile(), writes the changes in one transaction and only then sends the
 * commands. It owns the in-memory state of providers, images, pools and
 * desktops, and is the only writer of desktops, assignments, sessions, tickets
 * and tasks. Loop thread only; nothing here blocks on anything but SQLite.
 *
 * Every call that decides something returns 0, or a negative PST_E… with a
 * sentence in err. When the database refuses (a full disk), nothing has changed, nothing was sent.
 */
#pragma once

#include "broker/core/view.h"
#include "broker/reconciler_ops.h"

struct db;
struct pst_err;
struct reconciler;

/* Loads everything from db (migrated already). ops is borrowed. Calls no op. */
int reconciler_create(struct db *db, const struct reconciler_ops *ops, void *arg, struct reconciler **ret,
                      struct pst_err *err);
void reconciler_destroy(struct reconciler *r);
/* Once after create, when the ops can be served; then whenever wake asked for it. */
void reconciler_tick(struct reconciler *r);
/* For the views of broker/core/view.h. Borrowed. */
const struct core_state *reconciler_state(const struct reconciler *r);

/* --- users ------------------------------------------------------------------ */

struct connect_request {
	const char *user_id, *user_name, *pool_id; /* entitlement is the caller's business */
	const char *remote;
};

/* Asks for the user's desktop in a pool: the one that is already assigned, else
 * the best free one, else a place in the queue. Repeat it every few seconds and
 * at each waiter(): a place in the queue that nobody asks about for 30 s is given up. */
int reconciler_connect(struct reconciler *r, const struct connect_request *req, struct connect_answer *ret,
                       struct pst_err *err);
/* The user no longer waits. */
void reconciler_connect_cancel(struct reconciler *r, const char *user_id, const char *pool_id);

struct grant {
	char session[CORE_ID_SIZE], desktop[CORE_ID_SIZE], pool[CORE_ID_SIZE], user_id[CORE_ID_SIZE];
	char user_name[CORE_NAME_SIZE], pool_name[CORE_WORD_SIZE];
	int64_t epoch;
	uint8_t key[32]; /* of the grant's HMAC; the caller wipes it */
	char endpoint[CORE_ENDPOINT_SIZE]; /* JSON text */
	bool clipboard_in, clipboard_out;
	int max_width, max_height, idle_disconnect_s;
	int64_t expires; /* wall ms */
};

struct grant_request {
	const char *user_id, *desktop_id, *login_id; /* login_id may be NULL */
	enum protocol protocol;
	const char *remote, *gateway;
};

/* A display session on the user's own, ready desktop: a new epoch; an older
 * session of it is ended with the reason "moved to another client". */
int reconciler_grant(struct reconciler *r, const struct grant_request *req, struct grant *ret, struct pst_err *err);

#define TICKET_MS 60000 /* a ticket's life */

/* A ticket for the web: 43 characters of base64url and their end; 60 s, one use. */
int reconciler_ticket(struct reconciler *r, const struct grant_request *req, char ret_ticket[44], struct pst_err *err);
/* Spends it (it is gone whatever follows) and grants. PST_EDENIED: unknown, spent, late or of an older lease. */
int reconciler_redeem(struct reconciler *r, const char *ticket, enum protocol protocol, const char *remote,
                      const char *gateway, struct grant *ret, struct pst_err *err);

/* --- desktops and pools, by their owner or an admin --------------------------- */

int reconciler_logoff(struct reconciler *r, const char *desktop, const struct core_actor *by, struct pst_err *err);
int reconciler_restart(struct reconciler *r, const char *desktop, const struct core_actor *by, struct pst_err *err);
int reconciler_refresh(struct reconciler *r, const char *desktop, const struct core_actor *by, struct pst_err *err);
int reconciler_delete(struct reconciler *r, const char *desktop, const struct core_actor *by, struct pst_err *err);
/* What the provider carries beyond making machines (broker/core/operation.c); arg may be "". */
int reconciler_operate(struct reconciler *r, const char *desktop, enum task_kind operation, const char *arg, const struct core_actor *by,
                       struct pst_err *err);
/* Takes a host of a provider out of service, or back (on: false); at_once desktops are moved at the same time. */
int reconciler_maintenance(struct reconciler *r, const char *provider_id, const char *host, bool on, int at_once, const struct core_actor *by,
                           struct pst_err *err);
int reconciler_drain(struct reconciler *r, const char *desktop, bool on, const struct core_actor *by, struct pst_err *err);
int reconciler_message(struct reconciler *r, const char *desktop, const char *text, const struct core_actor *by, struct pst_err *err);
int reconciler_session_end(struct reconciler *r, const char *session, const struct core_actor *by, struct pst_err *err);
/* After a row of pools, providers, images or image_versions was written: reads them all again and acts on the difference. */
int reconciler_config_changed(struct reconciler *r, struct pst_err *err);
/* Marks the pool; its desktops are deleted, then its row. */
int reconciler_pool_delete(struct reconciler *r, const char *pool, const struct core_actor *by, struct pst_err *err);
/* The user is about to be deleted, is disabled, or lost the pool (NULL: all): ends sessions,
 * gives up waiting, logs off; dedicated desktops are given back. */
int reconciler_user_revoked(struct reconciler *r, const char *user_id, const char *pool_id, const struct core_actor *by, struct pst_err *err);
/* Lets the reaper go on after it stopped itself ("too many orphans at once"). */
int reconciler_reap_allow(struct reconciler *r, const struct core_actor *by, struct pst_err *err);

/* --- the other programs ------------------------------------------------------- */

/* In place of a uid: the agent of a desktop on another host, whose certificate or token was checked. */
#define RECONCILER_REMOTE (-1)

/* Spends the enrolment token and makes the desktop's key. uid is the peer's.
 * PST_EDENIED: wrong; PST_EAGAIN: the desktop is still being made, come back. */
int reconciler_enrol(struct reconciler *r, const char *desktop, const char *token, int64_t uid, uint8_t ret_key[32],
                     struct pst_err *err);
/* PST_EDENIED: this uid is not the desktop's. PST_EAGAIN: its uid is not known yet. */
int reconciler_agent_check(struct reconciler *r, const char *desktop, int64_t uid, struct pst_err *err);
int reconciler_agent_hello(struct reconciler *r, const char *desktop, const char *boot, int64_t epoch,
                           const char *user /* NULL: vacant */, struct pst_err *err);
/* event: ready, occupied, vacated, logon, logoff, failed, unfit (in place of hello). Unknown words are ignored. */
int reconciler_agent_report(struct reconciler *r, const char *desktop, const char *event, int64_t epoch,
                            const char *session, const char *reason, struct pst_err *err);
/* Only for the desktop's present connection: when a newer one has said hello, the end of
 * the older one is no news. */
void reconciler_agent_gone(struct reconciler *r, const char *desktop);

int reconciler_provisioner_hello(struct reconciler *r, const struct provider_list *providers, const struct machine_list *list,
                                 struct pst_err *err);
int reconciler_inventory(struct reconciler *r, const struct machine_list *list, struct pst_err *err);
void reconciler_provisioner_gone(struct reconciler *r);
int reconciler_machine_report(struct reconciler *r, const struct machine_report *m, struct pst_err *err);
int reconciler_task_result(struct reconciler *r, const struct provider_result *res, struct pst_err *err);

/* The sessions that a gateway carries; those that it does not are ended, those
 * that we do not want are ended at it. */
int reconciler_gateway_hello(struct reconciler *r, const char *gateway, const char *const *sessions, size_t count,
                             struct pst_err *err);
int reconciler_session_started(struct reconciler *r, const char *session, struct pst_err *err);
int reconciler_session_ended(struct reconciler *r, const char *session, const char *code, const char *reason,
                             const char *reason_es, const char *stats_json, struct pst_err *err);
