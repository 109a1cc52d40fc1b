/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who calls, and whether a browser was tricked into calling: log-in, Host, Origin, CSRF. */
#include "broker/api/api_priv.h"

#include "base/secret.h"
#include "base/text.h"
#include "broker/auth/cookie.h"

#include <string.h>
#include <strings.h>

static int by_bearer(struct api_call *call, const char *header)
{
	struct token_row t;
	struct call_who *w = &call->who;

	header += strlen("Bearer");
	header += strspn(header, " ");
	int rc = auth_bearer_find(call->api->auth, header, &t, &w->user, NULL);
	if (rc < 0) {
		call_problem(call, rc == PST_EAUTH ? "login_needed" : "storage", "the bearer token is unknown or over");
		return PST_EAUTH;
	}
	pst_strlcpy(w->token_id, sizeof(w->token_id), t.id);
	w->is_known = true;
	w->is_admin = w->user.is_admin;
	return 0;
}

int guard_identify(struct api_call *call)
{
	const char *authorization = call_header(call, "authorization");
	const char *cookie = call_header(call, "cookie");
	struct call_who *w = &call->who;
	char token[COOKIE_VALUE_SIZE];

	if (authorization) {
		if (strncasecmp(authorization, "Bearer ", 7) == 0)
			return by_bearer(call, authorization);
		call_problem(call, "login_needed", "only 'Authorization: Bearer TOKEN' is understood");
		return PST_EAUTH;
	}
	if (!cookie || !cookie_find(cookie, token))
		return 0;
	int rc = auth_web_find(call->api->auth, token, &w->login, &w->user, NULL);
	pst_wipe(token, sizeof(token));
	if (rc < 0 && rc != PST_EAUTH) {
		call_problem(call, "storage", NULL);
		return rc;
	}
	w->is_known = w->by_cookie = rc == 0;
	w->is_admin = w->is_known && w->user.is_admin;
	return 0;
}

static bool is_unsafe(const struct api_call *call)
{
	return call->method != METHOD_GET;
}

static bool has_csrf(const struct api_call *call)
{
	const char *given = call_header(call, "x-csrf-token");

	return given && call->who.login.csrf[0] && pst_str_equal_ct(call->who.login.csrf, given);
}

int guard_check(struct api_call *call, bool is_open)
{
	const char *host = call_header(call, "host"), *origin = call_header(call, "origin");

	if (host && !host_is_allowed(host, call->api->settings->hosts)) {
		call_problem(call, "bad_host", NULL);
		return PST_EDENIED;
	}
	if (!is_unsafe(call) || call_header(call, "authorization"))
		return 0;
	if (origin && !origin_matches(origin, host)) {
		call_problem(call, "bad_origin", NULL);
		return PST_EDENIED;
	}
	if (!is_open && call->who.by_cookie && !has_csrf(call)) {
		call_problem(call, "csrf", NULL);
		return PST_EDENIED;
	}
	return 0;
}
