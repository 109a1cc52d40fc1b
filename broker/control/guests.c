/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Guests of sessions: who is there, and the end of one. */
#include "broker/control/guests.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/api/page.h"
#include "broker/core/state.h"
#include "broker/reconciler_guests.h"
#include "db/audit.h"

#include <stdlib.h>
#include <string.h>

#define GUESTS_MAX 50000

struct control_guest {
	struct control_guest *next;
	struct gateway *gateway;
	char id[CORE_ID_SIZE], session[CORE_ID_SIZE], user_id[CORE_ID_SIZE], name[CORE_NAME_SIZE];
	bool can_input;
	int64_t since;
};

static void take_text(char *out, size_t size, const json_t *from, const char *key)
{
	const char *text = pst_json_str(from, key, size - 1);

	pst_strlcpy(out, size, text ? text : "");
}

/* How long somebody looked is written down as well as that he asked. */
static void write_down(struct control *c, const char *kind, const struct control_guest *guest)
{
	struct audit_row row = {.time = pst_wall_ms(), .actor_kind = "user", .object_kind = "session"};
	json_t *about = json_pack("{s:s, s:b}", "guest", guest->id, "can_input", guest->can_input);
	char *detail = pst_json_text(about, NULL);
	struct pst_err err = PST_ERR_INIT;

	pst_strlcpy(row.actor_id, sizeof(row.actor_id), guest->user_id);
	pst_strlcpy(row.actor_name, sizeof(row.actor_name), guest->name);
	pst_strlcpy(row.kind, sizeof(row.kind), kind);
	pst_strlcpy(row.object_id, sizeof(row.object_id), guest->session);
	pst_strlcpy(row.detail, sizeof(row.detail), detail ? detail : "{}");
	free(detail);
	json_decref(about);
	if (db_audit_append(c->db, &row, &err) < 0)
		pst_warn("%s of session=%s is not written down: %s", kind, guest->session, err.text);
	else
		api_audited(c->api);
}

/* about: {id, user, name, can_input}, which the broker gave out itself. */
static struct control_guest *add(struct gateway *g, const json_t *about, const char *session)
{
	struct control *c = g->c;
	struct control_guest *guest = c->guest_count < GUESTS_MAX ? pst_zalloc(1, sizeof(*guest)) : NULL;

	if (!guest)
		return NULL;
	guest->gateway = g;
	take_text(guest->id, sizeof(guest->id), about, "id");
	take_text(guest->user_id, sizeof(guest->user_id), about, "user");
	take_text(guest->name, sizeof(guest->name), about, "name");
	pst_strlcpy(guest->session, sizeof(guest->session), session);
	guest->can_input = pst_json_bool(about, "can_input", false);
	guest->since = pst_json_int(about, "since", 0, INT64_MAX, pst_wall_ms());
	guest->next = c->guests;
	c->guests = guest;
	c->guest_count++;
	return guest;
}

/* Removes the guest with this id, or all when it is NULL. */
static void drop(struct gateway *g, const char *id)
{
	for (struct control_guest **at = &g->c->guests; *at;) {
		struct control_guest *guest = *at;

		if (guest->gateway != g || (id && strcmp(guest->id, id) != 0)) {
			at = &guest->next;
			continue;
		}
		*at = guest->next;
		g->c->guest_count--;
		free(guest);
	}
}

static void on_started(struct gateway *g, const json_t *about, const char *session, const char *id)
{
	const struct control_guest *guest;

	drop(g, id);
	guest = add(g, about, session);
	if (guest)
		write_down(g->c, "session.guest_joined", guest);
}

static void on_ended(struct gateway *g, const char *id)
{
	const struct control_guest *guest = g->c->guests;

	while (guest && (guest->gateway != g || strcmp(guest->id, id) != 0))
		guest = guest->next;
	if (!guest)
		return;
	write_down(g->c, "session.guest_left", guest);
	drop(g, id);
}

