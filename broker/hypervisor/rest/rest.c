/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands and their calls. */
#include "broker/hypervisor/rest/rest.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "broker/hypervisor/bridge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CALL_MIN_MS 1000
#define CALL_MAX_MS 30000

/* The header with the secret as its file has it now. */
static int auth_read(const struct rest *r, char out[REST_AUTH_SIZE], struct pst_err *err)
{
	char *text;
	size_t len;
	int n, rc = 0;

	if (pst_file_read(r->auth_file, REST_AUTH_SIZE - 64, &text, &len, err) < 0)
		return pst_err_wrap(err, "[%s] token_file", r->section);
	text[strcspn(text, "\r\n")] = '\0';
	n = snprintf(out, REST_AUTH_SIZE, "%s%s", r->auth_scheme, text);
	if (n < 0 || n >= REST_AUTH_SIZE || text[0] == '\0' || text[strcspn(text, " \t")] != '\0')
		rc = pst_err_set(err, PST_EINVAL, "[%s] token_file: %s must have the token in its first line, and nothing else there", r->section,
			r->auth_file);
	pst_wipe(text, len);
	free(text);
	return rc;
}

/* Was the secret in the file changed since, as those of Kubernetes are every hour? */
static bool auth_renew(struct rest *r, const char *refused)
{
	char fresh[REST_AUTH_SIZE];
	struct pst_err ignored = PST_ERR_INIT;
	bool is_new = auth_read(r, fresh, &ignored) == 0 && strcmp(fresh, refused) != 0;

	pthread_mutex_lock(&r->lock);
	if (is_new)
		memcpy(r->auth, fresh, sizeof(r->auth));
	pthread_mutex_unlock(&r->lock);
	pst_wipe(fresh, sizeof(fresh));
	return is_new;
}

int rest_init(struct rest *r, const struct rest_params *p, struct pst_err *err)
{
	pthread_condattr_t attr;

	memset(r, 0, sizeof(*r));
	r->what = p->what;
	r->refusal = p->refusal;
	r->deadline_ms = p->deadline_ms;
	r->call_ms = PST_CLAMP(p->deadline_ms / 4, (uint64_t)CALL_MIN_MS, (uint64_t)CALL_MAX_MS);
	pst_strlcpy(r->section, sizeof(r->section), p->section);
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->woken, &attr);
	pthread_condattr_destroy(&attr);
	r->is_made = true;
	pst_strlcpy(r->auth_scheme, sizeof(r->auth_scheme), p->auth_scheme ? p->auth_scheme : "");
	if (p->auth_file && pst_strlcpy(r->auth_file, sizeof(r->auth_file), p->auth_file) < 0)
		return pst_err_set(err, PST_ELIMIT, "[%s] token_file: too long a path", p->section);
	if (p->auth_file && auth_read(r, r->auth, err) < 0)
		return err->code;
	r->http = http_create(&p->http, err);
	if (!r->http)
		return pst_err_wrap(err, "[%s]", r->section);
	r->watches = watches_create(p->loop);
	return r->watches ? 0 : pst_err_set(err, PST_ENOMEM, "no memory");
}

void rest_finish(struct rest *r)
{
	if (!r->is_made)
		return;
	watches_destroy(r->watches);
	http_destroy(r->http);
	pst_wipe(r->auth, sizeof(r->auth));
	pthread_cond_destroy(&r->woken);
	pthread_mutex_destroy(&r->lock);
	memset(r, 0, sizeof(*r));
}

void rest_begin(struct rest_op *op, struct rest *r, const char *desktop)
{
	memset(op, 0, sizeof(*op));
	op->rest = r;
	pst_strlcpy(op->desktop, sizeof(op->desktop), desktop);
	op->end_ms = pst_mono_ms() + r->deadline_ms;
	if (desktop[0])
		watches_hold(r->watches, desktop);
	pthread_mutex_lock(&r->lock);
	atomic_store(&op->cancelled, r->is_closing);
	op->next = r->ops;
	r->ops = op;
	pthread_mutex_unlock(&r->lock);
}

