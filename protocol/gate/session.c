/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Display connections and their workers. */
#include "protocol/gate/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "protocol/gate/gate_priv.h"
#include "protocol/gate/guest.h"
#include "protocol/gate/question.h"
#include "protocol/gate/seat.h"
#include "protocol/gate/session_priv.h"

#define LAST_WORDS_MS 1000
#define END_MS 5000     /* for a worker to say good-bye before it is killed */
#define LINGER_MS 45000 /* …when it shows its viewer a page that says why */

static const char *const front_names[SPAWN_FRONTS] = { [SPAWN_FRONT_WS] = "ws", [SPAWN_FRONT_RDP] = "rdp", [SPAWN_FRONT_RFB] = "rfb" };

const char *session_front_name(const struct session *s)
{
	return front_names[s->front];
}

static void session_free(struct session *s)
{
	*s->at = s->next;
	if (s->next)
		s->next->at = s->at;
	question_drop_all(s);
	guest_drop_all(s, NULL);
	pst_timer_destroy(s->end_timer);
	pst_ctl_close(s->ctl);
	if (s->owns_count)
		limits_closed(s->gate->limits, &s->key, true);
	json_decref(s->console);
	seat_leave(s->seat);
	free(s);
}

static void tell_broker(struct session *s, const char *event, const struct session_end *end, json_t *stats)
{
	if (!*s->uuid)
		return;
	if (s->console) {
		broker_notify(s->gate->broker, json_pack("{s:s, s:s, s:O, s:s}", "op", "console", "event", event, "console", s->console, "code", end->code));
		return;
	}
	broker_notify(s->gate->broker, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:O?}", "op", "session", "session", s->uuid, "event", event,
						 "reason", end->reason_en, "reason_es", end->reason_es, "code", end->code, "stats", stats));
}

/* The worker's process is gone, or never came. */
static void finish(struct session *s, const struct session_end *end)
{
	if (!s->has_ended)
		tell_broker(s, "ended", end, s->stats);
	pst_log(end->is_crash ? PST_WARN : PST_INFO, "session ended session=%s front=%s remote=%s code=%s reason=\"%s\"", s->uuid,
		session_front_name(s), s->remote, end->code, end->reason_en);
	json_decref(s->stats);
	if (end->is_crash)
		limits_penalize(s->gate->limits, &s->key, LIMITS_CRASH, pst_mono_ns());
	guest_drop_all(s, end);
	if (s->ended)
		s->ended(s->arg, end);
	session_free(s);
}

static void on_kill(void *arg)
{
	struct session *s = arg;

	pst_warn("worker killed session=%s: it did not end in time", s->uuid);
	s->is_killed = true;
	spawn_kill(s->gate->spawn, s->serial);
}

static void on_session_event(struct session *s, json_t *msg)
{
	const char *event = pst_json_str(msg, "event", 16), *reason = pst_json_str(msg, "reason", 512), *code = pst_json_str(msg, "code", 64);
	const char *reason_es = pst_json_str(msg, "reason_es", 512);
	struct session_end words = { false, code ? code : "ok", reason ? reason : "", reason_es ? reason_es : "" };
	json_t *stats = json_object_get(msg, "stats");

	if (!event || s->has_ended)
		return;
	if (stats) {
		json_decref(s->stats);
		s->stats = json_incref(stats);
	}
	if (!strcmp(event, "stats"))
		return;
	tell_broker(s, event, &words, stats);
	if (strcmp(event, "ended"))
		return;
	s->has_ended = true;
	question_drop_all(s); /* nobody waits for a desktop any more */
	pst_strlcpy(s->end_code, sizeof(s->end_code), code ? code : "ended");
	pst_strlcpy(s->end_en, sizeof(s->end_en), reason ? reason : "The session ended.");
	pst_strlcpy(s->end_es, sizeof(s->end_es), reason_es ? reason_es : "La sesión ha terminado.");
	pst_timer_start(s->end_timer, pst_json_bool(msg, "lingers", false) ? LINGER_MS : END_MS, on_kill, s);
}

static void on_message(struct pst_ctl *ctl, json_t *msg, int fd, void *arg)
{
	struct session *s = arg;
	const char *op = pst_json_str(msg, "op", 16);

	if (fd >= 0)
		pst_fd_close(&fd);
	if (op && !strcmp(op, "auth"))
		question_auth(s, msg);
	else if (op && !strcmp(op, "connect"))
		question_connect(s, msg);
	else if (op && !strcmp(op, "session"))
		on_session_event(s, msg);
	else if (op && !strcmp(op, "guest"))
		guest_event(s, msg);
	else
		pst_ctl_reply_refusal(ctl, msg, "unknown_op", 400, "The gate does not know this message.");
}

static void complete(struct session *s);

