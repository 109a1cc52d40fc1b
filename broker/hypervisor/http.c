/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HTTP calls by libcurl. A wire is one connection's handles; each call takes one, so that a wake-up reaches it. */
#include "broker/hypervisor/http_priv.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIRES_MAX 64 /* calls at a time */
#define POLL_MS 1000

struct wire {
	struct wire *next;
	CURLM *multi;
	CURL *easy;
	bool busy;      /* under the lock, as the next two */
	bool cancelled;
	char owner[HTTP_OWNER_SIZE];
	char words[CURL_ERROR_SIZE];
};

/* One try. */
struct call {
	struct http *http;
	struct wire *wire;
	const struct http_request *request;
	struct curl_slist *headers;
	struct pst_buf body; /* or of a stream the line that is not complete */
	char *text;          /* of the request's JSON */
	size_t text_len;
	bool stopped; /* by the reader of lines */
	uint64_t end_ms;
	char reason[HTTP_REASON_SIZE];
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void curl_begin(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

/* Where it is: one of the two. */
static int place_set(struct http *h, const struct http_params *p, struct pst_err *err)
{
	if (p->socket && (p->socket[0] != '/' || pst_strlcpy(h->socket, sizeof(h->socket), p->socket) < 0))
		return pst_err_set(err, PST_EINVAL, "\"%.200s\" is no absolute path of at most %zu bytes", p->socket, sizeof(h->socket) - 1);
	if (p->socket)
		return pst_strlcpy(h->url, sizeof(h->url), "http://localhost");
	if (!p->url || !pst_str_starts(p->url, "https://") || strpbrk(p->url + strlen("https://"), "/?#@ \\") ||
		pst_strlcpy(h->url, sizeof(h->url), p->url) < 0)
		return pst_err_set(err, PST_EINVAL, "\"%.200s\" is no https://HOST:PORT", p->url ? p->url : "");
	return 0;
}

struct http *http_create(const struct http_params *p, struct pst_err *err)
{
	struct http *h = pst_zalloc(1, sizeof(*h));

	pthread_once(&curl_once, curl_begin);
	if (!h) {
		pst_err_set(err, PST_ENOMEM, "no memory");
		return NULL;
	}
	pthread_mutex_init(&h->lock, NULL);
	h->timeout_ms = p->timeout_ms;
	h->connect_ms = p->connect_ms;
	h->is_single = p->is_single;
	h->ca = copy(p->ca);
	h->pin = copy(p->pin);
	h->cert = copy(p->cert);
	h->key = copy(p->key);
	if (place_set(h, p, err) == 0)
		return h;
	http_destroy(h);
	return NULL;
}

static void wire_free(struct wire *w)
{
	if (w->easy)
		curl_easy_cleanup(w->easy);
	if (w->multi)
		curl_multi_cleanup(w->multi);
	free(w);
}

void http_destroy(struct http *h)
{
	struct wire *next;

	if (!h)
		return;
	for (struct wire *w = h->wires; w; w = next) {
		next = w->next;
		wire_free(w);
	}
	pthread_mutex_destroy(&h->lock);
	free(h->ca);
	free(h->pin);
	free(h->cert);
	free(h->key);
	free(h);
}

static struct wire *wire_make(struct http *h)
{
	struct wire *w = h->wires_n < WIRES_MAX ? pst_zalloc(1, sizeof(*w)) : NULL;

	if (!w)
		return NULL;
	w->multi = curl_multi_init();
	w->easy = curl_easy_init();
	if (!w->multi || !w->easy) {
		wire_free(w);
		return NULL;
	}
	w->next = h->wires;
	h->wires = w;
	h->wires_n++;
	return w;
}

/* A free one, marked as its caller's; NULL with err. */
static struct wire *wire_take(struct http *h, const char *owner, struct pst_err *err)
{
	struct wire *w;

	pthread_mutex_lock(&h->lock);
	for (w = h->wires; w && w->busy; w = w->next)
		;
	if (!w)
		w = wire_make(h);
	if (w) {
		w->busy = true;
		w->cancelled = false;
		pst_strlcpy(w->owner, sizeof(w->owner), owner ? owner : "");
	}
	pthread_mutex_unlock(&h->lock);
	if (!w)
		pst_err_set(err, PST_EBUSY, "no memory, or %d calls at a time already", WIRES_MAX);
	return w;
}

static void wire_give(struct http *h, struct wire *w)
{
	pthread_mutex_lock(&h->lock);
	w->busy = false;
	pthread_mutex_unlock(&h->lock);
}

static bool wire_is_cancelled(struct http *h, struct wire *w)
{
	bool cancelled;

	pthread_mutex_lock(&h->lock);
	cancelled = w->cancelled;
	pthread_mutex_unlock(&h->lock);
	return cancelled;
}

void http_cancel(struct http *h, const char *owner)
{
	pthread_mutex_lock(&h->lock);
	for (struct wire *w = h->wires; w; w = w->next) {
		if (w->busy && (!owner || strcmp(w->owner, owner) == 0)) {
			w->cancelled = true;
			curl_multi_wakeup(w->multi);
		}
	}
	pthread_mutex_unlock(&h->lock);
}

static int code_of(CURL *easy)
{
	long status = 0;

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	return status >= 100 && status <= 599 ? (int)status : 0;
}

/* 0 ends the transfer: the ceiling was reached or the reader has enough. */
static size_t take_lines(struct call *c, const char *data, size_t n)
{
	for (size_t at = 0; at < n;) {
		const char *end = memchr(data + at, '\n', n - at);
		size_t part = end ? (size_t)(end - data) - at : n - at;

		if (pst_buf_append(&c->body, data + at, part) < 0)
			return 0;
		at += part + (end ? 1 : 0);
		if (!end)
			break;
		const char *line = pst_buf_cstr(&c->body);
		if (!line || !c->request->line(line, c->body.len, c->request->arg)) {
			c->stopped = line != NULL;
			return 0;
		}
		pst_buf_reset(&c->body);
	}
	return n;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct call *c = arg;
	size_t n = size * count;

	if (c->request->line && http_status_code(code_of(c->wire->easy)) == 0)
		return take_lines(c, data, n);
	if (c->request->piece && http_status_code(code_of(c->wire->easy)) == 0)
		return c->request->piece(data, n, c->request->arg) ? n : 0;
	return pst_buf_append(&c->body, data, n) < 0 ? 0 : n;
}

/* "HTTP/1.1 500 WORDS": some servers say there, and only there, what is wrong. */
static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
	struct call *c = arg;
	size_t n = size * count, at = 0, len = 0;

	if (n < 5 || memcmp(data, "HTTP/", 5) != 0)
		return n;
	for (int spaces = 0; at < n && spaces < 2; at++)
		spaces += data[at] == ' ';
	for (; at < n && len + 1 < sizeof(c->reason) && (unsigned char)data[at] >= ' '; at++)
		c->reason[len++] = (unsigned char)data[at] < 0x7f ? data[at] : '?';
	c->reason[len] = '\0';
	return n;
}

static void header_add(struct call *c, const char *line)
{
	struct curl_slist *more = curl_slist_append(c->headers, line);

	c->headers = more ? more : c->headers;
}

static void headers_set(struct call *c)
{
	const struct http_request *r = c->request;
	char type[128];

	header_add(c, "Accept: application/json");
	header_add(c, "Expect:");
	if (c->text || r->data) {
		snprintf(type, sizeof(type), "Content-Type: %s", c->text ? "application/json" : r->type);
		header_add(c, type);
	}
	for (size_t i = 0; i < HTTP_HEADERS_MAX && r->headers[i]; i++)
		header_add(c, r->headers[i]);
	curl_easy_setopt(c->wire->easy, CURLOPT_HTTPHEADER, c->headers);
}

void http_trust_set(const struct http *h, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (h->ca)
		curl_easy_setopt(easy, CURLOPT_CAINFO, h->ca);
	if (h->pin)
		curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY, h->pin);
	if (h->pin && !h->ca) {
		/* Who has that very key is the server, whoever signed it and whatever it is called. */
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (h->cert && h->key) {
		curl_easy_setopt(easy, CURLOPT_SSLCERT, h->cert);
		curl_easy_setopt(easy, CURLOPT_SSLKEY, h->key);
	}
}

static void body_set(struct call *c)
{
	const struct http_request *r = c->request;
	const void *data = c->text ? c->text : r->data;
	CURL *easy = c->wire->easy;

	if (data || strcmp(r->method, "POST") == 0 || strcmp(r->method, "PUT") == 0) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(c->text ? c->text_len : r->len));
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, data ? data : "");
	} else if (strcmp(r->method, "HEAD") == 0) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, r->method);
}

