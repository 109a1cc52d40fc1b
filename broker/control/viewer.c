/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A viewer's way to its desktop: RDP and VNC bring a name and a password and wait here, told what
 * happens; the web brings a ticket that was waited for already.
 */
#include "broker/control/consoles.h"
#include "broker/control/dial.h"
#include "broker/control/gateway.h"
#include "broker/control/grant.h"
#include "broker/control/guests.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "broker/api/problem.h"
#include "broker/auth/names.h"
#include "broker/core/state.h"
#include "broker/core/view.h"
#include "db/entitlement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WAIT_MS 300000 /* the viewer sees what is awaited, and may stop */
#define TELL_MS 20000  /* the same word again, so that nobody on the way takes the call for dead */
#define RETRY_MS_MIN 100
#define RETRY_MS_MAX 2000
#define POOLS_MAX 200

struct viewer {
	struct gate_call *call;
	struct control *c;
	struct pst_timer *retry;
	char user_id[CORE_ID_SIZE], user_name[257], login_id[CORE_ID_SIZE], pool_id[CORE_ID_SIZE];
	char pool_word[NAME_MAX_BYTES + 1]; /* of "ana#pool" */
	char remote[64];
	enum protocol protocol;
	uint64_t deadline_ms;
	struct core_reason told; /* what the client was told last */
	uint64_t told_ms;
};

static void viewer_free(struct viewer *v)
{
	pst_timer_destroy(v->retry);
	free(v);
}

static void viewer_drop(struct gate_call *call)
{
	struct viewer *v = call->viewer;

	auth_cancel(v->c->auth, v);
	if (v->pool_id[0])
		reconciler_connect_cancel(v->c->rec, v->user_id, v->pool_id);
	viewer_free(v);
}

static struct viewer *viewer_create(struct gateway *g, json_t *msg)
{
	struct gate_call *call = gate_call_create(g, msg);
	struct viewer *v = call ? pst_zalloc(1, sizeof(*v)) : NULL;
	const char *remote = pst_json_str(msg, "remote", 63), *protocol = pst_json_str(msg, "protocol", 8);

	if (v)
		v->retry = pst_timer_create(g->c->loop);
	if (!v || !v->retry) {
		free(v);
		if (call) {
			reply_problem(g->ctl, msg, "internal", NULL, NULL, 0);
			gate_call_free(call);
		}
		return NULL;
	}
	v->call = call;
	v->c = g->c;
	v->protocol = PROTOCOL_RDP;
	protocol_parse(protocol ? protocol : "", &v->protocol);
	pst_strlcpy(v->remote, sizeof(v->remote), remote ? remote : "");
	call->viewer = v;
	call->drop = viewer_drop;
	return v;
}

/* The call is over; body is taken, NULL: it was answered already. */
static void finish(struct viewer *v, json_t *body)
{
	struct gate_call *call = v->call;

	if (body)
		pst_ctl_reply(call->g->ctl, call->msg, body);
	viewer_free(v);
	gate_call_free(call);
}

static void refuse(struct viewer *v, const char *code, const char *en, const char *es, int retry_after)
{
	reply_problem(v->call->g->ctl, v->call->msg, code, en, es, retry_after);
	finish(v, NULL);
}

static void refuse_error(struct viewer *v, const struct pst_err *err)
{
	reply_error(v->call->g->ctl, v->call->msg, err);
	finish(v, NULL);
}

/* --- auth: a name and a password ------------------------------------------------------------ */

struct choice {
	const char *want; /* "" : the only one */
	const struct core_state *state;
	const char *user_id;
	char id[CORE_ID_SIZE], name[257];
	json_t *pools; /* for a viewer that can show them */
	size_t count;
	bool found;
};

/* A pool as it is for this user, in a word. */
static const struct {
	const char *state, *en, *es;
} state_words[] = {
	{"ready", "ready", "listo"}, {"busy", "all in use", "todos en uso"}, {"starting", "starting", "arrancando"},
	{"maintenance", "in maintenance", "en mantenimiento"}, {"empty", "no desktop yet", "sin escritorios"},
	{"failed", "out of order", "con fallos"},
};

