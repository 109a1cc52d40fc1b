/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames as base/ctl.h has them: four bytes of length, the high bit for a descriptor, which nobody can send over a network; then one object. */
#include "agent/windows/talk.h"

#include <stdlib.h>
#include <string.h>

#include "agent/windows/fields.h"
#include "base/cursor.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

#define CALL_MS 10000
#define RETRY_MS 2000
#define LOOK_MS 3600000 /* between looks at the certificate's end */
#define CERT_MAX 16384
#define REASON_MAX 400
#define MESSAGE_MAX 4000
#define HEADER 4
#define NEVER UINT64_MAX

enum call { CALL_NONE, CALL_ENROL, CALL_HELLO, CALL_RENEW };

struct report {
	char *text; /* owned, of len bytes */
	size_t len;
};

struct talk {
	const struct talk_events *events;
	void *arg;
	struct pst_buf in, out;
	struct report reports[TALK_REPORTS_MAX]; /* oldest first */
	size_t n_reports;
	bool is_connected, is_enrolled, is_greeted;
	enum call call; /* the one that is open: there is never a second one */
	int64_t call_id;
	uint64_t call_end_ms, retry_ms, look_ms; /* NEVER: not waited for */
};

static void begin(struct talk *t, uint64_t now_ms);

static void say(struct talk *t, const char *what, const char *why)
{
	char text[600];
	struct pst_err e;

	pst_err_set(&e, 0, "%s: %s", what, why);
	pst_strlcpy(text, sizeof(text), e.text);
	t->events->log(t->arg, text);
}

/* ---- out --------------------------------------------------------------------- */

static bool frame_put(struct talk *t, const struct pst_buf *body)
{
	if (body->failed || body->len > TALK_FRAME_MAX || t->out.len + body->len + HEADER > TALK_QUEUE_MAX)
		return false;
	pst_buf_put_be32(&t->out, (uint32_t)body->len);
	return pst_buf_append(&t->out, body->data, body->len) == 0;
}

/* Adds the call's number to the fields of body, which is begun and not ended; wipes it. */
static void call_send(struct talk *t, enum call call, struct pst_buf *body, uint64_t now_ms)
{
	fields_put_int(body, "id", ++t->call_id);
	fields_end(body);
	if (frame_put(t, body)) {
		t->call = call;
		t->call_end_ms = now_ms + CALL_MS;
	} else {
		t->events->log(t->arg, "a message to the broker is too long and is not sent");
		t->retry_ms = now_ms + RETRY_MS;
	}
	if (body->data)
		pst_wipe(body->data, body->len);
	pst_buf_finish(body);
}

static void retry_later(struct talk *t, uint64_t now_ms, const char *what, const char *why)
{
	say(t, what, why);
	t->retry_ms = now_ms + RETRY_MS;
}

static void reports_flush(struct talk *t)
{
	size_t sent = 0;

	while (sent < t->n_reports) {
		const struct pst_buf body = { .data = (uint8_t *)t->reports[sent].text, .len = t->reports[sent].len };

		if (!frame_put(t, &body))
			break;
		free(t->reports[sent++].text);
	}
	t->n_reports -= sent;
	memmove(&t->reports[0], &t->reports[sent], t->n_reports * sizeof(t->reports[0]));
}

/* A full queue loses its oldest report: hello tells the present state anyway. */
static void report_keep(struct talk *t, char *text, size_t len)
{
	if (t->n_reports == TALK_REPORTS_MAX) {
		free(t->reports[0].text);
		memmove(&t->reports[0], &t->reports[1], --t->n_reports * sizeof(t->reports[0]));
	}
	t->reports[t->n_reports++] = (struct report){ text, len };
}

