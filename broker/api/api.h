/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The HTTP API: calls come as the gate's control messages and leave as answers; what changes
 * is told to the live streams. Loop thread only.
 */
#pragma once

#include "base/ctl.h"
#include "broker/api/call.h"

#include <uv.h>

struct auth;
struct db;
struct datastores;
struct image_jobs;
struct personal_removals;
struct backup_jobs;
struct reconciler;

struct api_settings {
	char public_host[256];  /* for RDP and VNC in the portal; "": the host of the request */
	int rdp_port, vnc_port; /* 0: not offered */
	char hosts[1024];       /* allowed Host names, comma separated; "*" is any */
};

/* Who opens a machine's console, and as whom he is shown. That he may is checked. */
struct api_console {
	const char *desktop, *user_id, *user_name, *name;
	bool can_input;
};

/* What the API asks of the control connections. */
struct api_links {
	bool (*provisioner_is_connected)(void *arg);
	/* As ask in broker/storage/ops.h. */
	bool (*provisioner_ask)(void *arg, json_t *msg, pst_ctl_done_cb done, void *done_arg);
	/* [{name, connected, sessions}], returns owned */
	json_t *(*gateways)(void *arg);
	void (*revoke_all)(void *arg);
	/* Guests of a session: [{id, user, name, can_input, since}], returns owned. */
	json_t *(*guests)(void *arg, const char *session);
	/* False: there is none such. */
	bool (*end_guest)(void *arg, const char *session, const char *guest);
	void (*end_guests_of)(void *arg, const char *user_id);
	/* A ticket of 43 characters for a machine's console: once, 60 s. */
	int (*console_ticket)(void *arg, const struct api_console *req, char ret_ticket[44], struct pst_err *err);
	/* Who looks at it: [{id, user, name, can_input, since}], returns owned. */
	json_t *(*consoles)(void *arg, const char *desktop);
	/* False: there is none such. */
	bool (*end_console)(void *arg, const char *desktop, const char *console);
	/* Those without input, at sessions of this pool. */
	void (*end_watchers)(void *arg, const char *pool_id);
};

struct api_params {
	uv_loop_t *loop;
	struct db *db;           /* borrowed, as everything here */
	struct auth *auth;
	struct reconciler *reconciler;
	const struct api_settings *settings;
	const struct api_links *links;
	void *links_arg;
	struct datastores *datastores;
	struct image_jobs *image_jobs;
	struct personal_removals *removals;
	struct backup_jobs *backup_jobs;
};

/* Returns owned; NULL on no memory. */
struct api *api_create(const struct api_params *p);
void api_destroy(struct api *api);

/*
 * msg is the control message "api" (borrowed). The answer comes by out->finish, maybe before
 * this returns. Returns the call when it goes on (borrowed until finish), else NULL.
 */
struct api_call *api_handle(struct api *api, const json_t *msg, const struct call_out *out, void *arg);

/* A call of the set-up itself, with an admin's rights and no person: the same checks of its body,
 * the same audit. body (borrowed) may be NULL. */
struct api_call *api_handle_system(struct api *api, const char *method, const char *path, const json_t *body,
	const struct call_out *out, void *arg);

/* The client left: nothing more comes for this call. */
void api_cancel(struct api_call *call);

/* Told by the shell, also from inside a transaction: an object changed (kind as in the
 * stream), events were written. Readers learn of it a little later, from what was committed. */
void api_changed(struct api *api, const char *kind, const char *id);
void api_audited(struct api *api);
