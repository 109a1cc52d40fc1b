/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What users.c and passwords.c share. */
#pragma once

#include "broker/api/api_priv.h"

/* By id or name; 0, or the call is answered. */
int user_find(struct api_call *call, const char *id, struct user_row *ret);

/*
 * Makes a hash and calls done(result, call) with a copy of u in call->state, which done frees
 * (free_state of the file) before call_finish. When the pool is busy the call is answered.
 */
void user_hash_then(struct api_call *call, const struct user_row *u, const char *password, hasher_done_cb done);
