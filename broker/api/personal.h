/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Users' own disks in the API. */
#pragma once

#include "broker/api/api_priv.h"

void api_personal_list(struct api_call *call);
void api_personal_of_user(struct api_call *call);
void api_personal_get(struct api_call *call);
void api_personal_patch(struct api_call *call);
void api_personal_delete(struct api_call *call);

/* Of a user who is being removed; within a transaction. */
int personal_remove_all(struct api *api, const char *user_id, struct pst_err *err);
