/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The agents' connections. Anybody on the host can reach this socket, so a connection is nothing
 * until it has proven a desktop: by its uid, which the provisioner reported, and, once in the
 * life of a disk, by the enrolment token. Agents of other hosts come by TLS and show a certificate
 * in place of a uid; the token gives them their first one.
 */
#include "broker/control/control_priv.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "broker/control/certify.h"
#include "db/desktop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAME_MAX (64 * 1024)
#define PER_UID_MAX 8
#define HELLO_MS 15000
#define NOTES_MS 60000
#define NOTES_MAX 30 /* words in that time which are only written down */

struct agent_link {
	struct agent_link *next;
	struct control *c;
	struct pst_ctl *ctl;
	struct pst_timer *deadline;
	uid_t uid;
	char remote[PST_TLS_REMOTE_SIZE]; /* of another host, or "": a process of this one */
	char proven[CORE_ID_SIZE];        /* remote: the desktop that it has proven to be, by certificate or token */
	char mark[CERTIFY_MARK_SIZE];     /* remote: its certificate's, see certify.h; "" before */
	char desktop[CORE_ID_SIZE]; /* "" until hello */
	char pin[65];     /* of the certificate at its machine's own RDP server, as it has said last; or "" */
	uint64_t notes_ms; /* a minute's beginning, and what was noted in it */
	unsigned notes;
};

static struct agent_link *find(struct control *c, const char *desktop)
{
	for (struct agent_link *a = c->agents; a; a = a->next) {
		if (strcmp(a->desktop, desktop) == 0)
			return a;
	}
	return NULL;
}

static void unlink_agent(struct agent_link *a)
{
	struct agent_link **at = &a->c->agents;

	while (*at && *at != a)
		at = &(*at)->next;
	if (*at)
		*at = a->next;
	pst_timer_destroy(a->deadline);
	a->c->agent_count--;
	free(a);
}

static void drop(struct agent_link *a)
{
	struct pst_ctl *ctl = a->ctl;

	unlink_agent(a);
	pst_ctl_close_flush(ctl);
}

static const char *name_of(const struct agent_link *a)
{
	static char text[PST_TLS_REMOTE_SIZE];

	if (a->remote[0])
		return a->remote;
	snprintf(text, sizeof(text), "uid %u", (unsigned)a->uid);
	return text;
}

static int64_t uid_of(const struct agent_link *a)
{
	return a->remote[0] ? RECONCILER_REMOTE : (int64_t)a->uid;
}

static void late_cb(void *arg)
{
	struct agent_link *a = arg;

	pst_warn("agent connection of %s dropped: no hello within %d s", name_of(a), HELLO_MS / 1000);
	drop(a);
}

/* --- from the agent ------------------------------------------------------------------ */

static void refuse(struct agent_link *a, json_t *msg, const struct pst_err *err)
{
	bool later = err->code == PST_EAGAIN;

	if (!later)
		pst_warn("agent of %s refused: %s", name_of(a), err->text);
	reply_problem(a->ctl, msg, later ? "unavailable" : "denied", err->text, NULL, later ? 1 : 0);
}

/* The connection is that desktop's from here on: whoever has the token, or its certificate, is it. */
static int certificate(struct agent_link *a, const char *csr, const char *desktop, const uint8_t key[32], json_t *reply, struct pst_err *err)
{
	char *cert = NULL;
	int rc = certify_sign(&a->c->settings->agents_ca, csr, desktop, key, pst_wall_ms(), &cert, err);

	if (rc < 0)
		return rc;
	json_object_set_new(reply, "cert", json_string(cert));
	free(cert);
	pst_strlcpy(a->proven, sizeof(a->proven), desktop);
	certify_mark(key, a->mark);
	return 0;
}

/* An agent of another host may speak for the desktop that it has proven, while that has the key of then. */
static int check_proof(struct agent_link *a, const char *desktop, struct pst_err *err)
{
	char mark[CERTIFY_MARK_SIZE];
	uint8_t key[32];

	if (!a->remote[0])
		return 0;
	if (!a->proven[0])
		return pst_err_set(err, PST_EDENIED, "it has no certificate: it must enrol");
	if (strcmp(a->proven, desktop) != 0)
		return pst_err_set(err, PST_EDENIED, "its certificate is of desktop %s, not of %s", a->proven, desktop);
	if (db_desktop_key(a->c->db, desktop, key, err) < 0)
		return pst_err_set(err, PST_EDENIED, "there is no such desktop, or it has not enrolled");
	certify_mark(key, mark);
	pst_wipe(key, sizeof(key));
	return strcmp(mark, a->mark) == 0 ? 0 : pst_err_set(err, PST_EDENIED, "its certificate is of an earlier disk of desktop %s", desktop);
}