static void on_ctl_closed(struct pst_ctl *ctl, const char *reason, void *arg)
{
	struct session *s = arg;

	/* The exit status tells the reason; a worker that only closed its channel is helped on. */
	s->ctl = NULL;
	question_drop_all(s);
	if (s->has_exited)
		complete(s);
	else if (!pst_timer_is_active(s->end_timer))
		pst_timer_start(s->end_timer, END_MS, on_kill, s);
}

static const struct pst_ctl_events ctl_events = { .message = on_message, .closed = on_ctl_closed };

static void on_spawned(void *arg, int error, pid_t pid, const int *fds, size_t n_fds)
{
	struct session *s = arg;
	struct session_end end = { false, "worker_failed", "No process could be started for this connection; the gateway's log says why.",
				   "No se ha podido iniciar el proceso de esta conexión; el registro de la pasarela dice por qué." };

	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
	if (!error) {
		pst_info("worker started pid=%d session=%s front=%s remote=%s", (int)pid, s->uuid, session_front_name(s), s->remote);
		return;
	}
	pst_error("worker not started front=%s remote=%s: %s: %s", session_front_name(s), s->remote, s->gate->config->worker, strerror(error));
	finish(s, &end);
}

static void send_start(struct session *s, const struct session_params *p)
{
	json_t *msg = json_pack("{s:s, s:s, s:s, s:s, s:O?}", "op", "start", "front", session_front_name(s), "transport", p->is_relayed ? "ws" : "tcp",
				"remote", s->remote, "grant", p->grant);

	if (!p->is_relayed)
		json_object_set_new(msg, "tls", json_pack("{s:s, s:s}", "cert_pem", s->gate->cert_pem, "key_pem", s->gate->key_pem));
	if (p->display_fd >= 0)
		pst_ctl_send_fd(s->ctl, msg, p->display_fd);
	else
		pst_ctl_send(s->ctl, msg);
}

void session_set_grant(struct session *s, const json_t *grant)
{
	const char *uuid = pst_json_str(grant, "session", PST_UUID_SIZE - 1);

	pst_strlcpy(s->uuid, sizeof(s->uuid), uuid ? uuid : "");
	s->console = json_deep_copy(json_object_get(grant, "console"));
}

static struct session *session_new(struct gate *g, const struct session_params *p, int ctl_fd)
{
	struct session *s = calloc(1, sizeof(*s));

	if (s)
		s->end_timer = pst_timer_create(g->loop);
	if (s && s->end_timer)
		s->ctl = pst_ctl_create(g->loop, ctl_fd, &ctl_events, s);
	else
		close(ctl_fd);
	if (!s || !s->ctl) {
		pst_timer_destroy(s ? s->end_timer : NULL);
		free(s);
		return NULL;
	}
	s->gate = g;
	s->front = p->front;
	s->key = p->key;
	s->ended = p->ended;
	s->arg = p->arg;
	s->seat = p->seat;
	snprintf(s->remote, sizeof(s->remote), "%s", p->remote);
	s->next = g->sessions;
	s->at = &g->sessions;
	if (g->sessions)
		g->sessions->at = &s->next;
	g->sessions = s;
	return s;
}

/*
 * RDP and VNC clients get their process before anybody has logged in, which is dear. So one address has no more of those than half-open
 * connections, and all together leave half of the processes to people who come with a ticket.
 */
static bool has_room(const struct gate *g, const struct session_params *p)
{
	static struct pst_log_gate gate;
	uint32_t strangers = 0, from_there = 0;

	for (const struct session *s = g->sessions; s; s = s->next) {
		strangers += !*s->uuid;
		from_there += !*s->uuid && !memcmp(&s->key, &p->key, sizeof(p->key));
	}
	if (p->grant || (from_there < g->config->half_open_per_source && strangers < PST_MAX(g->config->workers_max / 2, 1u)))
		return true;
	if (pst_log_every(&gate, pst_mono_ms(), 1000, NULL))
		pst_warn("refused remote=%s front=%s: %u connections that have not logged in, %u from there", p->remote, front_names[p->front], strangers,
			 from_there);
	return false;
}

struct session *session_start(struct gate *g, const struct session_params *p)
{
	struct pst_err err = PST_ERR_INIT;
	struct session *s = NULL;
	int pair[2] = { -1, -1 };
	struct seat *seat = p->seat;
	bool is_welcome = has_room(g, p);

	if (is_welcome && pst_unix_pair(pair, &err) == 0)
		s = session_new(g, p, pair[0]);
	if (s) {
		seat = NULL; /* the session leaves it */
		if (p->grant)
			session_set_grant(s, p->grant);
		send_start(s, p);
		s->serial = spawn_worker(g->spawn, p->front, pair[1], p->client_fd, on_spawned, s);
		s->owns_count = p->owns_count && s->serial;
		if (!s->serial) {
			session_free(s);
			s = NULL;
		}
	}
	seat_leave(seat);
	if (!s && p->owns_count)
		limits_closed(g->limits, &p->key, true);
	if (pair[1] >= 0)
		close(pair[1]);
	close(p->client_fd);
	if (p->display_fd >= 0)
		close(p->display_fd);
	if (!s && is_welcome)
		pst_error("no worker for remote=%s: %s", p->remote, *err.text ? err.text : "the spawner does not take requests");
	return s;
}

