/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What pools.c and pool_write.c share. */
#pragma once

#include "broker/api/api_priv.h"
#include "db/pool.h"

/* 0, or the call is answered. */
int pool_find(struct api_call *call, const char *id, struct pool_row *ret);
json_t *pool_row_json(struct api *api, const struct pool_row *p);
void pool_answer(struct api_call *call, int status, const char *id);