static json_t *offer_json(const struct choice *ch, const struct entitled_pool *p)
{
	struct user_pool_view v = {.state = "starting"};
	const char *en = "", *es = "";

	user_pool_view(ch->state, p->id, ch->user_id, (int64_t)pst_mono_ms(), &v);
	for (size_t i = 0; i < PST_ARRAY_LEN(state_words); i++) {
		if (strcmp(state_words[i].state, v.state) == 0) {
			en = state_words[i].en;
			es = state_words[i].es;
		}
	}
	if (v.has_desktop && strcmp(v.state, "ready") == 0) {
		en = "yours is running";
		es = "el suyo está en marcha";
	}
	return json_pack("{s:s, s:s, s:s, s:s}", "id", p->id, "name", *p->display_name ? p->display_name : p->name, "state_en", en,
		"state_es", es);
}

static void offer(const struct entitled_pool *p, void *arg)
{
	struct choice *ch = arg;

	json_array_append_new(ch->pools, offer_json(ch, p));
	ch->count++;
	/* Where no pool is named, or not one of his, the first stands for an example. */
	if (ch->count == 1 || (!ch->found && strcasecmp(ch->want, p->name) == 0)) {
		ch->found = !*ch->want || strcasecmp(ch->want, p->name) == 0;
		pst_strlcpy(ch->id, sizeof(ch->id), p->id);
		pst_strlcpy(ch->name, sizeof(ch->name), p->name);
	}
}

/* The password was right: the viewer may be let in to read why there is no desktop. */
static void refuse_known(struct viewer *v, const char *code)
{
	const struct problem *p = problem_find(code);

	finish(v, json_pack("{s:{s:s, s:s, s:s, s:i, s:b}}", "error", "code", p->code, "title", p->en, "title_es", p->es, "status",
		p->status, "authenticated", 1));
}

static json_t *choice_json(const struct choice *ch, const char *user)
{
	return json_pack("{s:s, s:O, s:o, s:o}", "user", user, "pools", ch->pools, "text_en",
		json_sprintf("%s To go straight in, log in as %s#%s, for example.", *ch->want ? "There is no such pool for you." : "You have several pools.",
			user, ch->name),
		"text_es",
		json_sprintf("%s Para ir directamente, entre como %s#%s, por ejemplo.", *ch->want ? "No tiene ese grupo." : "Tiene varios grupos.", user,
			ch->name));
}

/* In one pool, or with a choice: the log-in waits for connect, which checks the pool again. */
static void let_in(struct viewer *v, const struct user_row *u, const struct choice *ch)
{
	bool is_decided = ch->found && (*ch->want || ch->count == 1);
	struct pst_err err = PST_ERR_INIT;
	char token[AUTH_TOKEN_SIZE];
	json_t *body;

	if (auth_display_open(v->c->auth, u, is_decided ? ch->id : "", v->remote, token, &err) < 0) {
		refuse_error(v, &err);
		return;
	}
	body = is_decided ? json_pack("{s:s, s:s, s:s}", "user", u->name, "pool", ch->id, "pool_name", ch->name) :
			    choice_json(ch, u->name);
	json_object_set_new(body, "login", json_string(token));
	pst_wipe(token, sizeof(token));
	if (body)
		finish(v, body);
	else
		refuse(v, "internal", NULL, NULL, 0);
}

static void logged_in(struct viewer *v, const struct user_row *u)
{
	struct choice ch = {.want = v->pool_word, .state = reconciler_state(v->c->rec), .user_id = u->id, .pools = json_array()};
	struct pst_err err = PST_ERR_INIT;

	if (db_entitled_pools(v->c->db, u->id, POOLS_MAX, offer, &ch, &err) < 0)
		refuse_error(v, &err);
	else if (ch.count == 0)
		refuse_known(v, "no_pool");
	else
		let_in(v, u, &ch);
	json_decref(ch.pools);
}

