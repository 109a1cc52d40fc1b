/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connections to screens, made by the provisioner. */
#include "broker/control/dial.h"

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "broker/core/state.h"

#include <stdlib.h>
#include <string.h>

#define DIAL_MS 15000 /* for the provisioner: it may be at work on that desktop */

struct dial {
	struct gate_call *call;
	struct pst_ctl *provisioner; /* that was asked: whatever becomes of it, it answers before it goes */
	const struct dial_events *events;
	void *arg;
};

static void on_done(json_t *reply, int fd, const struct pst_err *err, void *arg)
{
	struct dial *dial = arg;

	dial->events->done(dial->call, reply, fd, err, dial->arg);
	pst_fd_close(&fd);
	gate_call_free(dial->call);
	free(dial);
}

static void on_drop(struct gate_call *call)
{
	struct dial *dial = call->dial;

	pst_ctl_call_cancel(dial->provisioner, dial);
	if (dial->events->dropped)
		dial->events->dropped(dial->arg);
	free(dial);
}

bool dial_start(struct gate_call *call, const char *desktop, bool is_user, bool is_shared, const struct dial_events *events, void *arg)
{
	struct control *c = call->g->c;
	const struct core_state *st = reconciler_state(c->rec);
	const struct core_desktop *d = state_desktop(st, desktop);
	const struct core_provider *provider = d ? state_provider(st, d->provider_id) : NULL;
	struct dial *dial = provider && c->provisioner ? pst_zalloc(1, sizeof(*dial)) : NULL;

	if (!dial) {
		reply_problem(call->g->ctl, call->msg, "unavailable", NULL, NULL, 0);
		gate_call_free(call);
		return false;
	}
	*dial = (struct dial){.call = call, .provisioner = c->provisioner, .events = events, .arg = arg};
	call->dial = dial;
	call->drop = on_drop;
	pst_ctl_call(dial->provisioner, json_pack("{s:s, s:s, s:s, s:b, s:b, s:s}", "op", "console", "desktop", d->id, "provider", provider->name, "user", is_user,
		"shared", is_shared, "fingerprint", is_user ? agent_pin(c, d->id) : ""), DIAL_MS, on_done, dial);
	return true;
}

/* --- desktops without an agent --------------------------------------------------------------- */

static void end_session(struct control *c, const json_t *grant, const char *why)
{
	const char *session = pst_json_str(grant, "session", CORE_ID_SIZE - 1);
	struct pst_err err = PST_ERR_INIT;

	if (reconciler_session_ended(c->rec, session ? session : "", "unreachable", why, "", "{}", &err) < 0)
		pst_info("end of session=%s not taken: %s", session ? session : "", err.text);
}

static void seat_done(struct gate_call *call, const json_t *reply, int fd, const struct pst_err *call_err, void *arg)
{
	const char *password = pst_json_str(reply, "password", 64), *kind = pst_json_str(reply, "kind", 8);
	json_t *account = json_object_get(reply, "account"), *grant = arg;
	struct pst_err err = PST_ERR_INIT;

	if (pst_ctl_reply_check(reply, call_err, &err) < 0 || fd < 0) {
		reply_problem(call->g->ctl, call->msg, "unavailable", err.text[0] ? err.text : NULL, NULL, 0);
		end_session(call->g->c, grant, err.text[0] ? err.text : "its server was not reached");
		json_decref(grant);
		return;
	}
	json_object_set_new(grant, "grant", json_string(password ? password : ""));
	json_object_set_new(grant, "endpoint", json_pack("{s:s}", "kind", kind && strcmp(kind, "rdp") == 0 ? "rdp" : "rfb"));
	if (json_is_object(account))
		json_object_set(grant, "account", account);
	pst_ctl_reply_fd(call->g->ctl, call->msg, grant, fd);
}

static void seat_dropped(void *arg)
{
	json_decref(arg);
}

void dial_seat(struct gate_call *call, json_t *grant)
{
	static const struct dial_events events = {.done = seat_done, .dropped = seat_dropped};
	const char *desktop = pst_json_str(grant, "desktop", CORE_ID_SIZE - 1);
	struct control *c = call->g->c;

	if (dial_start(call, desktop ? desktop : "", true, true, &events, grant))
		return;
	end_session(c, grant, "its server was not reached");
	json_decref(grant);
}
