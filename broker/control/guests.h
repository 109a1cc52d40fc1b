/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which guests are at which session, as the gates say: further viewers beside the owner. Only memory knows them; a gate that comes again tells them all.
 */
#pragma once

#include "broker/control/gateway.h"

/* The gate's words: one came or went; those that it carries as it says hello; it is gone. */
void guests_on_event(struct gateway *g, json_t *msg);
void guests_on_hello(struct gateway *g, const json_t *list);
void guests_gone(struct gateway *g);

/* A ticket of a guest: true when this was one, and the call is answered. */
bool guests_redeem(struct gateway *g, json_t *msg, const char *ticket);

/* For the API; arg is the control. The list: [{id, user, name, can_input, since}], returns owned. */
json_t *guests_of_session(void *arg, const char *session);
bool guests_end(void *arg, const char *session, const char *guest);
void guests_end_of_user(void *arg, const char *user_id);
void guests_end_watchers(void *arg, const char *pool_id);
