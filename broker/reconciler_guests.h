/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Guests: further viewers of a session that goes on. */
#pragma once

#include "broker/core/axes.h"

struct pst_err;
struct reconciler;

struct guest_request {
	const char *session, *user_id, *name; /* who comes; that he may is the caller's business */
	bool can_input;
};

struct guest_grant {
	char session[CORE_ID_SIZE], id[CORE_ID_SIZE], user_id[CORE_ID_SIZE], name[CORE_NAME_SIZE];
	bool can_input;
};

/* As reconciler_ticket. PST_ECONFLICT: the session is over, or its viewer is no browser. Nothing of the session changes. */
int reconciler_guest_ticket(struct reconciler *r, const struct guest_request *req, char ret_ticket[44], struct pst_err *err);
/* PST_ENOTFOUND: no ticket of a guest; PST_EDENIED: late, or the session is over, or may not be watched any more. */
int reconciler_guest_redeem(struct reconciler *r, const char *ticket, struct guest_grant *ret, struct pst_err *err);