void talk_report(struct talk *t, const struct talk_report *r)
{
	struct pst_buf b;

	pst_buf_init(&b, TALK_FRAME_MAX);
	fields_begin(&b);
	fields_put_str(&b, "op", "report");
	fields_put_str(&b, "event", r->event);
	fields_put_str(&b, "desktop", r->desktop);
	fields_put_int(&b, "epoch", (int64_t)r->epoch);
	fields_put_str(&b, "reason", r->reason);
	if (r->user[0])
		fields_put_str(&b, "user", r->user);
	if (r->account[0])
		fields_put_str(&b, "account", r->account);
	fields_end(&b);
	char *text = b.failed ? NULL : pst_memdup(b.data, b.len);
	if (text)
		report_keep(t, text, b.len);
	pst_buf_finish(&b);
	if (t->is_greeted)
		reports_flush(t);
}

/* ---- calls -------------------------------------------------------------------- */

static void enrol(struct talk *t, uint64_t now_ms)
{
	const char *desktop, *token;
	struct pst_err err = PST_ERR_INIT;
	struct pst_buf b;
	char *csr = NULL;

	if (!t->events->token(t->arg, &desktop, &token)) {
		retry_later(t, now_ms, "not enrolled", "no token is there yet");
		return;
	}
	if (t->events->request(t->arg, desktop, &csr, &err) < 0) {
		retry_later(t, now_ms, "no certificate can be asked for", err.text);
		return;
	}
	pst_buf_init(&b, TALK_FRAME_MAX);
	fields_begin(&b);
	fields_put_str(&b, "op", "enrol");
	fields_put_str(&b, "desktop", desktop);
	fields_put_str(&b, "token", token);
	fields_put_str(&b, "csr", csr);
	free(csr);
	call_send(t, CALL_ENROL, &b, now_ms);
}

static void hello(struct talk *t, uint64_t now_ms)
{
	struct talk_state s = { "", "", "", "", "", 0, false };
	struct pst_buf b;

	if (!t->events->state(t->arg, &s))
		return;
	pst_buf_init(&b, TALK_FRAME_MAX);
	fields_begin(&b);
	fields_put_str(&b, "op", "hello");
	fields_put_str(&b, "desktop", s.desktop);
	fields_put_str(&b, "boot", s.boot);
	fields_put_int(&b, "epoch", (int64_t)s.epoch);
	fields_put_bool(&b, "occupied", s.is_occupied);
	fields_put_str(&b, "user", s.user[0] ? s.user : NULL);
	fields_put_str(&b, "screen", "rdp");
	if (s.pin[0])
		fields_put_str(&b, "fingerprint", s.pin);
	if (s.fault[0])
		fields_put_str(&b, "fault", s.fault);
	call_send(t, CALL_HELLO, &b, now_ms);
}

static void renew(struct talk *t, uint64_t now_ms)
{
	struct pst_err err = PST_ERR_INIT;
	struct pst_buf b;
	char *csr = NULL;

	t->look_ms = now_ms + LOOK_MS;
	if (!t->events->is_due(t->arg))
		return;
	if (t->events->request(t->arg, "agent", &csr, &err) < 0) {
		say(t, "the certificate is not renewed", err.text);
		return;
	}
	pst_buf_init(&b, TALK_FRAME_MAX);
	fields_begin(&b);
	fields_put_str(&b, "op", "renew");
	fields_put_str(&b, "csr", csr);
	free(csr);
	call_send(t, CALL_RENEW, &b, now_ms);
}

static void begin(struct talk *t, uint64_t now_ms)
{
	t->retry_ms = NEVER;
	if (!t->is_connected || t->call != CALL_NONE)
		return;
	if (t->is_enrolled)
		hello(t, now_ms);
	else
		enrol(t, now_ms);
}

/* ---- answers ------------------------------------------------------------------ */

static int certificate_take(struct talk *t, const struct fields *f, struct pst_err *err)
{
	const char *cert = fields_str(f, "cert", CERT_MAX);

	if (!cert)
		return pst_err_set(err, PST_EPROTO, "it has no certificate");
	return t->events->certified(t->arg, cert, err);
}

