/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calls over a control connection, and the answers to them. */
#include "base/ctl_priv.h"

#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define NEVER UINT64_MAX

/* ---- the pending list ---------------------------------------------------- */

static struct ctl_call *call_unlink(struct pst_ctl *ctl, struct ctl_call **at)
{
	struct ctl_call *call = *at;

	*at = call->next;
	ctl->n_calls--;
	return call;
}

/* Calls are few and replies mostly come in order: a list is enough. */
static struct ctl_call **call_find(struct pst_ctl *ctl, int64_t id)
{
	for (struct ctl_call **at = &ctl->calls; *at; at = &(*at)->next)
		if ((*at)->id == id)
			return at;
	return NULL;
}

static void call_append(struct pst_ctl *ctl, struct ctl_call *call)
{
	struct ctl_call **at = &ctl->calls;

	while (*at)
		at = &(*at)->next;
	*at = call;
	ctl->n_calls++;
}

static void call_fail(struct ctl_call *call, int code)
{
	struct pst_err err;

	pst_err_set(&err, code, "control call: %s", pst_strerror(code));
	call->done(NULL, -1, &err, call->arg);
	free(call);
}

static void rearm(struct pst_ctl *ctl)
{
	uint64_t first = NEVER, now = uv_now(ctl->loop);

	if (ctl->state != CTL_OPEN)
		return;
	for (const struct ctl_call *c = ctl->calls; c; c = c->next)
		first = PST_MIN(first, c->deadline_ms);

	if (first == NEVER)
		uv_timer_stop(&ctl->timeouts);
	else
		uv_timer_start(&ctl->timeouts, ctl_calls_timed_out, first > now ? first - now : 0, 0);
}

static struct ctl_call **call_expired(struct pst_ctl *ctl, uint64_t now, int64_t last_id)
{
	for (struct ctl_call **at = &ctl->calls; *at; at = &(*at)->next)
		if ((*at)->deadline_ms <= now && (*at)->id <= last_id)
			return at;
	return NULL;
}

void ctl_calls_timed_out(uv_timer_t *timer)
{
	struct pst_ctl *ctl = pst_container_of(timer, struct pst_ctl, timeouts);
	uint64_t now = uv_now(ctl->loop);
	int64_t last_id = ctl->next_id; /* calls made by the callbacks wait for the next turn */
	struct ctl_call **at;

	/* Each callback may change the list, so the search starts anew. */
	while ((at = call_expired(ctl, now, last_id))) {
		struct ctl_call *call = call_unlink(ctl, at);
		call_fail(call, call->fail_code ? call->fail_code : PST_ETIMEOUT);
	}
	rearm(ctl);
}

void ctl_calls_end(struct pst_ctl *ctl)
{
	int64_t last_id = ctl->next_id;

	while (ctl->calls && ctl->calls->id <= last_id) {
		struct ctl_call *call = call_unlink(ctl, &ctl->calls);
		call_fail(call, call->fail_code ? call->fail_code : PST_ECLOSED);
	}
}

/* ---- the caller's side --------------------------------------------------- */

static uint64_t deadline(const struct pst_ctl *ctl, uint64_t timeout_ms)
{
	uint64_t at;

	if (timeout_ms == 0 || __builtin_add_overflow(uv_now(ctl->loop), timeout_ms, &at))
		return NEVER;
	return at;
}

void pst_ctl_call_progress(struct pst_ctl *ctl, json_t *msg, int fd, uint64_t timeout_ms,
	pst_ctl_progress_cb progress, pst_ctl_done_cb done, void *arg)
{
	struct ctl_call *call = calloc(1, sizeof(*call));
	int rc = 0;

	PRE(call); /* Nothing could be reported without it, and 64 bytes are always there. */
	uv_update_time(ctl->loop);
	*call = (struct ctl_call){ .id = ++ctl->next_id, .timeout_ms = timeout_ms,
		.deadline_ms = deadline(ctl, timeout_ms), .progress = progress, .done = done, .arg = arg };

	if (ctl->n_calls >= PST_CTL_CALLS_MAX)
		rc = PST_ELIMIT;
	else if (json_object_set_new(msg, "id", json_integer(call->id)) < 0)
		rc = PST_EINVAL;
	if (rc < 0)
		json_decref(msg);
	else
		rc = pst_ctl_send_fd(ctl, msg, fd);

	call->fail_code = rc;
	if (rc < 0)
		call->deadline_ms = 0; /* Reported in the next turn, never from inside this call. */
	call_append(ctl, call);
	rearm(ctl);
}