/* Everything afresh for one try; the wire's connection stays. */
static int easy_set(struct call *c, struct pst_err *err)
{
	const struct http *h = c->http;
	CURL *easy = c->wire->easy;
	char url[8192];

	if ((size_t)snprintf(url, sizeof(url), "%s%s", h->url, c->request->path) >= sizeof(url))
		return pst_err_set(err, PST_ELIMIT, "a path of more than %zu bytes", sizeof(url));
	curl_easy_reset(easy);
	c->wire->words[0] = '\0';
	curl_easy_setopt(easy, CURLOPT_URL, url);
	if (h->socket[0])
		curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, h->socket);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, h->socket[0] ? "http" : "https");
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* On a kept connection that ends without an answer libcurl sends the request again by itself, POST or not. */
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, c->request->repeatable ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, c->request->repeatable && !h->is_single ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)PST_MIN(h->connect_ms, (uint64_t)INT_MAX));
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, c->wire->words);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "puesto/" PACKAGE_VERSION);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, c);
	http_trust_set(h, easy);
	body_set(c);
	headers_set(c);
	return 0;
}

static uint64_t left_ms(const struct call *c)
{
	uint64_t now = pst_mono_ms();

	return now < c->end_ms ? c->end_ms - now : 0;
}

/* Runs one try to its end. CURLE_OPERATION_TIMEDOUT and CURLE_ABORTED_BY_CALLBACK are ours, too. */
static CURLcode easy_run(struct call *c)
{
	CURLM *multi = c->wire->multi;
	CURLcode rc = CURLE_FAILED_INIT;
	int running = 1, left;
	CURLMsg *msg;

	if (curl_multi_add_handle(multi, c->wire->easy) != CURLM_OK)
		return CURLE_OUT_OF_MEMORY;
	while (running) {
		if (wire_is_cancelled(c->http, c->wire))
			rc = CURLE_ABORTED_BY_CALLBACK;
		else if (left_ms(c) == 0)
			rc = CURLE_OPERATION_TIMEDOUT;
		if (rc != CURLE_FAILED_INIT || curl_multi_perform(multi, &running) != CURLM_OK)
			break;
		if (running)
			curl_multi_poll(multi, NULL, 0, (int)PST_MIN(left_ms(c), (uint64_t)POLL_MS), NULL);
	}
	while ((msg = curl_multi_info_read(multi, &left))) {
		if (msg->msg == CURLMSG_DONE && rc == CURLE_FAILED_INIT)
			rc = msg->data.result;
	}
	curl_multi_remove_handle(multi, c->wire->easy);
	return rc;
}

