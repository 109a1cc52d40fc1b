/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of addresses: which method and path belongs to which handler and role. */
#pragma once

#include "broker/api/api_priv.h"

enum role { ROLE_OPEN, ROLE_USER, ROLE_ADMIN };

struct route {
	enum method method;
	const char *path; /* under /api/v1; "*" stands for one segment */
	enum role role;
	call_handler handle;
	size_t body_max; /* 0: no body is read */
};

/* NULL: there is none; *ret_allow is then a list for the Allow header, or NULL when no method
 * fits this path. Cuts path in place: ret_params point into it. */
const struct route *route_find(enum method method, char *path, const char *ret_params[CALL_PARAMS_MAX],
	const char **ret_allow);

/* For the tests: the whole table. */
const struct route *route_table(size_t *ret_count);
