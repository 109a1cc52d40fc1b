/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From an administrator's ticket to the connection with a machine's console. Tickets live in memory for a minute: a broker that starts anew has none, and the page asks
 * for another.
 */
#include "broker/control/consoles.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "broker/control/dial.h"
#include "broker/core/state.h"

#include <stdlib.h>
#include <string.h>

#define TICKETS_MAX 256 /* that wait to be spent */

struct console_ticket {
	struct console_ticket *next;
	struct control *c;
	uint8_t hash[PST_SHA256_LEN];
	uint64_t until_ms; /* UINT64_MAX while the machine's screen is dialled for it */
	bool is_spent;     /* it led to a connection, whose beginning has not been told */
	char id[CORE_ID_SIZE]; /* of that */
	char desktop[CORE_ID_SIZE], user_id[CORE_ID_SIZE], user_name[CORE_NAME_SIZE], name[CORE_NAME_SIZE];
	bool can_input;
};

static void forget_late(struct control *c)
{
	uint64_t now = pst_mono_ms();

	for (struct console_ticket **at = &c->console_tickets; *at;) {
		struct console_ticket *t = *at;

		if (t->until_ms > now) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		free(t);
	}
}

static size_t count_tickets(const struct control *c)
{
	size_t n = 0;

	for (const struct console_ticket *t = c->console_tickets; t; t = t->next)
		n++;
	return n;
}

int consoles_ticket(void *arg, const struct api_console *req, char ret_ticket[44], struct pst_err *err)
{
	struct control *c = arg;
	struct console_ticket *t;

	forget_late(c);
	if (count_tickets(c) >= TICKETS_MAX || c->console_count >= CONSOLES_MAX)
		return pst_err_set(err, PST_EBUSY, "too many consoles are being opened: try again in a minute");
	t = pst_zalloc(1, sizeof(*t));
	if (!t)
		return pst_err_set(err, PST_ENOMEM, "no memory for a ticket");
	pst_token(ret_ticket, 32);
	pst_sha256(ret_ticket, strlen(ret_ticket), t->hash);
	CORE_COPY(t->desktop, req->desktop);
	CORE_COPY(t->user_id, req->user_id);
	CORE_COPY(t->user_name, req->user_name);
	CORE_COPY(t->name, req->name);
	t->c = c;
	t->can_input = req->can_input;
	t->until_ms = pst_mono_ms() + TICKET_MS;
	t->next = c->console_tickets;
	c->console_tickets = t;
	return 0;
}

/* One that waits to be spent. */
static struct console_ticket *find_ticket(struct control *c, const char *text)
{
	uint8_t hash[PST_SHA256_LEN];

	forget_late(c);
	pst_sha256(text, strlen(text), hash);
	for (struct console_ticket *t = c->console_tickets; t; t = t->next)
		if (!t->is_spent && memcmp(t->hash, hash, sizeof(hash)) == 0)
			return t;
	return NULL;
}

static void forget(struct control *c, struct console_ticket *t)
{
	struct console_ticket **at = &c->console_tickets;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	free(t);
}

void consoles_ticket_forget(struct control *c, const char *console)
{
	for (struct console_ticket *t = c->console_tickets; t; t = t->next)
		if (t->is_spent && strcmp(t->id, console) == 0) {
			forget(c, t);
			return;
		}
}

bool consoles_any(struct control *c, const char *desktop)
{
	forget_late(c);
	for (const struct console_ticket *t = c->console_tickets; t; t = t->next)
		if (t->is_spent && strcmp(t->desktop, desktop) == 0)
			return true;
	return consoles_looked_at(c, desktop);
}

/* What was so when the ticket was given may be over. */
static bool is_still_admin(struct control *c, const char *user_id)
{
	struct user_row user;

	return db_user_get(c->db, user_id, &user, NULL) == 0 && user.enabled && user.is_admin;
}

static json_t *grant_of(struct console_ticket *t, const struct core_desktop *d, const char *kind, const char *password)
{
	int64_t now = pst_wall_ms();

	/* Nothing of a clipboard: what the desktop's user has copied is not the administrator's. */
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:{s:s, s:b}, s:{s:b, s:b, s:i, s:i, s:b}, s:{s:s, s:s, s:s, s:s, s:b, s:I}, s:I}", "session", t->id, "desktop",
		d->id, "user", t->user_name, "pool", d->name, "epoch", 0, "grant", password, "endpoint", "kind", kind, "shared", 1, "policy", "clipboard_in", 0,
		"clipboard_out", 0, "max_width", 8192, "max_height", 8192, "view_only", !t->can_input, "console", "id", t->id, "desktop", d->id, "user", t->user_id,
		"name", t->name, "can_input", t->can_input, "since", (json_int_t)now, "expires", (json_int_t)(now + TICKET_MS));
}

static void on_dialled(struct gate_call *call, const json_t *reply, int fd, const struct pst_err *call_err, void *arg)
{
	struct console_ticket *t = arg;
	struct control *c = call->g->c;
	const struct core_desktop *d = state_desktop(reconciler_state(c->rec), t->desktop);
	const char *password = pst_json_str(reply, "password", 64), *kind = pst_json_str(reply, "kind", 8);
	bool is_given = false;
	struct pst_err err = PST_ERR_INIT;

	if (pst_ctl_reply_check(reply, call_err, &err) < 0)
		reply_problem(call->g->ctl, call->msg, err.code == PST_EUNSUPPORTED ? "not_carried" : "unavailable", err.text, NULL, 0);
	else if (!d || fd < 0 || !is_still_admin(c, t->user_id))
		reply_problem(call->g->ctl, call->msg, d && fd >= 0 ? "denied" : "unavailable", NULL, NULL, 0);
	else
		is_given = true;
	if (!is_given) {
		forget(c, t);
		return;
	}
	t->until_ms = pst_mono_ms() + TICKET_MS;
	pst_ctl_reply_fd(call->g->ctl, call->msg, grant_of(t, d, kind && strcmp(kind, "dbus") == 0 ? "dbus" : "rfb", password ? password : ""), fd);
}

static void on_dropped(void *arg)
{
	struct console_ticket *t = arg;

	forget(t->c, t);
}

static const struct dial_events events = {.done = on_dialled, .dropped = on_dropped};

bool consoles_redeem(struct gateway *g, json_t *msg, const char *ticket)
{
	struct console_ticket *t = find_ticket(g->c, ticket);
	struct pst_uuid uuid = pst_uuid_make();
	struct gate_call *call;
	bool is_shared;

	if (!t)
		return false;
	if (!is_still_admin(g->c, t->user_id)) {
		reply_problem(g->ctl, msg, "denied", NULL, NULL, 0);
		forget(g->c, t);
		return true;
	}
	is_shared = consoles_any(g->c, t->desktop);
	pst_uuid_text(&uuid, t->id);
	t->is_spent = true;
	t->until_ms = UINT64_MAX;
	call = gate_call_create(g, msg);
	if (!call || !dial_start(call, t->desktop, false, is_shared, &events, t))
		forget(g->c, t);
	return true;
}

void consoles_close(struct control *c)
{
	while (c->console_tickets) {
		struct console_ticket *t = c->console_tickets;

		c->console_tickets = t->next;
		free(t);
	}
}
