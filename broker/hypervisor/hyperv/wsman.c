/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Envelopes, pages and faults. */
#include "broker/hypervisor/hyperv/wsman.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "broker/hypervisor/http.h"
#include "broker/hypervisor/libvirt/xml.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_MS 10000
#define ENVELOPE_MAX (1u << 20)
#define PAGE 200      /* objects at a time */
#define PAGES_MAX 500
#define CONTEXT_SIZE 256
#define ENUMERATION "http://schemas.xmlsoap.org/ws/2004/09/enumeration"

struct wsman {
	struct http *http;
	char url[256], user[128];
	char authorization[640]; /* a header's line; a secret */
};

struct message {
	const struct cim_ref *target;
	const char *action; /* NULL: the target's URI and method */
	const char *method;
	const char *body;
	bool repeatable;
};

/* MS-WSMV 2.2.1: certificates have an Authorization header of their own. */
static int authorization_make(struct wsman *w, const struct driver_params *p, struct pst_err *err)
{
	const char *file = pst_conf_str(p->conf, p->section, "password_file", NULL);
	char pair[400], coded[560], *password = NULL;
	size_t len;
	int rc = 0;

	if (w->user[0] == '\0') {
		snprintf(w->authorization, sizeof(w->authorization), "Authorization: http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual");
		return 0;
	}
	if (!file || strchr(w->user, ':'))
		return pst_err_set(err, PST_EINVAL, "user: needs password_file, and has no ':'");
	if (pst_file_read(file, 256, &password, &len, err) < 0)
		return pst_err_wrap(err, "password_file");
	password[strcspn(password, "\r\n")] = '\0';
	snprintf(pair, sizeof(pair), "%s:%s", w->user, password);
	if (pst_base64_encode(pair, strlen(pair), coded, sizeof(coded)) < 0)
		rc = pst_err_set(err, PST_ELIMIT, "password_file: the password is too long");
	snprintf(w->authorization, sizeof(w->authorization), "Authorization: Basic %s", coded);
	pst_wipe(password, len);
	free(password);
	pst_wipe(pair, sizeof(pair));
	pst_wipe(coded, sizeof(coded));
	return rc;
}

static int settings_read(struct wsman *w, const struct driver_params *p, uint64_t timeout_ms, struct pst_err *err)
{
	struct http_params h = { .url = pst_conf_str(p->conf, p->section, "url", NULL), .ca = pst_conf_str(p->conf, p->section, "ca", NULL),
		.pin = pst_conf_str(p->conf, p->section, "pin", NULL), .cert = pst_conf_str(p->conf, p->section, "cert", NULL),
		.key = pst_conf_str(p->conf, p->section, "key", NULL), .timeout_ms = timeout_ms, .connect_ms = CONNECT_MS,
		.is_single = true };
	const char *user = pst_conf_str(p->conf, p->section, "user", "");

	if (!h.url || pst_strlcpy(w->url, sizeof(w->url), h.url) < 0)
		return pst_err_set(err, PST_EINVAL, "url: must be https://HOST:5986");
	if (pst_strlcpy(w->user, sizeof(w->user), user) < 0 || (!user[0] && !(h.cert && h.key)))
		return pst_err_set(err, PST_EINVAL, "user and password_file, or cert and key, say who we are: give one of them");
	if (authorization_make(w, p, err) < 0)
		return err->code;
	w->http = http_create(&h, err);
	return w->http ? 0 : pst_err_wrap(err, "url");
}

struct wsman *wsman_create(const struct driver_params *p, uint64_t timeout_ms, struct pst_err *err)
{
	struct wsman *w = pst_zalloc(1, sizeof(*w));

	if (!w) {
		pst_err_set(err, PST_ENOMEM, "no memory");
		return NULL;
	}
	if (settings_read(w, p, timeout_ms, err) == 0)
		return w;
	wsman_destroy(w);
	return NULL;
}

void wsman_destroy(struct wsman *w)
{
	if (!w)
		return;
	http_destroy(w->http);
	pst_wipe(w->authorization, sizeof(w->authorization));
	free(w);
}

void wsman_cancel(struct wsman *w, const char *desktop)
{
	http_cancel(w->http, desktop);
}

const char *wsman_name(const struct wsman *w)
{
	return w->url;
}

int wsman_check(const struct wsman_op *op, struct pst_err *err)
{
	if (call_is_cancelled(op->call))
		return pst_err_set(err, PST_ECLOSED, "cancelled");
	if (pst_mono_ms() >= op->call->end_ms)
		return pst_err_set(err, PST_ETIMEOUT, "%s does not come to an end in time", op->w->url);
	return 0;
}

int wsman_pause(const struct wsman_op *op, uint64_t ms, struct pst_err *err)
{
	struct pollfd p = { .fd = op->call->cancel_fd, .events = POLLIN };
	uint64_t now = pst_mono_ms();

	poll(&p, 1, (int)(now < op->call->end_ms ? PST_MIN(ms, op->call->end_ms - now) : 0));
	return wsman_check(op, err);
}

