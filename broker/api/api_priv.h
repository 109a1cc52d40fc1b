/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of this folder share: the API object, the handlers, writing with an audit. */
#pragma once

#include "broker/api/api.h"
#include "broker/api/call.h"
#include "broker/auth/auth.h"

struct db_users;
struct image_row;
struct hub;
struct version_row;
struct audit_row;

struct api {
	uv_loop_t *loop;
	struct db *db;
	struct auth *auth;
	struct reconciler *rec;
	const struct api_settings *settings;
	const struct api_links *links;
	void *links_arg;
	struct datastores *datastores;
	struct image_jobs *image_jobs;
	struct personal_removals *removals;
	struct backup_jobs *backup_jobs;
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
/* False: pools or desktops still need it; rolled back, and answered with their names. */
bool write_is_free(struct api_call *call, const struct db_users *users);
/* An event without a change of rows. */
int write_event(struct api_call *call, const char *kind, const char *object_kind, const char *object_id, json_t *detail);
/* False: answered with 412. */
bool write_if_match(struct api_call *call, int64_t rev);

/* Entitlements changed: those who lost a pool are logged off. */
void revoke_strays(struct api_call *call);

typedef void (*call_handler)(struct api_call *call);

/* sessions.c */
void api_session_login(struct api_call *call);
void api_session_logout(struct api_call *call);
void api_session_list(struct api_call *call);
void api_session_get(struct api_call *call);
void api_session_end(struct api_call *call);
json_t *api_session_json(struct api *api, const char *id);
/* watch.c */
void api_session_watch(struct api_call *call);
void api_session_guest_end(struct api_call *call);
/* The answer to connect for one more view of the caller's own session in this pool. */
void api_me_view(struct api_call *call, const char *pool_id);
/* me.c */
void api_me_get(struct api_call *call);
void api_me_patch(struct api_call *call);
void api_me_password(struct api_call *call);
void api_me_pools(struct api_call *call);
void api_me_connect(struct api_call *call);
void api_me_connect_cancel(struct api_call *call);
void api_me_logoff(struct api_call *call);
void api_me_restart(struct api_call *call);
void api_me_snapshots(struct api_call *call);
void api_me_snapshot_take(struct api_call *call);
void api_me_snapshot_revert(struct api_call *call);
void api_me_snapshot_drop(struct api_call *call);
/* pools.c, pool_write.c */
void api_pool_list(struct api_call *call);
void api_pool_get(struct api_call *call);
void api_pool_create(struct api_call *call);
void api_pool_patch(struct api_call *call);
void api_pool_delete(struct api_call *call);
void api_pool_drain(struct api_call *call);
void api_pool_maintenance(struct api_call *call);
json_t *api_pool_json(struct api *api, const char *id);
/* desktops.c */
void api_desktop_list(struct api_call *call);
void api_desktop_get(struct api_call *call);
void api_desktop_delete(struct api_call *call);
void api_desktop_restart(struct api_call *call);
void api_desktop_logoff(struct api_call *call);
void api_desktop_refresh(struct api_call *call);
void api_desktop_drain(struct api_call *call);
void api_desktop_message(struct api_call *call);
void api_desktop_power(struct api_call *call);
void api_desktop_resize(struct api_call *call);
void api_desktop_migrate(struct api_call *call);
void api_desktop_snapshots(struct api_call *call);
void api_desktop_snapshot_take(struct api_call *call);
void api_desktop_snapshot_revert(struct api_call *call);
void api_desktop_snapshot_drop(struct api_call *call);
json_t *api_desktop_json(struct api *api, const char *id);
/* consoles.c */
void api_desktop_console(struct api_call *call);
void api_desktop_console_end(struct api_call *call);
/* images.c */
void api_image_list(struct api_call *call);
void api_image_get(struct api_call *call);
void api_image_create(struct api_call *call);
void api_image_patch(struct api_call *call);
void api_image_delete(struct api_call *call);
void api_image_version_add(struct api_call *call);
/* The image that the path names; negative: answered. */
int image_find(struct api_call *call, struct image_row *ret);
/* rollouts.c */
void api_image_publish(struct api_call *call);
void api_rollout_get(struct api_call *call);
void api_rollout_act(struct api_call *call);
void api_version_retire(struct api_call *call);
void api_version_remove(struct api_call *call);
json_t *api_rollout_json(struct api *api, const char *image_id); /* null: there was none */
json_t *api_image_json(struct api *api, const char *id);
/* image_files.c: POST versions with "import" or "capture": answered. */
void api_version_make(struct api_call *call, const struct image_row *i);
/* What its job and its files say, into a version's object. */
void api_version_files_json(struct api *api, const struct version_row *v, json_t *o);
/* False: versions have files, and it is answered. Inside a transaction, which is then rolled back. */
bool api_image_has_no_files(struct api_call *call, const char *image_id);
void api_version_cancel(struct api_call *call);
void api_version_copy(struct api_call *call), api_version_copy_remove(struct api_call *call);
/* Begins the removal of a version's files, and answers; false, without an answer, when it has none. */
bool api_version_files_remove(struct api_call *call, const struct image_row *i, struct version_row *v);
/* recycled.c */
void api_recycled_list(struct api_call *call);
void api_recycled_restore(struct api_call *call);
void api_recycled_disk_restore(struct api_call *call);
void api_recycled_delete(struct api_call *call);
/* datastores.c */
void api_datastore_list(struct api_call *call);
void api_datastore_get(struct api_call *call);
void api_datastore_patch(struct api_call *call);
void api_datastore_delete(struct api_call *call);
json_t *api_datastore_json(struct api *api, const char *id);
/* providers.c */
void api_provider_list(struct api_call *call);
void api_provider_get(struct api_call *call);
void api_provider_create(struct api_call *call);
void api_provider_patch(struct api_call *call);
void api_provider_delete(struct api_call *call);
void api_provider_reap(struct api_call *call);
json_t *api_provider_json(struct api *api, const char *id);
/* hosts.c */
void api_host_list(struct api_call *call);
void api_host_get(struct api_call *call);
void api_host_maintenance(struct api_call *call);
void api_network_list(struct api_call *call);
/* users.c, tokens.c */
void api_user_list(struct api_call *call);
void api_user_get(struct api_call *call);
void api_user_create(struct api_call *call);
void api_user_patch(struct api_call *call);
void api_user_delete(struct api_call *call);
void api_user_password(struct api_call *call);
void api_user_unlock(struct api_call *call);
void api_user_revoke(struct api_call *call);
void api_revoke_all(struct api_call *call);
void api_token_list(struct api_call *call);
void api_token_create(struct api_call *call);
void api_token_delete(struct api_call *call);
json_t *api_user_json(struct api *api, const char *id);
/* groups.c */
void api_group_list(struct api_call *call);
void api_group_get(struct api_call *call);
void api_group_create(struct api_call *call);
void api_group_patch(struct api_call *call);
void api_group_delete(struct api_call *call);
void api_group_member_put(struct api_call *call);
void api_group_member_delete(struct api_call *call);
json_t *api_group_json(struct api *api, const char *id);
/* entitlements.c */
void api_entitlement_list(struct api_call *call);
void api_entitlement_create(struct api_call *call);
void api_entitlement_delete(struct api_call *call);
json_t *api_entitlement_json(struct api *api, const char *id);
/* events.c, stream.c, status.c, explain.c, openapi.c */
void api_event_list(struct api_call *call);
void api_event_verify(struct api_call *call);
void api_event_stream(struct api_call *call);
json_t *api_event_json(const struct audit_row *row);
void api_status_get(struct api_call *call);
void api_explain_get(struct api_call *call);
void api_openapi_get(struct api_call *call);