static void on_renew(struct agent_link *a, json_t *msg)
{
	const char *csr = pst_json_str(msg, "csr", CERTIFY_CSR_MAX);
	struct pst_err err = PST_ERR_INIT;
	json_t *reply = json_object();
	uint8_t key[32];

	if (!a->remote[0] || !a->desktop[0] || !csr) {
		json_decref(reply);
		reply_problem(a->ctl, msg, "bad_request", NULL, NULL, 0);
		return;
	}
	if (check_proof(a, a->desktop, &err) < 0 || db_desktop_key(a->c->db, a->desktop, key, &err) < 0 ||
		certificate(a, csr, a->desktop, key, reply, &err) < 0) {
		pst_wipe(key, sizeof(key));
		json_decref(reply);
		refuse(a, msg, &err);
		return;
	}
	pst_wipe(key, sizeof(key));
	pst_ctl_reply(a->ctl, msg, reply);
	pst_info("agent's certificate renewed desktop=%s", a->desktop);
}

static void on_enrol(struct agent_link *a, json_t *msg)
{
	const char *desktop = pst_json_str(msg, "desktop", 36), *token = pst_json_str(msg, "token", 256);
	const char *csr = pst_json_str(msg, "csr", CERTIFY_CSR_MAX);
	struct pst_err err = PST_ERR_INIT;
	char text[PST_BASE64_LEN(32) + 1];
	uint8_t key[32];

	if (!desktop || !token || (a->remote[0] && !csr)) {
		reply_problem(a->ctl, msg, "bad_request", NULL, NULL, 0);
		return;
	}
	if ((a->remote[0] && certify_check(&a->c->settings->agents_ca, csr, &err) < 0) ||
		reconciler_enrol(a->c->rec, desktop, token, uid_of(a), key, &err) < 0) {
		refuse(a, msg, &err);
		return;
	}
	pst_base64_encode(key, sizeof(key), text, sizeof(text));
	json_t *reply = json_pack("{s:s}", "key", text);
	if (a->remote[0] && certificate(a, csr, desktop, key, reply, &err) < 0) {
		json_decref(reply);
		refuse(a, msg, &err);
	} else {
		pst_ctl_reply(a->ctl, msg, reply);
		pst_info("agent enrolled desktop=%s from %s", desktop, name_of(a));
	}
	pst_wipe(key, sizeof(key));
	pst_wipe(text, sizeof(text));
}

/* One whose image says that it is not fit is not let in: it has failed. */
static int take_hello(struct agent_link *a, const json_t *msg, const char *boot, const char *user, struct pst_err *err)
{
	const char *fault = pst_json_str(msg, "fault", 300);
	int64_t epoch = pst_json_int(msg, "epoch", 0, INT64_MAX, 0);
	char text[400];

	if (!fault)
		return reconciler_agent_hello(a->c->rec, a->desktop, boot, epoch, user, err);
	snprintf(text, sizeof(text), "the image's own check failed: %s", fault);
	return reconciler_agent_report(a->c->rec, a->desktop, "unfit", epoch, "", text, err);
}

/* A machine makes its certificate itself: nobody but its agent can say which one that is. */
static void pin_take(struct agent_link *a, const char *pin)
{
	bool is_pin = pin && strlen(pin) == sizeof(a->pin) - 1 && pin[strspn(pin, "0123456789abcdef")] == '\0';

	pst_strlcpy(a->pin, sizeof(a->pin), is_pin ? pin : "");
}

const char *agent_pin(struct control *c, const char *desktop)
{
	const struct agent_link *a = find(c, desktop);

	return a ? a->pin : "";
}

