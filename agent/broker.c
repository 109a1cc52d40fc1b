/* SPDX-License-Identifier: GPL-3.0-or-later */
/* enrol → hello → reports in order. A refused enrolment is tried again: the provisioner may write a new
 * token. */
#include "agent/broker.h"

#include <stdlib.h>
#include <string.h>

#include "agent/dial.h"
#include "agent/identity.h"
#include "base/clock.h"
#include "base/ctl_client.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

#define CALL_MS 10000
#define LOOK_MS 3600000 /* between looks at the certificate's end */
#define CERT_MAX 16384
#define RETRY_MS 2000
#define REASON_MAX 400
#define MESSAGE_MAX 4000

struct broker {
	struct pst_ctl_client *client;
	struct pst_timer *retry, *renew;
	struct identity *identity; /* NULL: the broker is on this host and asks the kernel who we are */
	const struct broker_events *events;
	void *arg;
	json_t *reports[BROKER_REPORTS_MAX]; /* oldest first */
	size_t n_reports;
	bool is_enrolled, is_greeted;
};

static void begin(struct broker *b);
static void look_at_certificate(void *arg);

static void on_retry(void *arg)
{
	begin(arg);
}

static void retry_later(struct broker *b, const char *what, const struct pst_err *err)
{
	pst_warn("%s: %s", what, err->text);
	pst_timer_start(b->retry, RETRY_MS, on_retry, b);
}

static void reports_flush(struct broker *b)
{
	size_t sent = 0;

	while (sent < b->n_reports && pst_ctl_client_send(b->client, json_incref(b->reports[sent])) == 0)
		json_decref(b->reports[sent++]);
	b->n_reports -= sent;
	memmove(&b->reports[0], &b->reports[sent], b->n_reports * sizeof(b->reports[0]));
}

static void on_hello_done(json_t *reply, int fd, const struct pst_err *call_err, void *arg)
{
	struct broker *b = arg;
	struct pst_err err = PST_ERR_INIT;

	pst_fd_close(&fd);
	if (pst_ctl_reply_check(reply, call_err, &err) < 0) {
		if (err.code != PST_ECLOSED)
			retry_later(b, "the broker refused hello", &err);
		return;
	}
	b->is_greeted = true;
	reports_flush(b);
	if (b->identity)
		look_at_certificate(b);
}

static void hello(struct broker *b)
{
	json_t *msg = b->events->state(b->arg);

	if (!msg)
		return;
	json_object_set_new(msg, "op", json_string("hello"));
	pst_ctl_client_call(b->client, msg, CALL_MS, on_hello_done, b);
}

/* ---- certificates ---------------------------------------------------------- */

/* The fields of a request for one are added to msg. */
static bool certificate_ask(struct broker *b, json_t *msg, const char *desktop)
{
	struct pst_err err = PST_ERR_INIT;
	char *csr = NULL;

	if (identity_request(b->identity, desktop, &csr, &err) < 0) {
		pst_error("no certificate can be asked for: %s", err.text);
		return false;
	}
	json_object_set_new(msg, "csr", json_string(csr));
	free(csr);
	return true;
}

static bool certificate_take(struct broker *b, const json_t *reply, const char *what)
{
	const char *cert = pst_json_str(reply, "cert", CERT_MAX);
	struct pst_err err = PST_ERR_INIT;

	if (!cert)
		pst_err_set(&err, PST_EPROTO, "it has no certificate");
	if (!cert || identity_take(b->identity, cert, &err) < 0) {
		retry_later(b, what, &err);
		return false;
	}
	b->events->certified(b->arg);
	return true;
}

static void on_renew_done(json_t *reply, int fd, const struct pst_err *call_err, void *arg)
{
	struct broker *b = arg;
	struct pst_err err = PST_ERR_INIT;

	pst_fd_close(&fd);
	if (pst_ctl_reply_check(reply, call_err, &err) < 0)
		pst_warn("the certificate is not renewed: %s", err.text);
	else if (certificate_take(b, reply, "the new certificate is not usable"))
		pst_info("certificate renewed");
}

static void look_at_certificate(void *arg)
{
	struct broker *b = arg;
	json_t *msg;

	pst_timer_start(b->renew, LOOK_MS, look_at_certificate, b);
	if (!b->is_greeted || !identity_is_due(b->identity, pst_wall_ms()))
		return;
	msg = json_pack("{s:s}", "op", "renew");
	if (msg && certificate_ask(b, msg, "agent"))
		pst_ctl_client_call(b->client, msg, CALL_MS, on_renew_done, b);
	else
		json_decref(msg);
}

/* ---- enrolment --------------------------------------------------------------- */

static void on_enrol_done(json_t *reply, int fd, const struct pst_err *call_err, void *arg)
{
	struct broker *b = arg;
	struct pst_err err = PST_ERR_INIT;
	uint8_t key[LEASE_KEY_SIZE];

	pst_fd_close(&fd);
	if (pst_ctl_reply_check(reply, call_err, &err) < 0) {
		if (err.code != PST_ECLOSED)
			retry_later(b, "the broker refused enrolment", &err);
		return;
	}
	const char *text = pst_json_str(reply, "key", PST_BASE64_LEN(LEASE_KEY_SIZE));
	if (!text || pst_base64_decode(text, strlen(text), key, sizeof(key)) != LEASE_KEY_SIZE) {
		pst_err_set(&err, PST_EPROTO, "its key is not 32 bytes of base64");
		retry_later(b, "the broker's enrolment is not usable", &err);
		return;
	}
	if (b->identity && !certificate_take(b, reply, "enrolment")) {
		pst_wipe(key, sizeof(key));
		return;
	}
	b->is_enrolled = true;
	b->events->enrolled(b->arg, key);
	pst_wipe(key, sizeof(key));
	hello(b);
}