static int enrolment_take(struct talk *t, const struct fields *f, struct pst_err *err)
{
	const char *text = fields_str(f, "key", PST_BASE64_LEN(LEASE_KEY_SIZE));
	uint8_t key[LEASE_KEY_SIZE];

	if (!text || pst_base64_decode(text, strlen(text), key, sizeof(key)) != LEASE_KEY_SIZE)
		return pst_err_set(err, PST_EPROTO, "its key is not 32 bytes of base64");
	int rc = certificate_take(t, f, err);
	if (rc == 0)
		rc = t->events->enrolled(t->arg, key, err);
	pst_wipe(key, sizeof(key));
	return rc;
}

static void on_enrolled(struct talk *t, const struct fields *f, uint64_t now_ms)
{
	struct pst_err err = PST_ERR_INIT;

	if (enrolment_take(t, f, &err) < 0) {
		retry_later(t, now_ms, "the broker's enrolment is not usable", err.text);
		return;
	}
	t->is_enrolled = true;
	hello(t, now_ms);
}

static void on_greeted(struct talk *t, const struct fields *f, uint64_t now_ms)
{
	t->is_greeted = true;
	reports_flush(t);
	renew(t, now_ms);
}

static void on_renewed(struct talk *t, const struct fields *f, uint64_t now_ms)
{
	struct pst_err err = PST_ERR_INIT;

	if (certificate_take(t, f, &err) < 0)
		say(t, "the new certificate is not usable", err.text);
	else
		t->events->log(t->arg, "certificate renewed");
}

static const struct {
	const char *refused;
	void (*done)(struct talk *t, const struct fields *f, uint64_t now_ms);
	bool is_tried_again;
} calls[] = {
	[CALL_ENROL] = { "the broker refused enrolment", on_enrolled, true },
	[CALL_HELLO] = { "the broker refused hello", on_greeted, true },
	[CALL_RENEW] = { "the broker refused a new certificate", on_renewed, false },
};

static void answer(struct talk *t, const struct fields *f, uint64_t now_ms)
{
	enum call call = t->call;
	const char *title = fields_str(f, "error.title", REASON_MAX);

	if (call == CALL_NONE || fields_int(f, "re", 1, INT64_MAX, 0) != t->call_id)
		return; /* of an earlier one that was given up */
	t->call = CALL_NONE;
	t->call_end_ms = NEVER;
	if (!fields_has(f, "error"))
		calls[call].done(t, f, now_ms);
	else if (calls[call].is_tried_again)
		retry_later(t, now_ms, calls[call].refused, title ? title : "it gives no reason");
	else
		say(t, calls[call].refused, title ? title : "it gives no reason");
}

/* ---- orders --------------------------------------------------------------------- */

static void order_lease(struct talk *t, const struct fields *f)
{
	const char *user = fields_str(f, "user", LEASE_USER_MAX);

	t->events->lease(t->arg, user ? user : "", (uint64_t)fields_int(f, "epoch", 1, INT64_MAX, 0));
}

static void order_logoff(struct talk *t, const struct fields *f)
{
	const char *reason = fields_str(f, "reason_en", REASON_MAX);

	t->events->logoff(t->arg, reason && reason[0] ? reason : "the session was ended by an administrator");
}

static void order_message(struct talk *t, const struct fields *f)
{
	const char *text = fields_str(f, "text", MESSAGE_MAX);

	if (text && text[0])
		t->events->message(t->arg, text);
}

static void order_power(struct talk *t, const struct fields *f)
{
	const char *what = fields_str(f, "what", 16);

	if (what && (strcmp(what, "restart") == 0 || strcmp(what, "shutdown") == 0))
		t->events->power(t->arg, strcmp(what, "restart") == 0);
}

static void order(struct talk *t, const struct fields *f)
{
	static const struct {
		const char *op;
		void (*take)(struct talk *t, const struct fields *f);
	} orders[] = {
		{ "lease", order_lease },
		{ "logoff", order_logoff },
		{ "message", order_message },
		{ "power", order_power },
	};
	const char *op = fields_str(f, "op", 32);

	for (size_t i = 0; op && i < PST_ARRAY_LEN(orders); i++)
		if (strcmp(orders[i].op, op) == 0)
			orders[i].take(t, f);
}

