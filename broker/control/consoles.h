/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Machines' own screens, for administrators: tickets, connections, and who looks at which. A console is no session: no row, no epoch, nothing of the desktop changes.
 * Only memory knows them; a gate that comes again tells them all. Whoever is connected to that desktop gets a message as one begins, and when the last has ended.
 */
#pragma once

#include "broker/control/gateway.h"

#define CONSOLES_MAX 1000

/* For the API; arg is the control. A ticket of 43 characters: 60 s, once. PST_ELIMIT, PST_ENOMEM. */
int consoles_ticket(void *arg, const struct api_console *req, char ret_ticket[44], struct pst_err *err);
/* [{id, user, name, can_input, since}], returns owned. */
json_t *consoles_of_desktop(void *arg, const char *desktop);
/* False: there is none such. */
bool consoles_end(void *arg, const char *desktop, const char *console);
void consoles_end_of_user(void *arg, const char *user_id);

/* A ticket of a console: true when this was one; the call is answered, or will be when the provisioner has. */
bool consoles_redeem(struct gateway *g, json_t *msg, const char *ticket);

bool consoles_looked_at(const struct control *c, const char *desktop);
/* Does anybody look at that desktop's, or is he about to? */
bool consoles_any(struct control *c, const char *desktop);
/* The connection that a ticket led to is there, or never will be. */
void consoles_ticket_forget(struct control *c, const char *console);

/* The gate's words: one came or went; those that it carries as it says hello; it is gone. */
void consoles_on_event(struct gateway *g, json_t *msg);
void consoles_on_hello(struct gateway *g, const json_t *list);
void consoles_gone(struct gateway *g);
/* A desktop's user has connected: he is told who looks. */
void consoles_session_started(struct control *c, const char *session);
void consoles_close(struct control *c);