static void enrol(struct broker *b)
{
	const char *desktop, *token;
	struct pst_err err = PST_ERR_INIT;

	if (!b->events->token(b->arg, &desktop, &token)) {
		pst_err_set(&err, PST_ENOTFOUND, "no token is there yet");
		retry_later(b, "not enrolled", &err);
		return;
	}
	json_t *msg = json_pack("{s:s, s:s, s:s}", "op", "enrol", "desktop", desktop, "token", token);
	if (b->identity && !certificate_ask(b, msg, desktop))
		json_decref(msg);
	else
		pst_ctl_client_call(b->client, msg, CALL_MS, on_enrol_done, b);
}

static void begin(struct broker *b)
{
	if (!pst_ctl_client_ctl(b->client))
		return;
	if (b->is_enrolled)
		hello(b);
	else
		enrol(b);
}

static void on_connected(struct pst_ctl_client *client, struct pst_ctl *ctl, void *arg)
{
	struct broker *b = arg;

	b->client = client;
	b->is_greeted = false;
	begin(b);
}

static void on_message(struct pst_ctl_client *client, json_t *msg, int fd, void *arg)
{
	struct broker *b = arg;
	const char *op = pst_json_str(msg, "op", 32);

	pst_fd_close(&fd);
	if (!op)
		return;
	if (strcmp(op, "lease") == 0) {
		int64_t epoch = pst_json_int(msg, "epoch", 1, INT64_MAX, 0);
		b->events->lease(b->arg, (uint64_t)epoch);
	} else if (strcmp(op, "logoff") == 0) {
		const char *reason = pst_json_str(msg, "reason_en", REASON_MAX);
		b->events->logoff(b->arg, reason ? reason : "the session was ended by an administrator");
	} else if (strcmp(op, "mount") == 0 || strcmp(op, "unmount") == 0) {
		b->events->personal(b->arg, op[0] == 'm');
	} else if (strcmp(op, "message") == 0) {
		const char *text = pst_json_str(msg, "text", MESSAGE_MAX);
		if (text)
			b->events->message(b->arg, text);
	}
}

static void on_closed(struct pst_ctl_client *client, const char *reason, void *arg)
{
	struct broker *b = arg;

	pst_info("the broker is away: %s", reason);
	b->is_greeted = false;
	pst_timer_stop(b->retry);
}

static const struct pst_ctl_client_events client_events = {
	.connected = on_connected,
	.message = on_message,
	.closed = on_closed,
};

static void connect_client(struct broker *b, uv_loop_t *loop, const struct broker_way *way)
{
	b->identity = way->identity;
	if (way->dial)
		b->client = pst_ctl_client_create_dial(loop, "the broker", dial_begin, way->dial, &client_events, b);
	else
		b->client = pst_ctl_client_create(loop, way->path, &client_events, b);
}

struct broker *broker_create(uv_loop_t *loop, const struct broker_way *way, const struct broker_events *events, void *arg)
{
	struct broker *b = pst_zalloc(1, sizeof(*b));
	if (!b)
		return NULL;

	b->events = events;
	b->arg = arg;
	b->retry = pst_timer_create(loop);
	b->renew = pst_timer_create(loop);
	if (b->retry && b->renew)
		connect_client(b, loop, way);
	if (!b->client) {
		broker_close(b);
		return NULL;
	}
	return b;
}

void broker_close(struct broker *b)
{
	if (!b)
		return;

	struct pst_ctl *ctl = b->client ? pst_ctl_client_ctl(b->client) : NULL;
	if (ctl)
		pst_ctl_call_cancel(ctl, b);
	pst_ctl_client_close(b->client);
	pst_timer_destroy(b->retry);
	pst_timer_destroy(b->renew);
	for (size_t i = 0; i < b->n_reports; i++)
		json_decref(b->reports[i]);
	free(b);
}

void broker_set_enrolled(struct broker *b)
{
	b->is_enrolled = true;
}

void broker_greet(struct broker *b)
{
	if (b->is_enrolled && !b->is_greeted && pst_ctl_client_ctl(b->client))
		hello(b);
}

/* A full queue loses its oldest report: hello tells the present state anyway. */
void broker_report(struct broker *b, const char *event, json_t *body)
{
	if (!body)
		return;

	json_object_set_new(body, "op", json_string("report"));
	json_object_set_new(body, "event", json_string(event));
	if (b->n_reports == BROKER_REPORTS_MAX) {
		json_decref(b->reports[0]);
		memmove(&b->reports[0], &b->reports[1], --b->n_reports * sizeof(b->reports[0]));
	}
	b->reports[b->n_reports++] = body;
	if (b->is_greeted)
		reports_flush(b);
}
