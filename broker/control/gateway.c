/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The gates' connections: API calls, viewers' calls, and which sessions live. */
#include "broker/control/gateway.h"
#include "broker/control/consoles.h"
#include "broker/control/guests.h"

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SESSIONS_MAX 20000

/* --- calls at work -------------------------------------------------------------------- */

struct gate_call *gate_call_create(struct gateway *g, json_t *msg)
{
	struct gate_call *call = g->call_count < GATEWAY_CALLS_MAX ? pst_zalloc(1, sizeof(*call)) : NULL;

	if (!call) {
		reply_problem(g->ctl, msg, "too_many", NULL, NULL, 2);
		return NULL;
	}
	call->g = g;
	call->msg = json_incref(msg);
	call->next = g->calls;
	g->calls = call;
	g->call_count++;
	return call;
}

void gate_call_free(struct gate_call *call)
{
	struct gate_call **at = &call->g->calls;

	while (*at && *at != call)
		at = &(*at)->next;
	if (*at)
		*at = call->next;
	call->g->call_count--;
	json_decref(call->msg);
	free(call);
}

static void drop_call(struct gate_call *call)
{
	if (call->drop)
		call->drop(call);
	gate_call_free(call);
}

/* --- the API ---------------------------------------------------------------------------- */

static json_t *answer_headers(const struct api_call *call)
{
	json_t *h = json_pack("{s:s}", "cache-control", "no-store");
	char etag[32];

	if (call->type)
		json_object_set_new(h, "content-type", json_string(call->type));
	if (call->cookie[0])
		json_object_set_new(h, "set-cookie", json_pack("[s]", call->cookie));
	if (call->retry_after > 0)
		json_object_set_new(h, "retry-after", json_sprintf("%d", call->retry_after));
	if (call->etag > 0) {
		snprintf(etag, sizeof(etag), "\"%lld\"", (long long)call->etag);
		json_object_set_new(h, "etag", json_string(etag));
	}
	if (call->allow)
		json_object_set_new(h, "allow", json_string(call->allow));
	return h;
}

static void api_finish(struct api_call *call, void *arg)
{
	struct gate_call *gc = arg;
	json_t *reply = NULL;

	if (!gc->is_streaming) {
		char *text = call->reply ? pst_json_text(call->reply, NULL) : NULL;

		reply = json_pack("{s:i, s:o, s:s}", "status", call->status, "headers", answer_headers(call), "body",
			text ? text : call->text ? call->text : "");
		free(text);
	}
	/* An answer that no frame can carry is a question for a smaller page. */
	if (pst_ctl_reply(gc->g->ctl, gc->msg, reply) == PST_ELIMIT && !pst_ctl_is_closing(gc->g->ctl))
		reply_problem(gc->g->ctl, gc->msg, "too_large", "The answer is too large: ask for fewer objects with ?limit=.",
			"La respuesta es demasiado grande: pida menos objetos con ?limit=.", 0);
	gate_call_free(gc);
}

static void api_stream(struct api_call *call, const char *data, size_t len, void *arg)
{
	struct gate_call *gc = arg;
	json_t *piece = json_pack("{s:s%}", "data", data, len);

	if (!gc->is_streaming) {
		json_object_set_new(piece, "status", json_integer(call->status));
		json_object_set_new(piece, "headers", answer_headers(call));
		gc->is_streaming = true;
	}
	pst_ctl_progress(gc->g->ctl, gc->msg, "stream", piece);
}

static const struct call_out api_out = {.finish = api_finish, .stream = api_stream};

static void api_drop(struct gate_call *gc)
{
	if (gc->api)
		api_cancel(gc->api);
}

static void on_api(struct gateway *g, json_t *msg)
{
	struct gate_call *gc = gate_call_create(g, msg);

	if (!gc)
		return;
	gc->drop = api_drop;
	struct api_call *call = api_handle(g->c->api, msg, &api_out, gc);
	if (call)
		gc->api = call; /* else gc is gone already */
}

static void on_cancel(struct gateway *g, json_t *msg)
{
	json_t *id = json_object_get(msg, "call");

	for (struct gate_call *gc = g->calls; gc && id; gc = gc->next) {
		if (json_equal(json_object_get(gc->msg, "id"), id)) {
			drop_call(gc);
			return;
		}
	}
}

/* --- sessions ---------------------------------------------------------------------------- */

static void gateway_free(struct gateway *g)
{
	struct gateway **at = &g->c->gateways;

	while (*at && *at != g)
		at = &(*at)->next;
	if (*at)
		*at = g->next;
	guests_gone(g);
	consoles_gone(g);
	while (g->calls)
		drop_call(g->calls);
	free(g);
}

static void on_hello(struct gateway *g, json_t *msg)
{
	const char *name = pst_json_str(msg, "name", CORE_WORD_SIZE - 1), *gateway;
	json_t *list = json_object_get(msg, "sessions"), *item;
	size_t count = PST_MIN(json_array_size(list), (size_t)SESSIONS_MAX), i, n = 0;
	const char **sessions = pst_zalloc(count + 1, sizeof(*sessions));
	struct pst_err err = PST_ERR_INIT;

	gateway = pst_json_str(msg, "gateway", CORE_WORD_SIZE - 1);
	gateway = gateway ? gateway : name ? name : "gateway";
	pst_strlcpy(g->name, sizeof(g->name), gateway);
	g->has_hello = true;
	json_array_foreach(list, i, item) {
		if (sessions && n < count && json_is_string(item))
			sessions[n++] = json_string_value(item);
	}
	g->sessions = n;
	guests_on_hello(g, json_object_get(msg, "guests"));
	consoles_on_hello(g, json_object_get(msg, "consoles"));
	pst_ctl_reply(g->ctl, msg, NULL);
	bool is_taken = sessions && reconciler_gateway_hello(g->c->rec, g->name, sessions, n, &err) == 0;
	free(sessions);
	if (is_taken) {
		pst_info("gateway connected name=%s sessions=%zu", g->name, n);
		return;
	}
	/* Which sessions it has lost is in no table yet: it comes again, and says so again. */
	pst_warn("hello of gateway=%s not taken, it may say it again: %s", g->name, err.text);
	struct pst_ctl *ctl = g->ctl;

	gateway_free(g);
	pst_ctl_close_flush(ctl);
}

