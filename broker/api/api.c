/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A call's way: read it, find its route, know its caller, run its handler, send its answer. */
#include "broker/api/api_priv.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "broker/api/hub.h"
#include "broker/api/problem.h"
#include "broker/api/query.h"
#include "broker/api/replay.h"
#include "broker/api/route.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PREFIX "/api/v1/"

struct api *api_create(const struct api_params *p)
{
	struct api *api = pst_zalloc(1, sizeof(*api));

	if (!api)
		return NULL;
	api->loop = p->loop;
	api->db = p->db;
	api->auth = p->auth;
	api->rec = p->reconciler;
	api->settings = p->settings;
	api->links = p->links;
	api->links_arg = p->links_arg;
	api->datastores = p->datastores;
	api->image_jobs = p->image_jobs;
	api->removals = p->removals;
	api->backup_jobs = p->backup_jobs;
	api->started_ms = (int64_t)pst_mono_ms();
	api->hub = hub_create(api);
	if (!api->hub) {
		free(api);
		return NULL;
	}
	return api;
}

static void call_free(struct api_call *call)
{
	json_decref(call->headers);
	json_decref(call->body);
	json_decref(call->reply);
	free(call);
}

static void unlink_call(struct api_call *call)
{
	struct api_call **at = &call->api->calls;

	while (*at && *at != call)
		at = &(*at)->next;
	if (*at)
		*at = call->next;
}

void api_destroy(struct api *api)
{
	if (!api)
		return;
	while (api->calls)
		api_cancel(api->calls);
	hub_destroy(api->hub);
	free(api);
}

void api_call_end(struct api_call *call)
{
	if (!call_is_answered(call) && !call->is_stream)
		call_problem(call, "internal", NULL);
	replay_keep(call);
	call->is_finished = true;
	if (call->out)
		call->out->finish(call, call->out_arg);
	unlink_call(call);
	call_free(call);
}

void api_cancel(struct api_call *call)
{
	call->out = NULL;
	if (call->cancelled)
		call->cancelled(call);
	auth_cancel(call->api->auth, call);
	unlink_call(call);
	call_free(call);
}

static bool method_parse(const char *text, enum method *ret)
{
	static const char *const words[METHOD_COUNT] = {"GET", "POST", "PATCH", "PUT", "DELETE"};

	for (unsigned i = 0; text && i < METHOD_COUNT; i++) {
		if (strcmp(words[i], text) == 0) {
			*ret = (enum method)i;
			return true;
		}
	}
	return false;
}

static struct api_call *call_create(struct api *api, const json_t *msg, const struct call_out *out, void *arg)
{
	struct api_call *call = pst_zalloc(1, sizeof(*call));
	json_t *headers = json_object_get(msg, "headers");
	const char *remote = pst_json_str(msg, "remote", sizeof(call->remote) - 1);

	if (!call)
		return NULL;
	call->api = api;
	call->out = out;
	call->out_arg = arg;
	call->headers = json_is_object(headers) ? json_incref(headers) : json_object();
	pst_strlcpy(call->remote, sizeof(call->remote), remote ? remote : "");
	call->next = api->calls;
	api->calls = call;
	return call;
}

static int read_target(struct api_call *call, const json_t *msg)
{
	const char *path = pst_json_str(msg, "path", CALL_PATH_MAX - 1);
	const char *query = pst_json_str(msg, "query", CALL_QUERY_MAX - 1);

	if (!path || (!query && json_string_length(json_object_get(msg, "query")) > 0)) {
		call_problem(call, "bad_request", "the address is too long");
		return PST_ELIMIT;
	}
	pst_strlcpy(call->path, sizeof(call->path), path);
	if (!pst_str_starts(path, PREFIX)) {
		call_problem(call, "no_route", NULL);
		return PST_ENOTFOUND;
	}
	pst_strlcpy(call->segments, sizeof(call->segments), path + strlen(PREFIX));
	pst_strlcpy(call->query_text, sizeof(call->query_text), query ? query : "");
	if (query_parse(call->query_text, call->query, &call->query_count) < 0) {
		call_problem(call, "bad_request", "the query is not well formed, or has more than %d fields",
			CALL_PAIRS_MAX);
		return PST_EINVAL;
	}
	return 0;
}