static int failure(const struct call *c, CURLcode rc, struct pst_err *err)
{
	const char *where = c->http->socket[0] ? c->http->socket : c->http->url;
	const char *why = c->wire->words[0] ? c->wire->words : curl_easy_strerror(rc);

	switch (rc) {
	case CURLE_OPERATION_TIMEDOUT:
		return pst_err_set(err, PST_ETIMEOUT, "%s did not answer %s %.100s in time", where, c->request->method, c->request->path);
	case CURLE_ABORTED_BY_CALLBACK:
		return pst_err_set(err, PST_ECLOSED, "cancelled");
	case CURLE_WRITE_ERROR:
		return pst_err_set(err, PST_ELIMIT, "the answer of %s to %s %.100s is longer than %zu bytes", where, c->request->method,
			c->request->path, c->body.max);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
		return pst_err_set(err, PST_EAUTH, "%s is not trusted: %s", where, why);
	case CURLE_OUT_OF_MEMORY:
		return pst_err_set(err, PST_ENOMEM, "no memory");
	default:
		return pst_err_set(err, PST_ECLOSED, "%s cannot be asked: %s", where, why);
	}
}

static bool is_sent(CURLcode rc)
{
	switch (rc) {
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_SSL_CONNECT_ERROR:
		return false;
	default:
		return true;
	}
}

/* Kept for the caller, who sends it again or does not. */
static void cookie_read(struct call *c, struct http_answer *ret)
{
	struct curl_header *h;
	size_t len;

	if (curl_easy_header(c->wire->easy, "Set-Cookie", 0, CURLH_HEADER, -1, &h) != CURLHE_OK)
		return;
	len = strcspn(h->value, "; \t\r\n");
	if (len < sizeof(ret->cookie))
		memcpy(ret->cookie, h->value, len);
}

static int answer_fill(struct call *c, struct http_answer *ret, struct pst_err *err)
{
	const char *text = pst_buf_cstr(&c->body);

	ret->status = code_of(c->wire->easy);
	if (ret->status == 0)
		return pst_err_set(err, PST_EPROTO, "an answer without a status");
	if (!text || !(ret->data = pst_memdup(text, c->body.len)))
		return pst_err_set(err, PST_ENOMEM, "no memory");
	ret->len = c->body.len;
	cookie_read(c, ret);
	memcpy(ret->reason, c->reason, sizeof(ret->reason));
	if (c->body.len && (text[0] == '{' || text[0] == '['))
		ret->json = pst_json_parse(text, c->body.len, PST_JSON_DEPTH, NULL);
	return 0;
}