static void envelope_put(struct pst_buf *b, const struct wsman *w, const struct message *m, uint64_t left_ms)
{
	struct pst_uuid u = pst_uuid_make();
	char id[PST_UUID_SIZE];

	pst_uuid_text(&u, id);
	pst_buf_put_str(b, "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\""
		" xmlns:w=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\" xmlns:n=\"" ENUMERATION "\"><s:Header>");
	pst_buf_printf(b, "<a:To>%s/wsman</a:To><w:ResourceURI s:mustUnderstand=\"true\">", w->url);
	cim_put_uri(b, m->target);
	pst_buf_put_str(b, "</w:ResourceURI><a:ReplyTo><a:Address s:mustUnderstand=\"true\">"
		"http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo><a:Action s:mustUnderstand=\"true\">");
	if (m->action)
		pst_buf_put_str(b, m->action);
	else
		cim_put_uri(b, m->target);
	pst_buf_printf(b, "%s%s</a:Action><w:MaxEnvelopeSize s:mustUnderstand=\"true\">512000</w:MaxEnvelopeSize><a:MessageID>uuid:%s</a:MessageID>"
		"<w:OperationTimeout>PT%llu.000S</w:OperationTimeout>", m->method ? "/" : "", m->method ? m->method : "", id,
		(unsigned long long)PST_CLAMP(left_ms / 1000, UINT64_C(1), UINT64_C(60)));
	cim_put_selectors(b, m->target);
	pst_buf_printf(b, "</s:Header><s:Body>%s</s:Body></s:Envelope>", m->body);
}

/* DSP0226, 14: what went wrong stands in the subcode, the reason and Microsoft's detail. */
static int fault_read(const struct wsman *w, const struct soap *s, struct pst_err *err)
{
	const struct soap_node *f = soap_body(s);
	const char *sub = soap_text(f, "Code.Subcode.Value"), *reason = soap_text(f, "Detail.WSManFault.Message");
	const char *colon = strchr(sub, ':');

	sub = colon ? colon + 1 : sub;
	if (!*reason)
		reason = soap_text(f, "Reason.Text");
	if (strcmp(sub, "DestinationUnreachable") == 0 || strcmp(sub, "InvalidSelectors") == 0)
		return pst_err_set(err, PST_ENOTFOUND, "%s knows no such object (%.200s)", w->url, reason);
	if (strcmp(sub, "TimedOut") == 0)
		return pst_err_set(err, PST_ETIMEOUT, "%s was not done in time: %.200s", w->url, reason);
	return pst_err_set(err, PST_EIO, "%s refuses (%.60s): %.300s", w->url, sub, *reason ? reason : "without a word");
}

static struct soap *answer_read(const struct wsman *w, const struct http_answer *a, struct pst_err *err)
{
	struct soap *s;

	if (a->status == 401) {
		pst_err_set(err, PST_EAUTH, "%s does not let %s in: is Basic (or Certificate) on in winrm/config/service/auth there, and the password right?", w->url,
			w->user[0] ? w->user : "our certificate");
		return NULL;
	}
	s = a->data && a->len ? soap_parse(a->data, a->len, err) : NULL;
	if (!s) {
		pst_err_set(err, a->status == 200 ? PST_EPROTO : PST_EIO, "%s answers with status %d and nothing of WS-Management", w->url, a->status);
		return NULL;
	}
	if (strcmp(soap_body(s)->name, "Fault") == 0 || a->status != 200) {
		fault_read(w, s, err);
		soap_destroy(s);
		return NULL;
	}
	return s;
}

static struct soap *exchange(const struct wsman_op *op, const struct message *m, struct pst_err *err)
{
	uint64_t now = pst_mono_ms(), left = op->call->end_ms > now ? op->call->end_ms - now : 0;
	struct http_request r = { .method = "POST", .path = "/wsman", .type = "application/soap+xml;charset=UTF-8", .owner = op->call->desktop,
		.repeatable = m->repeatable, .timeout_ms = left, .headers = { op->w->authorization } };
	struct soap *s = NULL;
	struct http_answer a;
	struct pst_buf b;

	if (wsman_check(op, err) < 0)
		return NULL;
	memset(&a, 0, sizeof(a));
	pst_buf_init(&b, ENVELOPE_MAX);
	envelope_put(&b, op->w, m, left);
	r.data = b.data;
	r.len = b.len;
	if (b.failed) {
		pst_err_set(err, PST_ELIMIT, "a call of more than %u bytes", ENVELOPE_MAX);
	} else if (http_call(op->w->http, &r, &a, err) == 0) {
		s = answer_read(op->w, &a, err);
		http_answer_finish(&a);
	} else if (err->code == PST_ECLOSED && call_is_cancelled(op->call)) {
		pst_err_set(err, PST_ECLOSED, "cancelled");
	}
	if (b.data)
		pst_wipe(b.data, b.len); /* a seed */
	pst_buf_finish(&b);
	return s;
}