static void on_session(struct gateway *g, json_t *msg)
{
	const char *session = pst_json_str(msg, "session", 36), *event = pst_json_str(msg, "event", 16);
	const char *reason = pst_json_str(msg, "reason", 512), *reason_es = pst_json_str(msg, "reason_es", 512);
	const char *code = pst_json_str(msg, "code", 64);
	json_t *stats = json_object_get(msg, "stats");
	struct pst_err err = PST_ERR_INIT;
	int rc = 0;

	if (!session || !event)
		return;
	if (strcmp(event, "started") == 0) {
		g->sessions++;
		rc = reconciler_session_started(g->c->rec, session, &err);
		consoles_session_started(g->c, session);
	} else if (strcmp(event, "ended") == 0) {
		char *text = json_is_object(stats) ? pst_json_text(stats, NULL) : NULL;
		bool fits = text && strlen(text) < 4000;

		g->sessions -= g->sessions > 0;
		rc = reconciler_session_ended(g->c->rec, session, code ? code : "", reason ? reason : "",
			reason_es ? reason_es : "", fits ? text : "{}", &err);
		free(text);
	}
	if (rc < 0)
		pst_info("event=%s of session=%s not taken: %s", event, session, err.text);
}

void gateway_end_session(struct control *c, const char *session, const char *gateway, const struct core_reason *why)
{
	for (struct gateway *g = c->gateways; g; g = g->next) {
		if (*gateway && strcmp(g->name, gateway) != 0)
			continue;
		pst_ctl_send(g->ctl, json_pack("{s:s, s:s, s:s, s:s, s:s}", "op", "end", "session", session, "code",
			why ? why->code : "", "reason_en", why ? why->en : "", "reason_es", why ? why->es : ""));
	}
}

void gateway_revoke_all(void *arg)
{
	struct control *c = arg;

	for (struct gateway *g = c->gateways; g; g = g->next)
		pst_ctl_send(g->ctl, json_pack("{s:s}", "op", "revoke_all"));
}

json_t *gateway_list(void *arg)
{
	struct control *c = arg;
	json_t *list = json_array();

	for (const struct gateway *g = c->gateways; g; g = g->next) {
		if (g->has_hello)
			json_array_append_new(list, json_pack("{s:s, s:b, s:I}", "name", g->name, "connected", 1, "sessions",
				(json_int_t)g->sessions));
	}
	return list;
}

void gateway_waiter(struct control *c, const char *user_id, const char *pool_id)
{
	for (struct gateway *g = c->gateways; g; g = g->next) {
		for (struct gate_call *call = g->calls; call; call = call->next)
			viewer_wake(call, user_id, pool_id);
	}
}

/* --- the connection ------------------------------------------------------------------------ */

struct operation {
	const char *op;
	void (*handle)(struct gateway *g, json_t *msg);
};

static const struct operation operations[] = {
	{"api", on_api}, {"cancel", on_cancel}, {"hello", on_hello}, {"session", on_session}, {"guest", guests_on_event}, {"console", consoles_on_event}, {"auth", viewer_auth},
	{"connect", viewer_connect}, {"redeem", viewer_redeem},
};

static void message_cb(struct pst_ctl *ctl, json_t *msg, int fd, void *arg)
{
	const char *op = pst_json_str(msg, "op", 32);
	struct gateway *g = arg;

	pst_fd_close(&fd);
	for (size_t i = 0; op && i < PST_ARRAY_LEN(operations); i++) {
		if (strcmp(operations[i].op, op) == 0) {
			operations[i].handle(g, msg);
			return;
		}
	}
	reply_problem(ctl, msg, "bad_request", NULL, NULL, 0);
}

static void closed_cb(struct pst_ctl *ctl, const char *reason, void *arg)
{
	struct gateway *g = arg;

	pst_warn("gateway gone name=%s: %s", g->name, reason);
	gateway_free(g);
}

static const struct pst_ctl_events events = {.message = message_cb, .closed = closed_cb};

void gateway_accept(struct pst_ctl *ctl, void *arg)
{
	struct control *c = arg;
	struct gateway *g = peer_is_allowed(ctl, c->settings->gateway_uid, "gateway") ? pst_zalloc(1, sizeof(*g)) : NULL;

	if (!g) {
		pst_ctl_close(ctl);
		return;
	}
	g->c = c;
	g->ctl = ctl;
	g->next = c->gateways;
	c->gateways = g;
	pst_ctl_set_events(ctl, &events, g);
}

void gateways_close(struct control *c)
{
	while (c->gateways) {
		struct pst_ctl *ctl = c->gateways->ctl;

		gateway_free(c->gateways);
		pst_ctl_close_flush(ctl);
	}
}
