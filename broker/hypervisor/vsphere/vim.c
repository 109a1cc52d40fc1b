/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calls, and the one session that they share. */
#include "broker/hypervisor/vsphere/vim.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/libvirt/xml.h"
#include "broker/hypervisor/vsphere/fault.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REQUEST_MAX (1u << 20)
#define PASSWORD_MAX 4096
#define REFUSED_MS 30000
#define LOGOUT_MS 2000
#define TRIES 2
#define HEAD                                                                                                                      \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"" \
	" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body>"
#define TAIL "</soapenv:Body></soapenv:Envelope>"

struct vim {
	struct http *http;
	char user[256];
	char password_file[PATH_MAX];
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	char cookie[HTTP_COOKIE_SIZE]; /* "": no session */
	unsigned generation;           /* counts sessions */
	struct vim_service service;    /* of this session */
	bool is_logging_in;
	unsigned attempts;      /* to log in, that have ended */
	struct pst_err refusal; /* of the last one */
	uint64_t refused_until_ms;
};

/* What a call has of the session. */
struct view {
	char cookie[HTTP_COOKIE_SIZE];
	unsigned generation;
};

struct vim *vim_create(const struct vim_params *p, struct pst_err *err)
{
	struct http_params h = {
		.url = p->url, .socket = p->socket, .ca = p->ca, .pin = p->pin, .timeout_ms = p->timeout_ms, .connect_ms = p->connect_ms,
		.is_single = true /* nothing in an answer says which call it is of */
	};
	struct vim *v = pst_zalloc(1, sizeof(*v));
	pthread_condattr_t attr;

	if (!v) {
		pst_err_set(err, PST_ENOMEM, "no memory");
		return NULL;
	}
	pthread_mutex_init(&v->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&v->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (pst_strlcpy(v->user, sizeof(v->user), p->user) < 0 ||
		pst_strlcpy(v->password_file, sizeof(v->password_file), p->password_file) < 0)
		pst_err_set(err, PST_ELIMIT, "user or password_file: too long");
	else
		v->http = http_create(&h, err);
	if (v->http)
		return v;
	vim_destroy(v);
	return NULL;
}

void vim_destroy(struct vim *v)
{
	struct pst_err ignored = PST_ERR_INIT;
	struct vim_op op = { .vim = v, .owner = "logout", .end_ms = pst_mono_ms() + LOGOUT_MS };

	if (!v)
		return;
	if (v->cookie[0])
		soap_destroy(vim_call(&op, &(struct vim_call){ .method = "Logout", .self = &v->service.sessions }, &ignored));
	http_destroy(v->http);
	pthread_cond_destroy(&v->changed);
	pthread_mutex_destroy(&v->lock);
	pst_wipe(v->cookie, sizeof(v->cookie));
	free(v);
}

void vim_cancel(struct vim *v, const char *owner)
{
	pthread_mutex_lock(&v->lock);
	pthread_cond_broadcast(&v->changed);
	pthread_mutex_unlock(&v->lock);
	http_cancel(v->http, owner);
}

uint64_t vim_op_left(const struct vim_op *op)
{
	uint64_t now = pst_mono_ms();

	return now < op->end_ms ? op->end_ms - now : 0;
}

int vim_op_check(struct vim_op *op, struct pst_err *err)
{
	if (atomic_load(&op->cancelled))
		return pst_err_set(err, PST_ECLOSED, "cancelled");
	return vim_op_left(op) ? 0 : pst_err_set(err, PST_ETIMEOUT, "vSphere took too long");
}

/* With the lock: until something changes, or that moment. */
static void changed_await(struct vim *v, uint64_t until_ms)
{
	struct timespec until = { .tv_sec = (time_t)(until_ms / 1000), .tv_nsec = (long)(until_ms % 1000) * 1000000 };

	pthread_cond_timedwait(&v->changed, &v->lock, &until);
}

int vim_op_pause(struct vim_op *op, uint64_t ms, struct pst_err *err)
{
	uint64_t end = PST_MIN(pst_mono_ms() + ms, op->end_ms);

	pthread_mutex_lock(&op->vim->lock);
	while (!atomic_load(&op->cancelled) && pst_mono_ms() < end)
		changed_await(op->vim, end);
	pthread_mutex_unlock(&op->vim->lock);
	return vim_op_check(op, err);
}

int vim_ref_read(const struct soap_node *n, struct vim_ref *ret, struct pst_err *err)
{
	struct vim_ref r;

	if (!n || !n->kind[0] || !n->text[0] || pst_strlcpy(r.type, sizeof(r.type), n->kind) < 0 ||
		pst_strlcpy(r.id, sizeof(r.id), n->text) < 0)
		return pst_err_set(err, PST_EPROTO, "vSphere's answer has no reference where one should be");
	*ret = r;
	return 0;
}

void vim_put_ref(struct pst_buf *b, const char *name, const struct vim_ref *ref)
{
	pst_buf_printf(b, "<%s type=\"", name);
	xml_put_text(b, ref->type);
	pst_buf_put_str(b, "\">");
	xml_put_text(b, ref->id);
	pst_buf_printf(b, "</%s>", name);
}

bool vim_ref_equal(const struct vim_ref *a, const struct vim_ref *b)
{
	return strcmp(a->type, b->type) == 0 && strcmp(a->id, b->id) == 0;
}

static void request_put(struct pst_buf *b, const struct vim_call *c)
{
	pst_buf_put_str(b, HEAD);
	pst_buf_printf(b, "<%s xmlns=\"urn:vim25\">", c->method);
	vim_put_ref(b, "_this", c->self);
	pst_buf_put_str(b, c->args ? c->args : "");
	pst_buf_printf(b, "</%s>" TAIL, c->method);
}

/* A status that no SOAP server gives: somebody before it, who knows nothing of objects. */
static int status_code(int status)
{
	int code = http_status_code(status);

	return code == 0 ? PST_EPROTO : code == PST_ENOTFOUND || code == PST_ECONFLICT ? PST_EIO : code;
}

static struct soap *answer_read(const struct http_answer *a, const char *method, struct pst_err *err)
{
	struct soap *s;

