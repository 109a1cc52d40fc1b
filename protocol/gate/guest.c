/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Guests of sessions. */
#include "protocol/gate/guest.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "protocol/gate/gate_priv.h"
#include "protocol/gate/session_priv.h"

struct guest {
	struct session *session;
	struct guest *next;
	char id[PST_UUID_SIZE];
	json_t *about; /* the broker's words: {id, name, can_input, …} */
	void (*ended)(void *arg, const struct session_end *end);
	void *arg;
};

static void tell_broker(const struct guest *guest, const char *event, const char *code)
{
	broker_notify(guest->session->gate->broker, json_pack("{s:s, s:s, s:O, s:s, s:s}", "op", "guest", "event", event, "guest", guest->about, "session",
							      guest->session->uuid, "code", code));
}

static void guest_free(struct guest *guest)
{
	struct guest **at = &guest->session->guests;

	while (*at != guest)
		at = &(*at)->next;
	*at = guest->next;
	json_decref(guest->about);
	free(guest);
}

static void finish(struct guest *guest, const struct session_end *end)
{
	tell_broker(guest, "ended", end->code);
	if (guest->ended)
		guest->ended(guest->arg, end);
	guest_free(guest);
}

static struct session *find_session(struct gate *g, const char *uuid)
{
	struct session *s = g->sessions;

	while (s && (!uuid || strcmp(s->uuid, uuid) != 0 || s->has_ended || !s->ctl))
		s = s->next;
	return s;
}

static struct guest *find_guest(struct session *s, const char *id)
{
	struct guest *guest = s->guests;

	while (guest && (!id || strcmp(guest->id, id) != 0))
		guest = guest->next;
	return guest;
}

struct guest *guest_start(struct gate *g, const struct guest_params *p)
{
	const json_t *about = json_object_get(p->grant, "guest");
	const char *id = pst_json_str(about, "id", PST_UUID_SIZE - 1), *name = pst_json_str(about, "name", 255);
	struct session *s = find_session(g, pst_json_str(p->grant, "session", PST_UUID_SIZE - 1));
	struct guest *guest = s && id ? calloc(1, sizeof(*guest)) : NULL;

	if (!guest) {
		close(p->client_fd);
		return NULL;
	}
	pst_strlcpy(guest->id, sizeof(guest->id), id);
	guest->about = json_deep_copy(about);
	guest->session = s;
	guest->ended = p->ended;
	guest->arg = p->arg;
	guest->next = s->guests;
	s->guests = guest;
	pst_info("guest session=%s guest=%s remote=%s", s->uuid, id, p->remote);
	pst_ctl_send_fd(s->ctl,
			json_pack("{s:s, s:s, s:s, s:s, s:b}", "op", "guest", "guest", id, "name", name ? name : "?", "remote", p->remote, "can_input",
				  pst_json_bool(about, "can_input", false)),
			p->client_fd);
	close(p->client_fd);
	return guest;
}

void guest_forget(struct guest *guest)
{
	guest->ended = NULL;
}

void guest_event(struct session *s, const json_t *msg)
{
	const char *event = pst_json_str(msg, "event", 16), *code = pst_json_str(msg, "code", 64), *en = pst_json_str(msg, "reason", 512);
	const char *es = pst_json_str(msg, "reason_es", 512);
	struct guest *guest = find_guest(s, pst_json_str(msg, "guest", PST_UUID_SIZE - 1));
	struct session_end end = { false, code ? code : "ended", en ? en : "", es ? es : "" };

	if (!guest || !event)
		return;
	if (!strcmp(event, "started"))
		tell_broker(guest, event, "");
	else if (!strcmp(event, "ended"))
		finish(guest, &end);
}

void guest_end_by_broker(struct gate *g, json_t *msg)
{
	const char *id = pst_json_str(msg, "guest", PST_UUID_SIZE - 1);

	for (struct session *s = g->sessions; id && s; s = s->next)
		if (s->ctl && find_guest(s, id))
			pst_ctl_send(s->ctl, json_incref(msg));
}

void guest_drop_all(struct session *s, const struct session_end *end)
{
	while (s->guests) {
		if (end)
			finish(s->guests, end);
		else
			guest_free(s->guests);
	}
}

json_t *guest_list(const struct gate *g)
{
	json_t *list = json_array();

	for (const struct session *s = g->sessions; s; s = s->next)
		for (const struct guest *guest = s->guests; guest; guest = guest->next)
			json_array_append_new(list, json_pack("{s:O, s:s}", "guest", guest->about, "session", s->uuid));
	return list;
}