static void on_hello(struct agent_link *a, json_t *msg)
{
	const char *desktop = pst_json_str(msg, "desktop", 36), *boot = pst_json_str(msg, "boot", 36);
	bool occupied = pst_json_bool(msg, "occupied", false);
	const char *user = occupied ? pst_json_str(msg, "user", 256) : NULL;
	struct pst_err err = PST_ERR_INIT;

	if (!desktop || !boot) {
		reply_problem(a->ctl, msg, "bad_request", NULL, NULL, 0);
		return;
	}
	if (check_proof(a, desktop, &err) < 0 || reconciler_agent_check(a->c->rec, desktop, uid_of(a), &err) < 0) {
		refuse(a, msg, &err);
		return;
	}
	struct agent_link *before = find(a->c, desktop);
	if (before && before != a)
		drop(before); /* its end is no news: this one is the desktop's now */
	pst_strlcpy(a->desktop, sizeof(a->desktop), desktop);
	pin_take(a, pst_json_str(msg, "fingerprint", sizeof(a->pin) - 1));
	pst_timer_stop(a->deadline);
	pst_ctl_reply(a->ctl, msg, NULL);
	if (take_hello(a, msg, boot, user, &err) < 0) {
		pst_warn("hello of desktop=%s not taken, it may say it again: %s", desktop, err.text);
		drop(a);
	}
}

/* Whoever is inside cannot fill the book of events. */
static bool may_note(struct agent_link *a)
{
	uint64_t now = pst_mono_ms();

	if (now - a->notes_ms >= NOTES_MS) {
		a->notes_ms = now;
		a->notes = 0;
	}
	if (++a->notes == NOTES_MAX + 1)
		pst_warn("agent of desktop=%s says more than %d words in a minute: further ones are not written down", a->desktop, NOTES_MAX);
	return a->notes <= NOTES_MAX;
}

/* "LAB\\eva: logon", where it says whose word it is. */
static void words_make(const json_t *msg, char *out, size_t size)
{
	const char *reason = pst_json_str(msg, "reason", 300), *account = pst_json_str(msg, "account", 256);

	reason = reason ? reason : "";
	if (account && *account)
		snprintf(out, size, "%s%s%s", account, *reason ? ": " : "", reason);
	else
		snprintf(out, size, "%s", reason);
}

static void on_report(struct agent_link *a, json_t *msg)
{
	const char *event = pst_json_str(msg, "event", 32), *session = pst_json_str(msg, "session", 36);
	struct pst_err err = PST_ERR_INIT;
	char words[600];

	if (!a->desktop[0] || !event || (agent_noted(event) && !may_note(a)))
		return;
	/* Its desktop may have been refreshed or deleted since it said hello. */
	if (check_proof(a, a->desktop, &err) < 0) {
		pst_warn("agent of %s dropped: %s", name_of(a), err.text);
		drop(a);
		return;
	}
	words_make(msg, words, sizeof(words));
	int rc = reconciler_agent_report(a->c->rec, a->desktop, event, pst_json_int(msg, "epoch", 0, INT64_MAX, 0),
		session ? session : "", words, &err);
	if (rc < 0)
		pst_warn("report event=%s of desktop=%s not taken: %s", event, a->desktop, err.text);
}

static void message_cb(struct pst_ctl *ctl, json_t *msg, int fd, void *arg)
{
	const char *op = pst_json_str(msg, "op", 32);
	struct agent_link *a = arg;

	pst_fd_close(&fd);
	if (op && strcmp(op, "enrol") == 0)
		on_enrol(a, msg);
	else if (op && strcmp(op, "hello") == 0)
		on_hello(a, msg);
	else if (op && strcmp(op, "renew") == 0)
		on_renew(a, msg);
	else if (op && strcmp(op, "report") == 0)
		on_report(a, msg);
	else
		reply_problem(ctl, msg, "bad_request", NULL, NULL, 0);
}

static void closed_cb(struct pst_ctl *ctl, const char *reason, void *arg)
{
	struct agent_link *a = arg;
	struct control *c = a->c;
	char desktop[CORE_ID_SIZE];

	memcpy(desktop, a->desktop, sizeof(desktop));
	unlink_agent(a);
	if (!desktop[0])
		return;
	pst_info("agent gone desktop=%s: %s", desktop, reason);
	reconciler_agent_gone(c->rec, desktop);
}

static const struct pst_ctl_events events = {.message = message_cb, .closed = closed_cb};

static size_t count_of_uid(const struct control *c, uid_t uid)
{
	size_t n = 0;

	for (const struct agent_link *a = c->agents; a; a = a->next)
		n += a->uid == uid && !a->remote[0] && !a->desktop[0];
	return n;
}