	if (a->status != 200 && a->status != 500) {
		pst_err_set(err, status_code(a->status),
			"vSphere answers %s with status %d: do its services run, and is \"url\" right?", method, a->status);
		return NULL;
	}
	s = soap_parse(a->data ? a->data : "", a->len, err);
	if (!s) {
		pst_err_wrap(err, "%s", method);
	} else if (strcmp(soap_body(s)->name, "Fault") != 0 && !pst_str_ends(soap_body(s)->name, "Response")) {
		pst_err_set(err, PST_EPROTO, "vSphere answers %s with something else than it should", method);
		soap_destroy(s);
		s = NULL;
	}
	return s;
}

/* One exchange, without looking for faults. ret_cookie: may be NULL. */
static struct soap *post(
	struct vim_op *op, const struct vim_call *c, const char *cookie, char ret_cookie[HTTP_COOKIE_SIZE], struct pst_err *err)
{
	struct http_request r = { .method = "POST",
		.path = "/sdk",
		.type = "text/xml; charset=utf-8",
		.owner = op->owner,
		.repeatable = c->repeatable,
		.headers = { "SOAPAction: \"urn:vim25/6.5\"" } };
	char line[HTTP_COOKIE_SIZE + 16];
	struct soap *s = NULL;
	struct http_answer a;
	struct pst_buf b;