struct soap *wsman_get(const struct wsman_op *op, const struct cim_ref *r, struct pst_err *err)
{
	struct message m = { .target = r, .action = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get", .body = "", .repeatable = true };

	return exchange(op, &m, err);
}

struct soap *wsman_invoke(const struct wsman_op *op, const struct cim_ref *r, const char *method, const char *args, struct pst_err *err)
{
	struct message m = { .target = r, .method = method };
	struct soap *s = NULL;
	struct pst_buf b;

	pst_buf_init(&b, ENVELOPE_MAX);
	pst_buf_printf(&b, "<p:%s_INPUT xmlns:p=\"", method);
	cim_put_uri(&b, r);
	pst_buf_printf(&b, "\">%s</p:%s_INPUT>", args, method);
	m.body = pst_buf_cstr(&b);
	if (m.body && !b.failed)
		s = exchange(op, &m, err);
	else
		pst_err_set(err, PST_ELIMIT, "a call of more than %u bytes", ENVELOPE_MAX);
	if (b.data)
		pst_wipe(b.data, b.len);
	pst_buf_finish(&b);
	return s;
}

struct pages {
	char context[CONTEXT_SIZE]; /* "" when that was the last one */
	int (*visit)(const struct soap_node *item, void *arg, struct pst_err *err);
	void *arg;
};

/* EnumerateResponse (with the optimisation of DSP0226, 8.2.3) and PullResponse differ in the prefix of Items only. */
static int page_read(struct pages *p, const struct soap *s, struct pst_err *err)
{
	const struct soap_node *answer = soap_body(s), *items = soap_child(answer, "Items");
	const char *context = soap_text(answer, "EnumerationContext");

	for (const struct soap_node *i = items ? items->first : NULL; i; i = i->next) {
		int rc = p->visit(i, p->arg, err);

		if (rc < 0)
			return rc;
	}
	p->context[0] = '\0';
	if (soap_child(answer, "EndOfSequence"))
		return 0;
	if (!*context || pst_strlcpy(p->context, sizeof(p->context), context) < 0)
		return pst_err_set(err, PST_EPROTO, "the server says neither how the list goes on nor that it ends");
	return 0;
}

static int pages_pull(const struct wsman_op *op, const struct cim_ref *target, struct pages *p, struct pst_err *err)
{
	struct message m = { .target = target, .action = ENUMERATION "/Pull" };
	int rc = 0;

	for (int i = 0; rc == 0 && p->context[0]; i++) {
		struct pst_buf b;
		struct soap *s;

		if (i == PAGES_MAX)
			return pst_err_set(err, PST_ELIMIT, "the server's list does not end");
		pst_buf_init(&b, 4096);
		pst_buf_put_str(&b, "<n:Pull><n:EnumerationContext>");
		xml_put_text(&b, p->context);
		pst_buf_printf(&b, "</n:EnumerationContext><n:MaxElements>%d</n:MaxElements></n:Pull>", PAGE);
		m.body = pst_buf_cstr(&b);
		s = m.body && !b.failed ? exchange(op, &m, err) : NULL;
		if (!m.body || b.failed)
			pst_err_set(err, PST_ELIMIT, "too long a context of a list");
		pst_buf_finish(&b);
		if (!s)
			return err->code;
		rc = page_read(p, s, err);
		soap_destroy(s);
	}
	return rc;
}

int wsman_enumerate(const struct wsman_op *op, const char *space, const char *query,
	int (*visit)(const struct soap_node *item, void *arg, struct pst_err *err), void *arg, struct pst_err *err)
{
	struct cim_ref all = { .space = space, .cls = "*" };
	struct message m = { .target = &all, .action = ENUMERATION "/Enumerate", .repeatable = true };
	struct pages p = { .visit = visit, .arg = arg };
	struct pst_buf b;
	struct soap *s;
	int rc;

	pst_buf_init(&b, 16384);
	pst_buf_printf(&b, "<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>%d</w:MaxElements>"
		"<w:Filter Dialect=\"http://schemas.microsoft.com/wbem/wsman/1/WQL\">", PAGE);
	xml_put_text(&b, query);
	pst_buf_put_str(&b, "</w:Filter></n:Enumerate>");
	m.body = pst_buf_cstr(&b);
	s = m.body && !b.failed ? exchange(op, &m, err) : NULL;
	if (!m.body || b.failed)
		pst_err_set(err, PST_ELIMIT, "too long a query");
	pst_buf_finish(&b);
	if (!s)
		return err->code;
	rc = page_read(&p, s, err);
	soap_destroy(s);
	return rc == 0 ? pages_pull(op, &all, &p, err) : rc;
}