void rest_end(struct rest_op *op)
{
	struct rest *r = op->rest;
	struct rest_op **p;

	pthread_mutex_lock(&r->lock);
	for (p = &r->ops; *p != op; p = &(*p)->next)
		;
	*p = op->next;
	pthread_mutex_unlock(&r->lock);
	if (op->desktop[0])
		watches_release(r->watches, op->desktop);
}

/* desktop NULL: all of them, and those to come. */
static void cancel(struct rest *r, const char *desktop)
{
	pthread_mutex_lock(&r->lock);
	r->is_closing |= !desktop;
	for (struct rest_op *op = r->ops; op; op = op->next) {
		if (!desktop || strcmp(op->desktop, desktop) == 0)
			atomic_store(&op->cancelled, true);
	}
	pthread_cond_broadcast(&r->woken);
	pthread_mutex_unlock(&r->lock);
	http_cancel(r->http, desktop);
}

void rest_cancel(struct rest *r, const char *desktop)
{
	cancel(r, desktop);
}

void rest_shut(struct rest *r)
{
	if (r->is_made && r->http)
		cancel(r, NULL);
}

uint64_t rest_left_ms(const struct rest_op *op)
{
	uint64_t now = pst_mono_ms();

	return now < op->end_ms ? op->end_ms - now : 0;
}

int rest_check(struct rest_op *op, struct pst_err *err)
{
	if (atomic_load(&op->cancelled))
		return pst_err_set(err, PST_ECLOSED, "cancelled");
	if (rest_left_ms(op) == 0)
		return pst_err_set(err, PST_ETIMEOUT, "%s took longer than [%s] deadline_s (%llu s)", op->rest->what, op->rest->section,
			(unsigned long long)(op->rest->deadline_ms / 1000));
	return 0;
}

int rest_wait(struct rest_op *op, uint64_t ms, struct pst_err *err)
{
	struct rest *r = op->rest;
	uint64_t until_ms = PST_MIN(pst_mono_ms() + ms, op->end_ms);
	struct timespec until = { .tv_sec = (time_t)(until_ms / 1000), .tv_nsec = (long)(until_ms % 1000) * 1000000 };

	pthread_mutex_lock(&r->lock);
	while (!atomic_load(&op->cancelled) && pst_mono_ms() < until_ms && pthread_cond_timedwait(&r->woken, &r->lock, &until) == 0)
		;
	pthread_mutex_unlock(&r->lock);
	return rest_check(op, err);
}

void rest_words(char *out, size_t size, const char *text)
{
	size_t n = 0;

	for (; *text && n + 1 < size; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= ' ' && c < 0x7f)
			out[n++] = (char)c;
		else if (n > 0 && out[n - 1] != ' ')
			out[n++] = ' ';
	}
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
}

static int refuse(const struct rest_op *op, const struct rest_call *c, const char *path, const struct http_answer *a, struct pst_err *err)
{
	const struct rest *r = op->rest;
	char words[REST_WORDS_SIZE] = "";
	int code = r->refusal ? r->refusal(a, words) : http_status_code(a->status);

	if (code == PST_EAUTH)
		return pst_err_set(err, code, "%s does not take the token: is the one of [%s] token_file still valid?", r->what, r->section);
	if (code == PST_EDENIED)
		return pst_err_set(err, code, "%s: the token may not %s %.*s: %s", r->what, c->method, (int)PST_MIN(strcspn(path, "?"), (size_t)100), path,
			words);
	if (code == PST_EPROTO)
		return pst_err_set(err, code, "%s %.*s is answered with %d (%s), and not by %s: is [%s] url right, and does it run?", c->method,
			(int)PST_MIN(strcspn(path, "?"), (size_t)120), path, a->status, words, r->what, r->section);
	return pst_err_set(err, code, "%s refuses %s %.*s (%d): %s", r->what, c->method, (int)PST_MIN(strcspn(path, "?"), (size_t)120), path,
		a->status, words);
}

