/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A machine's own screen, for administrators: BIOS, installers, a guest whose agent does not come. */
#include "broker/api/desktops.h"

#include "base/clock.h"
#include "base/secret.h"
#include "broker/api/fields.h"
#include "broker/api/page.h"
#include "broker/core/state.h"
#include "broker/reconciler.h"

#include <string.h>

/* Who is at the desktop now, so that the administrator knows whom he looks in on. */
static json_t *present_json(const struct core_desktop *d)
{
	return d->s.active ? json_ref(d->a.user_id, d->a.user_name) : json_null();
}

static void answer_ticket(struct api_call *call, const struct core_desktop *d, bool can_input)
{
	struct api_console req = {.desktop = d->id, .user_id = call->who.user.user_id, .user_name = call->who.user.user_name,
		.name = call->who.user.display_name[0] ? call->who.user.display_name : call->who.user.user_name, .can_input = can_input};
	struct pst_err err = PST_ERR_INIT;
	char ticket[44];

	if (write_event(call, "desktop.console_asked", "desktop", d->id, json_pack("{s:b, s:o}", "can_input", can_input, "user", present_json(d))) < 0)
		return;
	if (call->api->links->console_ticket(call->api->links_arg, &req, ticket, &err) < 0) {
		call_error(call, &err);
		return;
	}
	call_ok(call, 200, json_pack("{s:s, s:o, s:s, s:s, s:o, s:b, s:o, s:o}", "ticket", ticket, "expires", json_time(pst_wall_ms() + TICKET_MS), "websocket",
		"/display", "subprotocol", "puesto.v1", "desktop", json_ref(d->id, d->name), "can_input", can_input, "present", present_json(d), "session_expires",
		call->who.by_cookie ? json_time(call->who.login.expires) : json_null()));
	pst_wipe(ticket, sizeof(ticket));
}

void api_desktop_console(struct api_call *call)
{
	static const struct field table[] = {{.name = "can_input", .kind = FIELD_BOOL, .size = sizeof(bool)}};
	const struct core_desktop *d = desktop_find(call, call->params[0]);
	bool can_input = true;

	if (!d || fields_read(call, call->body, "", table, 1, &can_input, NULL) < 0)
		return;
	if (!desktop_carries(reconciler_state(call->api->rec), d, "console"))
		call_problem(call, "not_carried", NULL);
	else
		answer_ticket(call, d, can_input);
}

void api_desktop_console_end(struct api_call *call)
{
	const struct core_desktop *d = desktop_find(call, call->params[0]);

	if (!d)
		return;
	if (!call->api->links->end_console(call->api->links_arg, d->id, call->params[1]))
		call_problem(call, "not_found", NULL);
	else if (write_event(call, "desktop.console_ended", "desktop", d->id, NULL) == 0)
		call_empty(call);
}