/* Milliseconds until the next try, or -1. */
static int64_t wait_of(struct call *c, unsigned tries, CURLcode rc, int code)
{
	struct curl_header *header;
	curl_off_t asked = 0;
	struct retry r = { .tries = tries, .repeatable = c->request->repeatable, .code = code, .sent = is_sent(rc), .left_ms = left_ms(c) };

	if (rc == CURLE_ABORTED_BY_CALLBACK)
		return -1;
	if (code == 0)
		r.status = code_of(c->wire->easy);
	r.asked = curl_easy_header(c->wire->easy, "Retry-After", 0, CURLH_HEADER, -1, &header) == CURLHE_OK;
	curl_easy_getinfo(c->wire->easy, CURLINFO_RETRY_AFTER, &asked);
	r.asked_ms = (uint64_t)PST_CLAMP(asked, (curl_off_t)0, (curl_off_t)3600) * 1000;
	return retry_wait_ms(&r);
}

/* One try; *ret_wait says whether there is to be another. */
static int call_try(struct call *c, unsigned tries, struct http_answer *ret, int64_t *ret_wait, struct pst_err *err)
{
	CURLcode rc;
	int code = 0;

	*ret_wait = -1;
	pst_buf_reset(&c->body);
	if (easy_set(c, err) < 0)
		return err->code;
	rc = easy_run(c);
	if (rc != CURLE_OK && !c->stopped)
		code = failure(c, rc, err);
	*ret_wait = wait_of(c, tries, rc, code);
	if (code == 0 && *ret_wait < 0)
		code = answer_fill(c, ret, err);
	curl_slist_free_all(c->headers);
	c->headers = NULL;
	return code;
}

static int call_run(struct call *c, struct http_answer *ret, struct pst_err *err)
{
	int64_t wait;

	for (unsigned tries = 1;; tries++) {
		struct pst_err why = PST_ERR_INIT;
		int rc = call_try(c, tries, ret, &wait, &why);

		if (wait < 0)
			return pst_err_pass(err, rc, &why);
		/* A cancel wakes it. */
		curl_multi_poll(c->wire->multi, NULL, 0, (int)wait, NULL);
	}
}

int http_call(struct http *h, const struct http_request *r, struct http_answer *ret, struct pst_err *err)
{
	struct call c = { .http = h, .request = r, .end_ms = pst_mono_ms() + (r->timeout_ms ? r->timeout_ms : h->timeout_ms) };
	int rc = 0;

	PRE(r->path[0] == '/');
	memset(ret, 0, sizeof(*ret));
	c.wire = wire_take(h, r->owner, err);
	if (!c.wire)
		return err->code;
	pst_buf_init(&c.body, r->line ? HTTP_LINE_MAX : r->max ? r->max : HTTP_ANSWER_MAX);
	if (r->json && !(c.text = pst_json_text(r->json, &c.text_len)))
		rc = pst_err_set(err, PST_ENOMEM, "no memory");
	if (rc == 0)
		rc = call_run(&c, ret, err);
	pst_buf_finish(&c.body);
	free(c.text);
	wire_give(h, c.wire);
	return rc;
}

void http_answer_finish(struct http_answer *a)
{
	json_decref(a->json);
	free(a->data);
	memset(a, 0, sizeof(*a));
}

int http_status_code(int status)
{
	static const struct {
		int status, code;
	} words[] = { { 304, PST_OK }, { 400, PST_EINVAL }, { 401, PST_EAUTH }, { 403, PST_EDENIED }, { 404, PST_ENOTFOUND },
		{ 408, PST_ETIMEOUT }, { 409, PST_ECONFLICT }, { 422, PST_EINVAL }, { 429, PST_EBUSY }, { 501, PST_EUNSUPPORTED },
		{ 503, PST_EBUSY }, { 504, PST_ETIMEOUT }, { 507, PST_ENOSPC } };

	if (status >= 200 && status < 300)
		return PST_OK;
	for (size_t i = 0; i < PST_ARRAY_LEN(words); i++) {
		if (words[i].status == status)
			return words[i].code;
	}
	return status >= 400 && status < 500 ? PST_EINVAL : PST_EIO;
}