static const struct route *find_route(struct api_call *call, const json_t *msg)
{
	const char *allow = NULL;
	const struct route *r;

	if (!method_parse(pst_json_str(msg, "method", 16), &call->method)) {
		call->allow = "GET, POST, PATCH, PUT, DELETE";
		call_problem(call, "method", NULL);
		return NULL;
	}
	r = route_find(call->method, call->segments, call->params, &allow);
	if (r)
		return r;
	call->allow = allow;
	call_problem(call, allow ? "method" : "no_route", NULL);
	return NULL;
}

static int check_role(struct api_call *call, enum role role)
{
	if (role == ROLE_OPEN)
		return 0;
	if (!call->who.is_known) {
		call_problem(call, call_header(call, "cookie") ? "login_over" : "login_needed", NULL);
		return PST_EAUTH;
	}
	if (role == ROLE_ADMIN && !call->who.is_admin) {
		write_event(call, "access.denied", "", "", json_pack("{s:s}", "path", call->path));
		call_problem(call, "denied", NULL);
		return PST_EDENIED;
	}
	return 0;
}

static bool is_json_type(const char *type)
{
	static const char want[] = "application/json";
	size_t n = sizeof(want) - 1;

	return type && strncasecmp(type, want, n) == 0 && (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

static int read_body(struct api_call *call, const json_t *msg, size_t max)
{
	json_t *text = json_object_get(msg, "body");
	size_t len = json_string_length(text);
	struct pst_err err = PST_ERR_INIT;

	if (max == 0 || len == 0)
		return 0;
	if (len > max) {
		call_problem(call, "too_large", "%zu bytes; at most %zu here", len, max);
		return PST_ELIMIT;
	}
	if (!is_json_type(call_header(call, "content-type"))) {
		call_problem(call, "media_type", NULL);
		return PST_EINVAL;
	}
	call->body = pst_json_parse(json_string_value(text), len, 8, &err);
	if (!call->body) {
		call_problem(call, "bad_json", "%s", err.text);
		return PST_EINVAL;
	}
	if (!json_is_object(call->body)) {
		call_problem(call, "bad_json", "the body must be an object");
		return PST_EINVAL;
	}
	return 0;
}

static void run(struct api_call *call, const json_t *msg)
{
	if (read_target(call, msg) < 0)
		return;
	const struct route *r = find_route(call, msg);
	if (!r)
		return;
	if (!call->who.is_system && (guard_identify(call) < 0 || check_role(call, r->role) < 0 ||
					    guard_check(call, r->role == ROLE_OPEN) < 0))
		return;
	if (read_body(call, msg, r->body_max) < 0 || replay_find(call, json_object_get(msg, "body")) < 0)
		return;
	r->handle(call);
}

static struct api_call *run_and_end(struct api_call *call, const json_t *msg)
{
	run(call, msg);
	if (call->pending)
		return call;
	api_call_end(call);
	return NULL;
}

struct api_call *api_handle(struct api *api, const json_t *msg, const struct call_out *out, void *arg)
{
	struct api_call *call = call_create(api, msg, out, arg);

	return call ? run_and_end(call, msg) : NULL;
}

struct api_call *api_handle_system(struct api *api, const char *method, const char *path, const json_t *body,
	const struct call_out *out, void *arg)
{
	char *text = body ? pst_json_text(body, NULL) : NULL;
	json_t *msg = json_pack("{s:s, s:s, s:s, s:{s:s}}", "method", method, "path", path, "body", text ? text : "",
		"headers", "content-type", "application/json");
	struct api_call *call = msg ? call_create(api, msg, out, arg) : NULL;

	if (text)
		pst_wipe(text, strlen(text));
	free(text);
	if (call) {
		call->who.is_known = call->who.is_admin = call->who.is_system = true;
		pst_strlcpy(call->who.user.user_name, sizeof(call->who.user.user_name), "set-up");
		call = run_and_end(call, msg);
	}
	json_decref(msg);
	return call;
}

void api_changed(struct api *api, const char *kind, const char *id)
{
	hub_changed(api->hub, kind, id);
}

void api_audited(struct api *api)
{
	hub_audited(api->hub);
}