	if (vim_op_check(op, err) < 0)
		return NULL;
	pst_buf_init(&b, REQUEST_MAX);
	request_put(&b, c);
	snprintf(line, sizeof(line), "Cookie: %s", cookie);
	r.headers[1] = cookie[0] ? line : NULL;
	r.data = b.data;
	r.len = b.len;
	r.timeout_ms = PST_MIN(vim_op_left(op), c->most_ms ? c->most_ms : UINT64_MAX);
	if (b.failed) {
		pst_err_set(err, PST_ELIMIT, "%s: a call of more than %u bytes", c->method, REQUEST_MAX);
	} else if (http_call(op->vim->http, &r, &a, err) == 0) {
		s = answer_read(&a, c->method, err);
		if (s && ret_cookie)
			pst_strlcpy(ret_cookie, HTTP_COOKIE_SIZE, a.cookie);
		http_answer_finish(&a);
	}
	if (b.data)
		pst_wipe(b.data, b.len); /* a password, a token */
	pst_buf_finish(&b);
	return s;
}

static int service_read(const struct soap_node *n, struct vim_service *ret, struct pst_err *err)
{
	if (vim_ref_read(soap_child(n, "propertyCollector"), &ret->collector, err) < 0 ||
		vim_ref_read(soap_child(n, "searchIndex"), &ret->search, err) < 0 ||
		vim_ref_read(soap_child(n, "sessionManager"), &ret->sessions, err) < 0)
		return err->code;
	ret->is_vcenter = strcmp(soap_text(n, "about.apiType"), "VirtualCenter") == 0;
	snprintf(ret->words, sizeof(ret->words), "%.40s %.16s", soap_text(n, "about.name"), soap_text(n, "about.version"));
	return 0;
}

static int service_ask(struct vim_op *op, struct vim_service *ret, struct pst_err *err)
{
	static const struct vim_ref instance = { "ServiceInstance", "ServiceInstance" };
	struct vim_call c = { .method = "RetrieveServiceContent", .self = &instance, .repeatable = true };
	struct soap *s = post(op, &c, "", NULL, err);
	int rc;

	if (!s)
		return err->code;
	rc = fault_check(soap_body(s), "to say what it is", err);
	if (rc == 0)
		rc = service_read(soap_child(soap_body(s), "returnval"), ret, err);
	soap_destroy(s);
	return rc;
}

static int password_read(const struct vim *v, char **ret, struct pst_err *err)
{
	size_t len;

	if (pst_file_read(v->password_file, PASSWORD_MAX, ret, &len, err) < 0)
		return pst_err_wrap(err, "password_file");
	(*ret)[strcspn(*ret, "\r\n")] = '\0';
	return 0;
}

static int login(struct vim_op *op, struct vim_service *service, char cookie[HTTP_COOKIE_SIZE], struct pst_err *err)
{
	struct vim_call c = { .method = "Login", .self = &service->sessions };
	char *password;
	struct soap *s;
	struct pst_buf b;
	int rc;

	if (service_ask(op, service, err) < 0 || password_read(op->vim, &password, err) < 0)
		return err->code;
	pst_buf_init(&b, REQUEST_MAX);
	soap_put(&b, "userName", op->vim->user);
	soap_put(&b, "password", password);
	c.args = pst_buf_cstr(&b);
	s = post(op, &c, "", cookie, err);
	rc = s ? fault_check(soap_body(s), "the log-in", err) : err->code;
	if (rc == 0 && !cookie[0])
		rc = pst_err_set(err, PST_EPROTO, "vSphere gives no session at the log-in");
	soap_destroy(s);
	pst_wipe(password, strlen(password));
	free(password);
	if (b.data)
		pst_wipe(b.data, b.len);
	pst_buf_finish(&b);
	return rc;
}

/* With the lock, which is let go meanwhile. One that was cancelled has tried nothing. */
static int session_open(struct vim_op *op, struct pst_err *err)
{
	struct vim *v = op->vim;
	char cookie[HTTP_COOKIE_SIZE] = "";
	struct vim_service service;
	int rc;

	memset(&service, 0, sizeof(service));
	v->is_logging_in = true;
	pthread_mutex_unlock(&v->lock);
	rc = login(op, &service, cookie, err);
	pthread_mutex_lock(&v->lock);
	v->is_logging_in = false;
	if (rc == 0) {
		memcpy(v->cookie, cookie, sizeof(v->cookie));
		v->service = service;
		v->generation++;
	} else if (rc == PST_EAUTH) {
		v->refused_until_ms = pst_mono_ms() + REFUSED_MS;
	}
	if (rc == 0 || !atomic_load(&op->cancelled)) {
		v->attempts++;
		v->refusal = *err;
	}
	pthread_cond_broadcast(&v->changed);
	return rc;
}

/* With the lock: an attempt of another thread, whose failure is ours too. */
static int session_await(struct vim_op *op, struct pst_err *err)
{
	struct vim *v = op->vim;
	unsigned attempts = v->attempts;
	int rc = 0;

	while (v->is_logging_in && (rc = vim_op_check(op, err)) == 0)
		changed_await(v, op->end_ms);
	if (rc == 0 && !v->cookie[0] && v->attempts != attempts) {
		*err = v->refusal;
		rc = err->code;
	}
	return rc;
}

static int session_get(struct vim_op *op, struct view *ret, struct vim_service *ret_service, struct pst_err *err)
{
	struct vim *v = op->vim;
	int rc = 0;

	pthread_mutex_lock(&v->lock);
	while (rc == 0 && !v->cookie[0]) {
		if (v->refused_until_ms > pst_mono_ms()) {
			*err = v->refusal;
			rc = PST_EAUTH;
		} else {
			rc = v->is_logging_in ? session_await(op, err) : session_open(op, err);
		}
	}
	if (rc == 0) {
		memcpy(ret->cookie, v->cookie, sizeof(ret->cookie));
		ret->generation = v->generation;
		*ret_service = v->service;
	}
	pthread_mutex_unlock(&v->lock);
	return rc;
}

/* The server does not know it any more. */
static void session_drop(struct vim *v, unsigned generation)
{
	pthread_mutex_lock(&v->lock);
	if (v->generation == generation)
		v->cookie[0] = '\0';
	pthread_mutex_unlock(&v->lock);
}

int vim_service(struct vim_op *op, struct vim_service *ret, struct pst_err *err)
{
	struct view view;

	return session_get(op, &view, ret, err);
}

struct soap *vim_call(struct vim_op *op, const struct vim_call *c, struct pst_err *err)
{
	struct vim_service service;
	struct soap *s = NULL;
	struct view view;

	for (unsigned i = 0; i < TRIES; i++) {
		soap_destroy(s);
		s = NULL;
		if (session_get(op, &view, &service, err) < 0 || !(s = post(op, c, view.cookie, NULL, err)) || !soap_is_unauthenticated(s))
			break;
		session_drop(op->vim, view.generation);
	}
	pst_wipe(view.cookie, sizeof(view.cookie));
	if (s && soap_is_unauthenticated(s) && strcmp(soap_body(s)->name, "Fault") != 0)
		pst_err_set(err, PST_EAUTH, "vSphere forgets each session at once");
	else if (!s || fault_check(soap_body(s), c->method, err) == 0)
		return s;
	soap_destroy(s);
	return NULL;
}