void pst_ctl_call(struct pst_ctl *ctl, json_t *msg, uint64_t timeout_ms, pst_ctl_done_cb done,
	void *arg)
{
	pst_ctl_call_progress(ctl, msg, -1, timeout_ms, NULL, done, arg);
}

void pst_ctl_call_cancel(struct pst_ctl *ctl, void *arg)
{
	struct ctl_call **at = &ctl->calls;

	while (*at) {
		if ((*at)->arg == arg)
			free(call_unlink(ctl, at));
		else
			at = &(*at)->next;
	}
	rearm(ctl);
}

static bool is_intermediate(const json_t *msg)
{
	const char *op = pst_json_str(msg, "op", 16);

	return op && (strcmp(op, "progress") == 0 || strcmp(op, "stream") == 0);
}

void ctl_call_answer(struct pst_ctl *ctl, json_t *msg, int fd)
{
	struct ctl_call **at = call_find(ctl, pst_json_int(msg, "re", 1, INT64_MAX, 0));

	/* An answer to a call that was cancelled or has timed out. */
	if (!at || (*at)->fail_code) {
		pst_fd_close(&fd);
		return;
	}

	if (is_intermediate(msg)) {
		struct ctl_call *call = *at;

		call->deadline_ms = deadline(ctl, call->timeout_ms);
		rearm(ctl);
		if (call->progress)
			call->progress(msg, fd, call->arg);
		else
			pst_fd_close(&fd);
		return;
	}

	struct ctl_call *call = call_unlink(ctl, at);
	rearm(ctl);
	call->done(msg, fd, NULL, call->arg);
	free(call);
}

int pst_ctl_reply_check(const json_t *reply, const struct pst_err *call_err, struct pst_err *err)
{
	if (!reply) {
		if (!call_err)
			return pst_err_set(err, PST_EINTERNAL, "control call: no reply and no reason");
		return pst_err_set(err, call_err->code, "%s", call_err->text);
	}

	const json_t *e = json_object_get(reply, "error");
	if (!e || json_is_null(e))
		return 0;

	const char *title = pst_json_str(e, "title", 400);
	const char *word = pst_json_str(e, "code", 64);
	return pst_err_set(err, pst_code_from_word(word), "%s",
		title ? title : word ? word : "refused without a reason");
}

/* ---- the answering side -------------------------------------------------- */

int pst_ctl_reply_fd(struct pst_ctl *ctl, const json_t *request, json_t *body, int fd)
{
	json_t *id = json_object_get(request, "id");

	if (!id) {
		json_decref(body);
		return 0;
	}
	if (!body)
		body = json_object();
	if (json_object_set(body, "re", id) < 0) {
		json_decref(body);
		return PST_ENOMEM;
	}
	return pst_ctl_send_fd(ctl, body, fd);
}

int pst_ctl_reply(struct pst_ctl *ctl, const json_t *request, json_t *body)
{
	return pst_ctl_reply_fd(ctl, request, body, -1);
}

int pst_ctl_reply_refusal(struct pst_ctl *ctl, const json_t *request, const char *code,
	int status, const char *title)
{
	return pst_ctl_reply(ctl, request,
		json_pack("{s:{s:s,s:s,s:i}}", "error", "code", code, "title", title, "status", status));
}

int pst_ctl_reply_err(struct pst_ctl *ctl, const json_t *request, const struct pst_err *e)
{
	return pst_ctl_reply_refusal(ctl, request, pst_code_word(e->code), pst_code_http(e->code),
		e->text[0] ? e->text : pst_strerror(e->code));
}

int pst_ctl_progress(struct pst_ctl *ctl, const json_t *request, const char *op, json_t *body)
{
	if (!body)
		body = json_object();
	if (json_object_set_new(body, "op", json_string(op)) < 0) {
		json_decref(body);
		return PST_ENOMEM;
	}
	return pst_ctl_reply(ctl, request, body);
}