static int ask_once(struct rest_op *op, const struct rest_call *c, const char *path, const char *auth, struct http_answer *ret, struct pst_err *err)
{
	struct rest *r = op->rest;
	struct http_request q = { .method = c->method, .path = path, .json = c->json, .data = c->data, .len = c->len, .type = c->type, .line = c->line,
		.arg = c->arg, .owner = op->desktop, .headers = { auth[0] ? auth : c->accept, auth[0] ? c->accept : NULL } };

	q.repeatable = !c->line && (c->is_repeatable || strcmp(c->method, "POST") != 0);
	q.timeout_ms = PST_MIN(rest_left_ms(op), c->most_ms ? c->most_ms : r->call_ms);
	if (rest_check(op, err) < 0 || http_call(r->http, &q, ret, err) < 0)
		return err->code;
	op->status = ret->status;
	return 0;
}

int rest_ask(struct rest_op *op, const struct rest_call *c, const char *path, struct http_answer *ret, struct pst_err *err)
{
	struct rest *r = op->rest;
	char auth[REST_AUTH_SIZE];
	int rc = 0;

	op->status = 0;
	for (int i = 0; i < 2 && rc == 0; i++) {
		memset(ret, 0, sizeof(*ret));
		pthread_mutex_lock(&r->lock);
		memcpy(auth, r->auth, sizeof(auth));
		pthread_mutex_unlock(&r->lock);
		rc = ask_once(op, c, path, auth, ret, err);
		if (rc < 0 || op->status != 401 || !r->auth_file[0] || !auth_renew(r, auth))
			break;
		http_answer_finish(ret);
	}
	pst_wipe(auth, sizeof(auth));
	if (rc < 0 || http_status_code(ret->status) == 0)
		return rc;
	refuse(op, c, path, ret, err);
	http_answer_finish(ret);
	return err->code;
}

int rest_bridge(struct rest_op *op, const char *path, const char *protocol, struct pst_err *err)
{
	struct rest *r = op->rest;
	char auth[REST_AUTH_SIZE];
	int fd;

	pthread_mutex_lock(&r->lock);
	memcpy(auth, r->auth, sizeof(auth));
	pthread_mutex_unlock(&r->lock);
	fd = rest_check(op, err) < 0 ? err->code :
				       bridge_open(r->http, path, protocol, (const char *const[]){ auth[0] ? auth : NULL, NULL }, PST_MIN(rest_left_ms(op), r->call_ms), err);
	pst_wipe(auth, sizeof(auth));
	return fd < 0 ? pst_err_wrap(err, "%s", r->what) : fd;
}

json_t *rest_get(struct rest_op *op, const char *path, json_type type, struct pst_err *err)
{
	struct rest_call c = { .method = "GET" };
	struct http_answer a;
	json_t *json = NULL;

	if (rest_ask(op, &c, path, &a, err) < 0)
		return NULL;
	if (a.json && json_typeof(a.json) == type)
		json = json_incref(a.json);
	else
		pst_err_set(err, PST_EPROTO, "%s answers GET %.*s with something else than it should", op->rest->what,
			(int)PST_MIN(strcspn(path, "?"), (size_t)120), path);
	http_answer_finish(&a);
	return json;
}

bool rest_is_unsure(struct rest_op *op, int code)
{
	if (atomic_load(&op->cancelled) || rest_left_ms(op) == 0)
		return false;
	return code == PST_ECLOSED || code == PST_ETIMEOUT || code == PST_EPROTO || code == PST_EBUSY;
}

int rest_path(char out[REST_PATH_SIZE], struct pst_err *err, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(out, REST_PATH_SIZE, fmt, ap);
	va_end(ap);
	return n >= 0 && n < REST_PATH_SIZE ? 0 : pst_err_set(err, PST_ELIMIT, "a path of more than %d bytes", REST_PATH_SIZE);
}