static void auth_done(const struct auth_result *r, void *arg)
{
	struct viewer *v = arg;

	switch (r->verdict) {
	case AUTH_OK:
		logged_in(v, r->user);
		break;
	case AUTH_WRONG:
		refuse(v, "login_failed", NULL, NULL, 0);
		break;
	case AUTH_WAIT:
		refuse(v, "wait", NULL, NULL, r->retry_after_s);
		break;
	case AUTH_BLOCKED:
		refuse(v, "blocked", NULL, NULL, 0);
		break;
	case AUTH_BUSY:
		refuse(v, "busy", NULL, NULL, r->retry_after_s);
		break;
	default:
		refuse(v, "storage", NULL, NULL, 0);
	}
}

void viewer_auth(struct gateway *g, json_t *msg)
{
	const char *text = pst_json_str(msg, "user", 1024), *password = pst_json_str(msg, "password", 1024);
	const char *via = pst_json_str(msg, "protocol", 7);
	struct viewer *v = viewer_create(g, msg);
	char user[NAME_MAX_BYTES + 1];

	if (!v)
		return;
	/* A name that cannot be is checked all the same: as slow, and as silent. */
	if (!text || username_split(text, user, sizeof(user), v->pool_word, sizeof(v->pool_word)) < 0) {
		user[0] = '\0';
		v->pool_word[0] = '\0';
	}
	auth_check(g->c->auth, via ? via : "rdp", user, password ? password : "", v->remote, auth_done, v);
}

/* --- connect: waiting for the desktop --------------------------------------------------------- */

static void try_connect(void *arg);

static void answer_grant(struct viewer *v, struct grant *g)
{
	json_t *body = grant_json(g);

	pst_wipe(g->key, sizeof(g->key));
	if (body && grant_is_agentless(body)) {
		struct gate_call *call = v->call;

		viewer_free(v);
		call->viewer = NULL;
		dial_seat(call, body);
	} else if (body) {
		finish(v, body);
	} else {
		refuse(v, "internal", NULL, NULL, 0);
	}
}

static void take(struct viewer *v, const struct connect_answer *a)
{
	struct grant_request req = {.user_id = v->user_id, .desktop_id = a->desktop_id, .login_id = v->login_id,
		.protocol = v->protocol, .remote = v->remote, .gateway = v->call->g->name};
	struct pst_err err = PST_ERR_INIT;
	struct grant g = {.epoch = 0};

	if (reconciler_grant(v->c->rec, &req, &g, &err) < 0)
		refuse_error(v, &err);
	else
		answer_grant(v, &g);
}

static const char *stage_word(enum stage stage)
{
	return stage == STAGE_QUEUE || stage == STAGE_CREATE ? "assign" : stage == STAGE_START ? "start" : "agent";
}

static void tell(struct viewer *v, const struct connect_answer *a)
{
	uint64_t now = pst_mono_ms();

	if (strcmp(v->told.en, a->reason.en) == 0 && strcmp(v->told.code, a->reason.code) == 0 && now - v->told_ms < TELL_MS)
		return;
	v->told = a->reason;
	v->told_ms = now;
	pst_ctl_progress(v->call->g->ctl, v->call->msg, "progress", json_pack("{s:s, s:s, s:s, s:s, s:i}", "stage",
		stage_word(a->stage), "code", a->reason.code, "text_en", a->reason.en, "text_es", a->reason.es, "position",
		a->position));
}

static void wait_more(struct viewer *v, const struct connect_answer *a)
{
	uint64_t now = pst_mono_ms();
	int ms = PST_CLAMP(a->retry_after_ms, RETRY_MS_MIN, RETRY_MS_MAX);

	if (now < v->deadline_ms) {
		tell(v, a);
		pst_timer_start(v->retry, PST_MIN((uint64_t)ms, v->deadline_ms - now), try_connect, v);
		return;
	}
	char en[480], es[480];
	snprintf(en, sizeof(en), "The desktop was not ready in time. %s", a->reason.en);
	snprintf(es, sizeof(es), "El escritorio no ha estado listo a tiempo. %s", a->reason.es);
	reconciler_connect_cancel(v->c->rec, v->user_id, v->pool_id);
	refuse(v, "timeout", en, es, 0);
}

