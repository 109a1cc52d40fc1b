/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Further viewers of a session that goes on: an administrator who watches, and the user's own second view. */
#include "broker/api/api_priv.h"

#include "base/clock.h"
#include "base/secret.h"
#include "broker/api/page.h"
#include "broker/core/state.h"
#include "broker/reconciler.h"
#include "broker/reconciler_guests.h"
#include "db/pool.h"

#include <string.h>

/* A ticket for the session of d, on which kind (an event's) is written down first. */
static void answer_guest(struct api_call *call, const struct core_desktop *d, bool can_input, const char *kind)
{
	struct guest_request req = {.session = d->s.id, .user_id = call->who.user.user_id, .name = call->who.user.user_name, .can_input = can_input};
	struct pst_err err = PST_ERR_INIT;
	char ticket[44];

	if (call->who.user.display_name[0] && !can_input)
		req.name = call->who.user.display_name;
	if (write_event(call, kind, "session", d->s.id, json_pack("{s:s, s:s, s:s}", "user", d->a.user_name, "user_id", d->a.user_id, "desktop", d->name)) < 0)
		return;
	if (reconciler_guest_ticket(call->api->rec, &req, ticket, &err) < 0) {
		call_error(call, &err);
		return;
	}
	call_ok(call, 200, json_pack("{s:s, s:o, s:s, s:s, s:o, s:o}", "ticket", ticket, "expires", json_time(pst_wall_ms() + TICKET_MS), "websocket",
		"/display", "subprotocol", "puesto.v1", "desktop", json_ref(d->id, d->name), "session_expires",
		call->who.by_cookie ? json_time(call->who.login.expires) : json_null()));
	pst_wipe(ticket, sizeof(ticket));
}

void api_session_watch(struct api_call *call)
{
	const struct core_desktop *d = state_desktop_of_session(reconciler_state(call->api->rec), call->params[0]);
	struct pst_err err = PST_ERR_INIT;
	struct pool_row pool;

	if (!d || !d->s.active) {
		call_problem(call, "not_found", NULL);
		return;
	}
	if (db_pool_get(call->api->db, d->pool_id, &pool, &err) < 0)
		call_error(call, &err);
	else if (strcmp(pool.watching, "announced") != 0)
		call_problem(call, "watching_off", NULL);
	else if (d->s.protocol != PROTOCOL_WS)
		call_problem(call, "not_watchable", NULL);
	else
		answer_guest(call, d, false, "session.watched");
}

void api_session_guest_end(struct api_call *call)
{
	if (!call->api->links->end_guest(call->api->links_arg, call->params[0], call->params[1]))
		call_problem(call, "not_found", NULL);
	else if (write_event(call, "session.guest_ended", "session", call->params[0], NULL) == 0)
		call_empty(call);
}

void api_me_view(struct api_call *call, const char *pool_id)
{
	const struct core_desktop *d = state_lease(reconciler_state(call->api->rec), call->who.user.user_id, pool_id);

	if (!d || !d->s.active || d->s.protocol != PROTOCOL_WS)
		call_problem(call, "no_session", NULL);
	else
		answer_guest(call, d, true, "session.viewed");
}
