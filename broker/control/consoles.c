/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who looks at which machine's console. */
#include "broker/control/consoles.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "broker/api/page.h"
#include "broker/core/state.h"
#include "db/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct control_console {
	struct control_console *next;
	struct gateway *gateway;
	char id[CORE_ID_SIZE], desktop[CORE_ID_SIZE], user_id[CORE_ID_SIZE], name[CORE_NAME_SIZE];
	bool can_input;
	int64_t since;
};

static void take_text(char *out, size_t size, const json_t *from, const char *key)
{
	const char *text = pst_json_str(from, key, size - 1);

	pst_strlcpy(out, size, text ? text : "");
}

/* about: {id, desktop, user, name, can_input, since}, which the broker gave out itself. */
static void read_console(struct control_console *o, struct gateway *g, const json_t *about)
{
	memset(o, 0, sizeof(*o));
	o->gateway = g;
	take_text(o->id, sizeof(o->id), about, "id");
	take_text(o->desktop, sizeof(o->desktop), about, "desktop");
	take_text(o->user_id, sizeof(o->user_id), about, "user");
	take_text(o->name, sizeof(o->name), about, "name");
	o->can_input = pst_json_bool(about, "can_input", false);
	o->since = pst_json_int(about, "since", 0, INT64_MAX, pst_wall_ms());
}

/* How long somebody looked is written down as well as that he asked. */
static void write_down(struct control *c, const char *kind, const struct control_console *o, const char *code)
{
	struct audit_row row = {.time = pst_wall_ms(), .actor_kind = "user", .object_kind = "desktop"};
	json_t *about = json_pack("{s:s, s:b, s:I, s:s}", "console", o->id, "can_input", o->can_input, "seconds",
		(json_int_t)PST_MAX(row.time - o->since, (int64_t)0) / 1000, "code", code);
	char *detail = pst_json_text(about, NULL);
	struct pst_err err = PST_ERR_INIT;

	pst_strlcpy(row.actor_id, sizeof(row.actor_id), o->user_id);
	pst_strlcpy(row.actor_name, sizeof(row.actor_name), o->name);
	pst_strlcpy(row.kind, sizeof(row.kind), kind);
	pst_strlcpy(row.object_id, sizeof(row.object_id), o->desktop);
	pst_strlcpy(row.detail, sizeof(row.detail), detail ? detail : "{}");
	free(detail);
	json_decref(about);
	if (db_audit_append(c->db, &row, &err) < 0)
		pst_warn("%s of desktop=%s is not written down: %s", kind, o->desktop, err.text);
	else
		api_audited(c->api);
}

/* --- the person at the desktop ------------------------------------------------------------ */

static bool is_spanish(struct control *c, const char *user_id)
{
	struct user_row user;

	return db_user_get(c->db, user_id, &user, NULL) == 0 && strcmp(user.locale, "es") == 0;
}

static void tell_user(struct control *c, const struct core_desktop *d, const char *en, const char *es)
{
	struct core_actor by = {.kind = "system"};
	struct pst_err err = PST_ERR_INIT;

	if (d->s.active && reconciler_message(c->rec, d->id, is_spanish(c, d->a.user_id) ? es : en, &by, &err) < 0)
		pst_warn("user of desktop=%s is not told of its console: %s", d->id, err.text);
}

static void tell_open(struct control *c, const struct core_desktop *d, const struct control_console *o)
{
	char en[CORE_NAME_SIZE + 120], es[CORE_NAME_SIZE + 120];

	snprintf(en, sizeof(en), o->can_input ? "%s, an administrator, has opened this machine's console." :
		"%s, an administrator, is looking at this machine's console.", o->name);
	snprintf(es, sizeof(es), o->can_input ? "%s, de administración, ha abierto la consola de esta máquina." :
		"%s, de administración, está mirando la consola de esta máquina.", o->name);
	tell_user(c, d, en, es);
}

bool consoles_looked_at(const struct control *c, const char *desktop)
{
	for (const struct control_console *o = c->consoles; o; o = o->next)
		if (strcmp(o->desktop, desktop) == 0)
			return true;
	return false;
}

void consoles_session_started(struct control *c, const char *session)
{
	const struct core_desktop *d = state_desktop_of_session(reconciler_state(c->rec), session);

	for (const struct control_console *o = c->consoles; d && o; o = o->next)
		if (strcmp(o->desktop, d->id) == 0)
			tell_open(c, d, o);
}