static void try_connect(void *arg)
{
	struct viewer *v = arg;
	struct connect_request req = {.user_id = v->user_id, .user_name = v->user_name, .pool_id = v->pool_id,
		.remote = v->remote};
	struct connect_answer a = {.state = CONNECT_REFUSED};
	struct pst_err err = PST_ERR_INIT;

	if (reconciler_connect(v->c->rec, &req, &a, &err) < 0)
		refuse_error(v, &err);
	else if (a.state == CONNECT_READY)
		take(v, &a);
	else if (a.state == CONNECT_WAITING)
		wait_more(v, &a);
	else
		refuse(v, "conflict", a.reason.en, a.reason.es, 0);
}

static bool may_use(struct viewer *v, const char *pool_id)
{
	bool ok = false;

	return db_is_entitled(v->c->db, v->user_id, pool_id, &ok, NULL) == 0 && ok;
}

void viewer_connect(struct gateway *g, json_t *msg)
{
	const char *token = pst_json_str(msg, "login", 128), *pool = pst_json_str(msg, "pool", 36);
	struct viewer *v = viewer_create(g, msg);
	struct login_owner owner;
	struct login_row login;

	if (!v)
		return;
	if (!token || auth_display_find(g->c->auth, token, &login, &owner, NULL) < 0) {
		refuse(v, "login_over", NULL, NULL, 0);
		return;
	}
	pst_strlcpy(v->user_id, sizeof(v->user_id), owner.user_id);
	pst_strlcpy(v->user_name, sizeof(v->user_name), owner.user_name);
	pst_strlcpy(v->login_id, sizeof(v->login_id), login.id);
	pool = pool && *pool ? pool : login.pool_id;
	if (!may_use(v, pool)) {
		refuse(v, "not_entitled", NULL, NULL, 0);
		return;
	}
	pst_strlcpy(v->pool_id, sizeof(v->pool_id), pool);
	v->deadline_ms = pst_mono_ms() + WAIT_MS;
	try_connect(v);
}

/* The core says so from inside its own work: look again in the loop's next turn. */
void viewer_wake(struct gate_call *call, const char *user_id, const char *pool_id)
{
	struct viewer *v = call->viewer;

	if (v && v->deadline_ms && strcmp(v->user_id, user_id) == 0 && strcmp(v->pool_id, pool_id) == 0)
		pst_timer_start(v->retry, 0, try_connect, v);
}

/* --- redeem: a ticket ------------------------------------------------------------------------- */

static void redeem_seat(struct gateway *g, json_t *msg, json_t *grant)
{
	struct gate_call *call = gate_call_create(g, msg);

	if (call)
		dial_seat(call, grant);
	else
		json_decref(grant);
}

void viewer_redeem(struct gateway *g, json_t *msg)
{
	const char *ticket = pst_json_str(msg, "ticket", 128), *remote = pst_json_str(msg, "remote", 63);
	const char *word = pst_json_str(msg, "protocol", 8);
	struct pst_err err = PST_ERR_INIT;
	struct grant grant = {.epoch = 0};
	enum protocol protocol;

	if (!ticket || !word || !protocol_parse(word, &protocol)) {
		reply_problem(g->ctl, msg, "bad_request", NULL, NULL, 0);
		return;
	}
	if (protocol == PROTOCOL_WS && (consoles_redeem(g, msg, ticket) || guests_redeem(g, msg, ticket)))
		return;
	if (reconciler_redeem(g->c->rec, ticket, protocol, remote ? remote : "", g->name, &grant, &err) < 0) {
		bool bad = err.code == PST_EAUTH || err.code == PST_EDENIED || err.code == PST_ENOTFOUND;

		if (bad)
			reply_problem(g->ctl, msg, "bad_ticket", NULL, NULL, 0);
		else
			reply_error(g->ctl, msg, &err);
		return;
	}
	json_t *body = grant_json(&grant);
	pst_wipe(grant.key, sizeof(grant.key));
	if (body && grant_is_agentless(body))
		redeem_seat(g, msg, body);
	else if (body)
		pst_ctl_reply(g->ctl, msg, body);
	else
		reply_problem(g->ctl, msg, "internal", NULL, NULL, 0);
}
