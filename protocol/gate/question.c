/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Relays a worker's auth and connect calls. */
#include "protocol/gate/question.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "protocol/gate/gate_priv.h"
#include "protocol/gate/seat.h"
#include "protocol/gate/session_priv.h"

#define AUTH_MS 20000
#define CONNECT_MS 70000 /* each progress starts it anew */
#define QUESTIONS_MAX 4  /* of one worker at a time */
#define REFUSALS_MAX 5   /* wrong log-ins on one connection */

struct question {
	struct session *session;
	struct question *next, **at;
	json_t *msg; /* the worker's call, for the reply */
	json_t *grant;
	bool is_auth;
	struct broker_call *call;
	uint32_t spawn_serial;
};

static void question_free(struct question *q)
{
	*q->at = q->next;
	if (q->next)
		q->next->at = q->at;
	if (q->call)
		broker_call_cancel(q->call);
	if (q->spawn_serial)
		spawn_cancel(q->session->gate->spawn, q->spawn_serial);
	json_decref(q->msg);
	json_decref(q->grant);
	free(q);
}

static void refuse(struct question *q, const char *code, int status, const char *title)
{
	pst_ctl_reply_refusal(q->session->ctl, q->msg, code, status, title);
	question_free(q);
}

static void on_display(void *arg, int error, pid_t pid, const int *fds, size_t n_fds)
{
	struct question *q = arg;
	struct session *s = q->session;

	q->spawn_serial = 0;
	if (error || n_fds != 1) {
		pst_error("display link not reached session=%s: %s", s->uuid, strerror(error));
		refuse(q, "desktop_unreachable", 503, "The desktop's agent does not answer. Try again in a moment, or restart the desktop in the portal.");
	} else {
		pst_ctl_reply_fd(s->ctl, q->msg, json_incref(q->grant), fds[0]);
		question_free(q);
	}
	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
}

/* Takes fd. */
static void on_screen(struct question *q, int fd)
{
	struct session *s = q->session;
	struct seat *seat;

	fd = seat_open(s->gate, q->grant, fd, &seat);
	if (fd < 0) {
		refuse(q, "gateway_busy", 503, "The gateway has too much to do. Try again in a moment.");
		return;
	}
	seat_leave(s->seat);
	s->seat = seat;
	pst_ctl_reply_fd(s->ctl, q->msg, json_incref(q->grant), fd);
	close(fd);
	question_free(q);
}

/* Takes fd: -1, or the connection to the machine's own screen. */
static void on_grant(struct question *q, json_t *reply, int fd)
{
	struct session *s = q->session;

	session_set_grant(s, reply);
	q->grant = json_incref(reply);
	json_object_del(q->grant, "re");
	if (fd >= 0 && seat_is_wanted(reply)) {
		on_screen(q, fd);
		return;
	}
	pst_fd_close(&fd);
	q->spawn_serial = spawn_connect(s->gate->spawn, reply, on_display, q);
	if (!q->spawn_serial)
		refuse(q, "bad_grant", 502, "The broker's answer names no desktop. An administrator should look at its log.");
}

static void on_done(json_t *reply, int fd, const struct pst_err *err, void *arg)
{
	struct question *q = arg;
	struct session *s = q->session;
	json_t *error = reply ? json_object_get(reply, "error") : NULL;

	q->call = NULL;
	if (!reply || error || q->is_auth)
		pst_fd_close(&fd);
	if (!reply) {
		refuse(q, "broker_away", 503, "The broker cannot be reached. Try again in a moment.");
	} else if (error) {
		json_t *body = json_pack("{s:O}", "error", error);

		s->refusals += q->is_auth;
		pst_ctl_reply(s->ctl, q->msg, body);
		question_free(q);
	} else if (q->is_auth) {
		json_t *body = json_copy(reply);

		json_object_del(body, "re");
		pst_ctl_reply(s->ctl, q->msg, body);
		question_free(q);
	} else {
		on_grant(q, reply, fd);
	}
}

static void on_progress(json_t *msg, int fd, void *arg)
{
	struct question *q = arg;
	json_t *body = json_copy(msg);

	if (fd >= 0)
		pst_fd_close(&fd);
	json_object_del(body, "re");
	json_object_del(body, "op");
	pst_ctl_progress(q->session->ctl, q->msg, "progress", body);
}

static void ask(struct session *s, json_t *msg, json_t *out, bool is_auth, uint64_t timeout_ms)
{
	struct question *q = calloc(1, sizeof(*q));

	if (!q) {
		json_decref(out);
		pst_ctl_reply_refusal(s->ctl, msg, "no_memory", 503, "The gateway is out of memory.");
		return;
	}
	q->session = s;
	q->msg = json_incref(msg);
	q->is_auth = is_auth;
	q->next = s->questions;
	q->at = &s->questions;
	if (s->questions)
		s->questions->at = &q->next;
	s->questions = q;
	q->call = broker_call(s->gate->broker, out, timeout_ms, false, on_progress, on_done, q);
	if (!q->call)
		refuse(q, "gateway_busy", 503, "The gateway has too much to do. Try again in a moment.");
}

static bool is_too_many(struct session *s, json_t *msg)
{
	unsigned n = 0;

	for (struct question *q = s->questions; q; q = q->next)
		n++;
	if (n < QUESTIONS_MAX && s->refusals < REFUSALS_MAX)
		return false;
	pst_ctl_reply_refusal(s->ctl, msg, "too_many", 429, "Too many tries on this connection. Connect again.");
	return true;
}

/* Only the fields that the broker knows are handed on; the address is ours to say. */
static void copy_fields(json_t *to, const json_t *from, const char *const *names)
{
	for (; *names; names++)
		if (json_object_get(from, *names))
			json_object_set(to, *names, json_object_get(from, *names));
}

void question_auth(struct session *s, json_t *msg)
{
	static const char *const fields[] = { "user", "password", NULL };
	json_t *out;

	if (is_too_many(s, msg))
		return;
	out = json_pack("{s:s, s:s, s:s}", "op", "auth", "protocol", session_front_name(s), "remote", s->remote);
	copy_fields(out, msg, fields);
	ask(s, msg, out, true, AUTH_MS);
}

void question_connect(struct session *s, json_t *msg)
{
	static const char *const fields[] = { "login", "pool", NULL };
	json_t *out;

	if (is_too_many(s, msg))
		return;
	out = json_pack("{s:s, s:s, s:s}", "op", "connect", "protocol", session_front_name(s), "remote", s->remote);
	copy_fields(out, msg, fields);
	ask(s, msg, out, false, CONNECT_MS);
}

void question_drop_all(struct session *s)
{
	while (s->questions)
		question_free(s->questions);
}
