/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What desktops.c shares with me.c and status.c. */
#pragma once

#include "broker/api/api_priv.h"

struct core_actor;
struct core_desktop;
struct reconciler;

json_t *desktop_state_json(struct api *api, const struct core_desktop *d);
/* Adds "task", which goes on, and "last_task", where there are such. */
void desktop_tasks_json(const struct core_desktop *d, json_t *o);
/* By id, else by name; NULL: the call is answered. */
const struct core_desktop *desktop_find(struct api_call *call, const char *id_or_name);

/* The caller's own, of the call's first parameter; NULL: the call is answered. */
const struct core_desktop *desktop_mine(struct api_call *call);

typedef int (*desktop_action)(struct reconciler *r, const char *desktop, const struct core_actor *by,
	struct pst_err *err);

/* Does it and answers 202 with the desktop. */
void desktop_act(struct api_call *call, const char *id, desktop_action act);

/* backups.c */
void api_backup_list(struct api_call *call);
void api_backup_get(struct api_call *call);
void api_backup_restore(struct api_call *call);
void api_backup_delete(struct api_call *call);
void api_backup_cancel(struct api_call *call);
void api_desktop_backups(struct api_call *call);
void api_desktop_backup(struct api_call *call);
