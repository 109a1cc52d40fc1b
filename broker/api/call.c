/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading what was asked and writing the answer into the call. */
#include "broker/api/call.h"

#include "base/text.h"
#include "broker/api/api_priv.h"
#include "broker/api/problem.h"
#include "broker/core/axes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *call_header(const struct api_call *call, const char *name)
{
	return json_string_value(json_object_get(call->headers, name));
}

const char *call_query(const struct api_call *call, const char *name)
{
	for (size_t i = 0; i < call->query_count; i++) {
		if (strcmp(call->query[i].name, name) == 0)
			return call->query[i].value;
	}
	return "";
}

bool call_wants_spanish(const struct api_call *call)
{
	const char *accept = call_header(call, "accept-language");

	if (call->who.is_known && call->who.user.locale[0])
		return strcmp(call->who.user.locale, "es") == 0;
	return accept && strncmp(accept, "es", 2) == 0;
}

void call_actor(const struct api_call *call, struct core_actor *ret)
{
	const struct call_who *w = &call->who;
	const char *kind = w->is_system ? "system" : !w->is_known ? "unknown" : w->by_cookie ? "user" : "token";

	memset(ret, 0, sizeof(*ret));
	pst_strlcpy(ret->kind, sizeof(ret->kind), kind);
	pst_strlcpy(ret->id, sizeof(ret->id), w->user.user_id);
	pst_strlcpy(ret->name, sizeof(ret->name), w->user.user_name);
	pst_strlcpy(ret->remote, sizeof(ret->remote), call->remote);
}

bool call_is_answered(const struct api_call *call)
{
	return call->status != 0;
}

void call_ok(struct api_call *call, int status, json_t *body)
{
	if (!body) {
		call_problem(call, "internal", "there was no memory for the answer");
		return;
	}
	json_decref(call->reply);
	call->status = status;
	call->type = "application/json";
	call->reply = body;
}

void call_empty(struct api_call *call)
{
	json_decref(call->reply);
	call->reply = NULL;
	call->status = 204;
}

/* What was cut in the middle of a character, or came so from an address, is no JSON text. */
static void make_text(char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len;) {
		uint32_t cp;
		int n = pst_utf8_next(text + i, len - i, &cp);

		if (n <= 0)
			text[i] = '?';
		i += n <= 0 ? 1 : (size_t)n;
	}
}

static void set_problem(struct api_call *call, const char *code, const char *field, const char *detail)
{
	const struct problem *p = problem_find(code);

	if ((p->status == 429 || p->status == 503) && call->retry_after == 0)
		call->retry_after = 2;
	json_decref(call->reply);
	call->status = p->status;
	call->type = "application/problem+json";
	call->reply = problem_body(p, detail, field, call->path, call->retry_after);
	call->cookie[0] = '\0';
}

void call_problem(struct api_call *call, const char *code, const char *detail, ...)
{
	char text[DETAIL_MAX] = "";
	va_list ap;

	if (detail) {
		va_start(ap, detail);
		vsnprintf(text, sizeof(text), detail, ap);
		va_end(ap);
	}
	make_text(text);
	set_problem(call, code, NULL, text);
}

void call_field(struct api_call *call, const char *field, const char *detail, ...)
{
	char text[DETAIL_MAX];
	va_list ap;

	va_start(ap, detail);
	vsnprintf(text, sizeof(text), detail, ap);
	va_end(ap);
	make_text(text);
	set_problem(call, "invalid_field", field, text);
}

void call_error(struct api_call *call, const struct pst_err *err)
{
	call_problem(call, problem_code_of(err->code), "%s", err->text);
}

void call_finish(struct api_call *call)
{
	call->pending = false;
	call->cancelled = NULL;
	call->state = NULL;
	api_call_end(call);
}