void guests_on_event(struct gateway *g, json_t *msg)
{
	const char *event = pst_json_str(msg, "event", 16), *session = pst_json_str(msg, "session", CORE_ID_SIZE - 1);
	const json_t *about = json_object_get(msg, "guest");
	const char *id = pst_json_str(about, "id", CORE_ID_SIZE - 1);

	if (!event || !session || !id)
		return;
	if (strcmp(event, "started") == 0)
		on_started(g, about, session, id);
	else if (strcmp(event, "ended") == 0)
		on_ended(g, id);
	api_changed(g->c->api, "session", session);
}

void guests_on_hello(struct gateway *g, const json_t *list)
{
	size_t i;
	json_t *item;

	drop(g, NULL);
	json_array_foreach(list, i, item) {
		const char *session = pst_json_str(item, "session", CORE_ID_SIZE - 1);

		if (session)
			add(g, json_object_get(item, "guest"), session);
	}
}

void guests_gone(struct gateway *g)
{
	drop(g, NULL);
}

bool guests_redeem(struct gateway *g, json_t *msg, const char *ticket)
{
	struct guest_grant grant;
	struct pst_err err = PST_ERR_INIT;
	int rc = reconciler_guest_redeem(g->c->rec, ticket, &grant, &err);

	if (rc == PST_ENOTFOUND)
		return false;
	if (rc == PST_EDENIED)
		reply_problem(g->ctl, msg, "no_session", NULL, NULL, 0);
	else if (rc < 0)
		reply_error(g->ctl, msg, &err);
	else
		pst_ctl_reply(g->ctl, msg,
			json_pack("{s:s, s:{s:s, s:s, s:s, s:b, s:I}}", "session", grant.session, "guest", "id", grant.id, "user", grant.user_id,
				"name", grant.name, "can_input", grant.can_input, "since", (json_int_t)pst_wall_ms()));
	return true;
}

json_t *guests_of_session(void *arg, const char *session)
{
	const struct control *c = arg;
	json_t *list = json_array();

	for (const struct control_guest *guest = c->guests; guest; guest = guest->next)
		if (strcmp(guest->session, session) == 0)
			json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:b, s:o}", "id", guest->id, "user", guest->user_id, "name",
				guest->name, "can_input", guest->can_input, "since", json_time(guest->since)));
	return list;
}

static void end(const struct control_guest *guest, const char *en, const char *es)
{
	pst_ctl_send(guest->gateway->ctl, json_pack("{s:s, s:s, s:s, s:s, s:s}", "op", "guest_end", "guest", guest->id, "code", "ended", "reason_en", en,
		"reason_es", es));
}

bool guests_end(void *arg, const char *session, const char *id)
{
	const struct control *c = arg;

	for (const struct control_guest *guest = c->guests; guest; guest = guest->next) {
		if (strcmp(guest->session, session) == 0 && strcmp(guest->id, id) == 0) {
			end(guest, "An administrator ended this view.", "Un administrador ha terminado esta vista.");
			return true;
		}
	}
	return false;
}

void guests_end_of_user(void *arg, const char *user_id)
{
	const struct control *c = arg;

	for (const struct control_guest *guest = c->guests; guest; guest = guest->next)
		if (strcmp(guest->user_id, user_id) == 0)
			end(guest, "You may not look at this session any more.", "Ya no puede ver esta sesión.");
}

void guests_end_watchers(void *arg, const char *pool_id)
{
	const struct control *c = arg;

	for (const struct control_guest *guest = c->guests; guest; guest = guest->next) {
		const struct core_desktop *d = guest->can_input ? NULL : state_desktop_of_session(reconciler_state(c->rec), guest->session);

		if (d && strcmp(d->pool_id, pool_id) == 0)
			end(guest, "Sessions of this pool may not be watched any more.", "Las sesiones de este grupo ya no se pueden ver.");
	}
}
