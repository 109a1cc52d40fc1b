/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of this folder share: the API object, the handlers, writing with an audit. */
#pragma once

#include "broker/api/api.h"
#include "broker/api/call.h"
#include "broker/auth/auth.h"

struct hub;
struct audit_row;

struct api {
	uv_loop_t *loop;
	struct db *db;
	struct auth *auth;
	struct reconciler *rec;
	const struct api_settings *settings;
	const struct api_links *links;
	void *links_arg;
	struct hub *hub;
	struct api_call *calls; /* at work */
	int64_t started_ms;     /* monotonic */
};

void api_call_end(struct api_call *call);

/* Fills call->who from the cookie or the bearer; 0, or the call is answered. */
int guard_identify(struct api_call *call);
/* Host, Origin, CSRF; 0, or the call is answered. is_open: no log-in is needed here. */
int guard_check(struct api_call *call, bool is_open);

/*
 * A change by a person is: write_begin, the rows, write_commit (which adds the event). Each
 * returns 0, or has answered the call and undone the change. detail is taken, may be NULL.
 */
int write_begin(struct api_call *call);
int write_commit(struct api_call *call, const char *kind, const char *object_kind, const char *object_id,
	json_t *detail);
/* Undoes it and answers with err; unique rules become "exists". Returns err->code. */
int write_fail(struct api_call *call, const struct pst_err *err);
/* An event without a change of rows. */
int write_event(struct api_call *call, const char *kind, const char *object_kind, const char *object_id,
	json_t *detail);
/* False: answered with 412. */
bool write_if_match(struct api_call *call, int64_t rev);

/* Entitlements changed: those who lost a pool are logged off. */
void revoke_strays(struct api_call *call);

typedef void (*call_handler)(struct api_call *call);

/* sessions.c */
void session_login(struct api_call *call);
void session_logout(struct api_call *call);
void session_list(struct api_call *call);
void session_get(struct api_call *call);
void session_end(struct api_call *call);
json_t *session_json(struct api *api, const char *id);
/* me.c */
void me_get(struct api_call *call);
void me_patch(struct api_call *call);
void me_password(struct api_call *call);
void me_pools(struct api_call *call);
void me_connect(struct api_call *call);
void me_connect_cancel(struct api_call *call);
void me_logoff(struct api_call *call);
void me_restart(struct api_call *call);
/* pools.c, pool_write.c */
void pool_list(struct api_call *call);
void pool_get(struct api_call *call);
void pool_create(struct api_call *call);
void pool_patch(struct api_call *call);
void pool_delete(struct api_call *call);
void pool_drain(struct api_call *call);
void pool_maintenance(struct api_call *call);
json_t *pool_json(struct api *api, const char *id);
/* desktops.c */
void desktop_list(struct api_call *call);
void desktop_get(struct api_call *call);
void desktop_delete(struct api_call *call);
void desktop_restart(struct api_call *call);
void desktop_logoff(struct api_call *call);
void desktop_refresh(struct api_call *call);
void desktop_drain(struct api_call *call);
void desktop_message(struct api_call *call);
json_t *desktop_json(struct api *api, const char *id);
/* images.c */
void image_list(struct api_call *call);
void image_get(struct api_call *call);
void image_create(struct api_call *call);
void image_patch(struct api_call *call);
void image_delete(struct api_call *call);
void image_version_add(struct api_call *call);
void image_publish(struct api_call *call);
json_t *image_json(struct api *api, const char *id);
/* providers.c */
void provider_list(struct api_call *call);
void provider_get(struct api_call *call);
void provider_create(struct api_call *call);
void provider_patch(struct api_call *call);
void provider_delete(struct api_call *call);
void provider_reap(struct api_call *call);
json_t *provider_json(struct api *api, const char *id);
/* users.c, tokens.c */
void user_list(struct api_call *call);
void user_get(struct api_call *call);
void user_create(struct api_call *call);
void user_patch(struct api_call *call);
void user_delete(struct api_call *call);
void user_password(struct api_call *call);
void user_revoke(struct api_call *call);
void revoke_all(struct api_call *call);
void token_list(struct api_call *call);
void token_create(struct api_call *call);
void token_delete(struct api_call *call);
json_t *user_json(struct api *api, const char *id);
/* groups.c */
void group_list(struct api_call *call);
void group_get(struct api_call *call);
void group_create(struct api_call *call);
void group_patch(struct api_call *call);
void group_delete(struct api_call *call);
void group_member_put(struct api_call *call);
void group_member_delete(struct api_call *call);
json_t *group_json(struct api *api, const char *id);
/* entitlements.c */
void entitlement_list(struct api_call *call);
void entitlement_create(struct api_call *call);
void entitlement_delete(struct api_call *call);
json_t *entitlement_json(struct api *api, const char *id);
/* events.c, stream.c, status.c, explain.c, openapi.c */
void event_list(struct api_call *call);
void event_verify(struct api_call *call);
void event_stream(struct api_call *call);
json_t *event_json(const struct audit_row *row);
void status_get(struct api_call *call);
void explain_get(struct api_call *call);
void openapi_get(struct api_call *call);