/* --- what the gates say ------------------------------------------------------------------- */

/* Removes the one with this id, or all of the gate's when it is NULL. */
static void drop(struct gateway *g, const char *id)
{
	for (struct control_console **at = &g->c->consoles; *at;) {
		struct control_console *o = *at;

		if (o->gateway != g || (id && strcmp(o->id, id) != 0)) {
			at = &o->next;
			continue;
		}
		*at = o->next;
		g->c->console_count--;
		free(o);
	}
}

static void add(struct gateway *g, const struct control_console *about)
{
	struct control *c = g->c;
	struct control_console *o = c->console_count < CONSOLES_MAX ? pst_memdup(about, sizeof(*about)) : NULL;

	if (!o)
		return;
	o->next = c->consoles;
	c->consoles = o;
	c->console_count++;
}

static void on_started(struct gateway *g, const struct control_console *about)
{
	const struct core_desktop *d = state_desktop(reconciler_state(g->c->rec), about->desktop);

	consoles_ticket_forget(g->c, about->id);
	drop(g, about->id);
	add(g, about);
	write_down(g->c, "desktop.console_opened", about, "");
	if (d)
		tell_open(g->c, d, about);
}

static void on_ended(struct gateway *g, const struct control_console *about, const char *code)
{
	const struct core_desktop *d = state_desktop(reconciler_state(g->c->rec), about->desktop);
	bool was_looked_at = consoles_looked_at(g->c, about->desktop);

	consoles_ticket_forget(g->c, about->id);
	drop(g, about->id);
	write_down(g->c, "desktop.console_closed", about, code ? code : "");
	if (d && was_looked_at && !consoles_looked_at(g->c, about->desktop))
		tell_user(g->c, d, "Nobody is looking at this machine's console any more.", "Ya nadie está mirando la consola de esta máquina.");
}

void consoles_on_event(struct gateway *g, json_t *msg)
{
	const char *event = pst_json_str(msg, "event", 16);
	struct control_console about;

	read_console(&about, g, json_object_get(msg, "console"));
	if (!event || !about.id[0] || !about.desktop[0])
		return;
	if (strcmp(event, "started") == 0)
		on_started(g, &about);
	else if (strcmp(event, "ended") == 0)
		on_ended(g, &about, pst_json_str(msg, "code", 64));
	api_changed(g->c->api, "desktop", about.desktop);
}

void consoles_on_hello(struct gateway *g, const json_t *list)
{
	struct control_console about;
	json_t *item;
	size_t i;

	drop(g, NULL);
	json_array_foreach(list, i, item) {
		read_console(&about, g, item);
		if (about.id[0])
			add(g, &about);
	}
}

/* Their workers end with it. */
void consoles_gone(struct gateway *g)
{
	for (const struct control_console *o = g->c->consoles; o; o = o->next)
		if (o->gateway == g)
			write_down(g->c, "desktop.console_closed", o, "gateway_gone");
	drop(g, NULL);
}

/* --- for the API --------------------------------------------------------------------------- */

json_t *consoles_of_desktop(void *arg, const char *desktop)
{
	const struct control *c = arg;
	json_t *list = json_array();

	for (const struct control_console *o = c->consoles; o; o = o->next)
		if (strcmp(o->desktop, desktop) == 0)
			json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:b, s:o}", "id", o->id, "user", o->user_id, "name", o->name,
				"can_input", o->can_input, "since", json_time(o->since)));
	return list;
}

static void end(const struct control_console *o, const char *en, const char *es)
{
	pst_ctl_send(o->gateway->ctl, json_pack("{s:s, s:s, s:s, s:s, s:s}", "op", "end", "session", o->id, "code", "ended", "reason_en", en, "reason_es", es));
}

bool consoles_end(void *arg, const char *desktop, const char *console)
{
	const struct control *c = arg;

	for (const struct control_console *o = c->consoles; o; o = o->next) {
		if (strcmp(o->desktop, desktop) == 0 && strcmp(o->id, console) == 0) {
			end(o, "An administrator closed this console.", "Un administrador ha cerrado esta consola.");
			return true;
		}
	}
	return false;
}

void consoles_end_of_user(void *arg, const char *user_id)
{
	const struct control *c = arg;

	for (const struct control_console *o = c->consoles; o; o = o->next)
		if (strcmp(o->user_id, user_id) == 0)
			end(o, "You may not open consoles any more.", "Ya no puede abrir consolas.");
}