static void agent_begin(struct agent_link *a)
{
	a->next = a->c->agents;
	a->c->agents = a;
	a->c->agent_count++;
	pst_ctl_set_frame_max(a->ctl, FRAME_MAX);
	pst_timer_start(a->deadline, HELLO_MS, late_cb, a);
}

void agent_accept(struct pst_ctl *ctl, void *arg)
{
	struct control *c = arg;
	uid_t uid = pst_ctl_peer(ctl)->uid;
	struct agent_link *a = count_of_uid(c, uid) < PER_UID_MAX ? pst_zalloc(1, sizeof(*a)) : NULL;

	if (a)
		a->deadline = pst_timer_create(c->loop);
	if (!a || !a->deadline) {
		free(a);
		pst_ctl_close(ctl);
		return;
	}
	a->c = c;
	a->ctl = ctl;
	a->uid = uid;
	pst_ctl_set_events(ctl, &events, a);
	agent_begin(a);
}

/* Anybody can open TLS without a certificate: those that have not said hello are few. */
static bool has_room(const struct control *c, const char *remote)
{
	size_t waiting = 0, from_there = 0;

	for (const struct agent_link *a = c->agents; a; a = a->next) {
		waiting += a->remote[0] && !a->desktop[0];
		from_there += !a->desktop[0] && strcmp(a->remote, remote) == 0;
	}
	return waiting < PST_TLS_HALF_OPEN_MAX && from_there < PST_TLS_HALF_OPEN_OF_ONE;
}

void agent_accept_remote(int local, const struct pst_tls_peer *peer, const char *remote, void *arg)
{
	struct control *c = arg;
	struct agent_link *a = has_room(c, remote) ? pst_zalloc(1, sizeof(*a)) : NULL;

	if (a && (a->deadline = pst_timer_create(c->loop)))
		a->ctl = pst_ctl_create(c->loop, local, &events, a);
	else
		close(local);
	if (!a || !a->ctl) {
		pst_timer_destroy(a ? a->deadline : NULL);
		free(a);
		return;
	}
	a->c = c;
	pst_strlcpy(a->remote, sizeof(a->remote), remote);
	if (peer->uri[0])
		pst_strlcpy(a->proven, sizeof(a->proven), peer->uri + strlen(CERTIFY_URI));
	pst_strlcpy(a->mark, sizeof(a->mark), peer->common_name);
	agent_begin(a);
}

/* --- to the agent ---------------------------------------------------------------------- */

/* A sentence of ours is said in both languages: nobody knows which one the person there reads. */
static json_t *message_json(const struct core_reason *why)
{
	char text[2 * CORE_TEXT_SIZE + 2];

	snprintf(text, sizeof(text), "%s%s%s", why->en, why->es[0] && strcmp(why->en, why->es) != 0 ? "\n" : "",
		strcmp(why->en, why->es) != 0 ? why->es : "");
	return json_pack("{s:s, s:s}", "op", "message", "text", text);
}

void agent_tell(struct control *c, const char *desktop, const struct agent_message *m)
{
	struct agent_link *a = find(c, desktop);
	json_t *msg = NULL;

	if (!a)
		return;
	if (m->kind == AGENT_TELL_HELLO) {
		drop(a); /* its end is no news: whoever is there comes again */
		return;
	}
	switch (m->kind) {
	case AGENT_TELL_LEASE:
		msg = json_pack("{s:s, s:s, s:I}", "op", "lease", "user", m->user, "epoch", (json_int_t)m->epoch);
		break;
	case AGENT_TELL_LOGOFF:
		msg = json_pack("{s:s, s:s, s:s}", "op", "logoff", "reason_en", m->reason ? m->reason->en : "", "reason_es",
			m->reason ? m->reason->es : "");
		break;
	case AGENT_TELL_MOUNT:
	case AGENT_TELL_UNMOUNT:
		msg = json_pack("{s:s}", "op", m->kind == AGENT_TELL_MOUNT ? "mount" : "unmount");
		break;
	case AGENT_TELL_MESSAGE:
		msg = m->reason ? message_json(m->reason) : NULL;
		break;
	case AGENT_TELL_SHUTDOWN:
		msg = json_pack("{s:s, s:s}", "op", "power", "what", "shutdown");
		break;
	case AGENT_TELL_HELLO:
		break;
	}
	if (msg)
		pst_ctl_send(a->ctl, msg);
}

void agents_close(struct control *c)
{
	while (c->agents)
		drop(c->agents);
}
