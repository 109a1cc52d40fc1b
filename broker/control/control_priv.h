/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of this folder share. */
#pragma once

#include "base/ctl.h"
#include "base/ctl_server.h"
#include "base/loop.h"
#include "base/tls_listener.h"
#include "broker/control/control.h"
#include "broker/reconciler.h"

struct gateway;
struct agent_link;
struct datastores;
struct image_jobs;
struct personal_removals;
struct backup_jobs;
struct control_guest;
struct control_console;
struct console_ticket;

struct control {
	uv_loop_t *loop;
	struct db *db;                           /* borrowed */
	const struct control_settings *settings; /* borrowed */
	struct auth *auth;
	struct reconciler *rec;
	struct api *api;
	struct datastores *datastores;
	struct image_jobs *image_jobs;
	struct personal_removals *removals;
	struct backup_jobs *backup_jobs;
	struct pst_timer *wake, *sweep;
	struct pst_tls_listener *agent_port; /* NULL: all agents are on this host */
	struct pst_ctl_server *gateway_server, *provisioner_server, *agent_server;
	struct gateway *gateways;
	struct control_guest *guests; /* further viewers of sessions, see guests.c */
	size_t guest_count;
	struct control_console *consoles; /* machines' own screens that are looked at, see consoles.c */
	size_t console_count;
	struct console_ticket *console_tickets;
	struct pst_ctl *provisioner; /* the one that said hello, or NULL */
	struct pst_ctl *provisioners[4]; /* connected */
	struct agent_link *agents;
	size_t agent_count;
};

/* True for root, ourselves, and the configured uid; else it is logged. */
bool peer_is_allowed(const struct pst_ctl *ctl, uid_t uid, const char *who);

/* A refusal in both languages from the API's table of problems. title_en NULL: the table's. */
void reply_problem(struct pst_ctl *ctl, const json_t *msg, const char *code, const char *title_en, const char *title_es,
	int retry_after);
void reply_error(struct pst_ctl *ctl, const json_t *msg, const struct pst_err *err);

/* gateway.c */
void gateway_accept(struct pst_ctl *ctl, void *arg);
void gateway_end_session(struct control *c, const char *session, const char *gateway, const struct core_reason *why);
void gateway_waiter(struct control *c, const char *user_id, const char *pool_id);
void gateway_revoke_all(void *arg);
json_t *gateway_list(void *arg);
void gateways_close(struct control *c);

/* provisioner.c */
void provisioner_accept(struct pst_ctl *ctl, void *arg);
/* A list of all machines; it goes to the reconciler. */
void provisioner_ask_inventory(struct control *c);
void provisioner_send(struct control *c, const struct provider_command *cmd);
bool provisioner_is_connected(void *arg);
/* msg is taken. False: it is not connected, and done does not come. */
bool provisioner_ask(void *arg, json_t *msg, pst_ctl_done_cb done, void *done_arg);
void provisioner_close(struct control *c);

/* storage.c */
int storage_open(struct control *c, struct pst_err *err);
void storage_gone(struct control *c);
/* Is this op a matter of storage? Then it is taken. */
bool storage_message(struct control *c, const char *op, const json_t *msg);
void storage_close(struct control *c);
int control_audit(struct control *c, const struct audit_entry *entry, struct pst_err *err);

/* agents.c */
void agent_accept(struct pst_ctl *ctl, void *arg);
void agent_accept_remote(int local, const struct pst_tls_peer *peer, const char *remote, void *arg);
void agent_tell(struct control *c, const char *desktop, const struct agent_message *msg);
/* The SHA-256 (hex) of the certificate at that desktop's own RDP server, as its agent says; "" when none does. Until the next turn of the loop. */
const char *agent_pin(struct control *c, const char *desktop);
void agents_close(struct control *c);