/* ---- in ------------------------------------------------------------------------ */

/* 1: a frame was taken. 0: more bytes are needed. */
static int frame_take(struct talk *t, uint64_t now_ms, struct pst_err *err)
{
	struct pst_cursor c;

	pst_cursor_init(&c, t->in.data, t->in.len);
	uint32_t len = pst_cursor_be32(&c);
	if (!pst_cursor_ok(&c))
		return 0;
	if (len > TALK_FRAME_MAX)
		return pst_err_set(err, PST_EPROTO, "the broker sent a message of %lu bytes: the ceiling is %d", (unsigned long)len, TALK_FRAME_MAX);
	const uint8_t *body = pst_cursor_bytes(&c, len);
	if (!body)
		return 0;
	struct fields *f = fields_parse((const char *)body, len, err);
	pst_wipe(t->in.data, c.at);
	pst_buf_consume(&t->in, c.at);
	if (!f)
		return pst_err_wrap(err, "the broker's message");
	if (fields_has(f, "re"))
		answer(t, f, now_ms);
	else if (t->is_greeted)
		order(t, f);
	fields_free(f);
	return 1;
}

int talk_receive(struct talk *t, const void *data, size_t len, uint64_t now_ms, struct pst_err *err)
{
	int rc;

	if (pst_buf_append(&t->in, data, len) < 0)
		return pst_err_set(err, PST_ELIMIT, "the broker sends more than can be taken");
	do
		rc = frame_take(t, now_ms, err);
	while (rc == 1);
	return rc;
}

int talk_tick(struct talk *t, uint64_t now_ms, struct pst_err *err)
{
	if (now_ms >= t->call_end_ms)
		return pst_err_set(err, PST_ETIMEOUT, "the broker did not answer in %d s", CALL_MS / 1000);
	if (now_ms >= t->retry_ms)
		begin(t, now_ms);
	if (now_ms >= t->look_ms && t->is_greeted && t->call == CALL_NONE)
		renew(t, now_ms);
	return 0;
}

uint64_t talk_next_ms(const struct talk *t)
{
	uint64_t look = t->is_greeted && t->call == CALL_NONE ? t->look_ms : NEVER;

	return PST_MIN(PST_MIN(t->call_end_ms, t->retry_ms), look);
}

struct pst_buf *talk_out(struct talk *t)
{
	return &t->out;
}

/* ---- life ----------------------------------------------------------------------- */

void talk_closed(struct talk *t)
{
	t->is_connected = t->is_greeted = false;
	t->call = CALL_NONE;
	t->call_end_ms = t->retry_ms = t->look_ms = NEVER;
	pst_buf_reset(&t->in);
	pst_buf_reset(&t->out);
}

void talk_connected(struct talk *t, uint64_t now_ms)
{
	talk_closed(t);
	t->is_connected = true;
	begin(t, now_ms);
}

/* While a call is open it says the newest state when it is answered, or it is hello itself. */
void talk_greet(struct talk *t, uint64_t now_ms)
{
	if (!t->is_connected || !t->is_enrolled)
		return;
	if (t->call == CALL_NONE)
		hello(t, now_ms);
	else
		t->retry_ms = now_ms + RETRY_MS;
}

bool talk_is_greeted(const struct talk *t)
{
	return t->is_greeted;
}

void talk_set_enrolled(struct talk *t, bool is_enrolled)
{
	t->is_enrolled = is_enrolled;
}

struct talk *talk_create(const struct talk_events *events, void *arg)
{
	struct talk *t = pst_zalloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->events = events;
	t->arg = arg;
	pst_buf_init(&t->in, 2 * TALK_FRAME_MAX + HEADER);
	pst_buf_init(&t->out, TALK_QUEUE_MAX);
	talk_closed(t);
	return t;
}

void talk_destroy(struct talk *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n_reports; i++)
		free(t->reports[i].text);
	pst_buf_finish(&t->in);
	pst_buf_finish(&t->out);
	free(t);
}