void session_forget(struct session *s)
{
	s->ended = NULL;
	if (!pst_timer_is_active(s->end_timer))
		pst_timer_start(s->end_timer, END_MS, on_kill, s);
}

static void end_session(struct session *s, json_t *msg)
{
	if (s->has_ended)
		return; /* it is saying so to its viewer */
	if (s->ctl)
		pst_ctl_send(s->ctl, json_incref(msg));
	pst_timer_start(s->end_timer, END_MS, on_kill, s);
}

void session_end_by_broker(struct gate *g, const json_t *msg)
{
	const char *uuid = pst_json_str(msg, "session", PST_UUID_SIZE - 1);

	for (struct session *s = g->sessions; uuid && *uuid && s; s = s->next)
		if (!strcmp(s->uuid, uuid))
			end_session(s, (json_t *)(uintptr_t)msg);
}

void session_end_all(struct gate *g, const char *code, const char *reason_en, const char *reason_es)
{
	json_t *msg = json_pack("{s:s, s:s, s:s, s:s}", "op", "end", "code", code, "reason_en", reason_en, "reason_es", reason_es);

	for (struct session *s = g->sessions; s; s = s->next)
		end_session(s, msg);
	json_decref(msg);
}

/* How a worker ended that did not say so itself. */
static void explain_exit(const struct session *s, struct session_end *end, char *en, char *es, size_t size)
{
	int signal = WIFSIGNALED(s->exit_status) ? WTERMSIG(s->exit_status) : 0, status = WEXITSTATUS(s->exit_status);

	if (signal) {
		end->is_crash = !s->is_killed;
		end->code = s->is_killed ? "worker_killed" : "worker_crashed";
		snprintf(en, size, "The display process of this connection was ended by signal %d (%s). Connect again; the desktop goes on.", signal,
			 strsignal(signal));
		snprintf(es, size, "El proceso de esta conexión terminó por la señal %d. Vuelva a conectar; el escritorio sigue en marcha.", signal);
	} else if (status == WORKER_EXIT_SCREEN_GONE) {
		end->code = "screen_gone";
		snprintf(en, size, "The desktop took its screen away. Connect again; if it lasts, restart the desktop in the portal.");
		snprintf(es, size, "El escritorio ha retirado su pantalla. Vuelva a conectar; si persiste, reinicie el escritorio en el portal.");
	} else if (status) {
		end->is_crash = true;
		end->code = "worker_failed";
		snprintf(en, size, "The display process of this connection failed (exit status %d). Connect again; the desktop goes on.", status);
		snprintf(es, size, "El proceso de esta conexión falló (código %d). Vuelva a conectar; el escritorio sigue en marcha.", status);
	} else {
		end->code = "ended";
		snprintf(en, size, "The connection ended.");
		snprintf(es, size, "La conexión ha terminado.");
	}
}

static void complete(struct session *s)
{
	char en[256], es[256];
	struct session_end end = { .reason_en = en, .reason_es = es };

	if (s->has_ended) {
		end.code = s->end_code;
		pst_strlcpy(en, sizeof(en), s->end_en);
		pst_strlcpy(es, sizeof(es), s->end_es);
	} else {
		explain_exit(s, &end, en, es, sizeof(en));
	}
	finish(s, &end);
}

static void on_late(void *arg)
{
	complete(arg);
}

void session_exited(struct gate *g, uint32_t serial, int status)
{
	struct session *s = g->sessions;

	while (s && s->serial != serial)
		s = s->next;
	if (!s)
		return;
	s->has_exited = true;
	s->exit_status = status;
	/* Its last words may still lie in the control channel. */
	if (s->ctl)
		pst_timer_start(s->end_timer, LAST_WORDS_MS, on_late, s);
	else
		complete(s);
}

json_t *session_list(const struct gate *g)
{
	json_t *list = json_array();

	for (const struct session *s = g->sessions; s; s = s->next)
		if (*s->uuid && !s->has_ended && !s->console)
			json_array_append_new(list, json_string(s->uuid));
	return list;
}

json_t *session_consoles(const struct gate *g)
{
	json_t *list = json_array();

	for (const struct session *s = g->sessions; s; s = s->next)
		if (s->console && !s->has_ended)
			json_array_append(list, s->console);
	return list;
}

void session_close_all(struct gate *g)
{
	while (g->sessions) {
		json_decref(g->sessions->stats);
		session_free(g->sessions);
	}
}
