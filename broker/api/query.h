/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The query of a URL. Pure. */
#pragma once

#include "broker/api/call.h"

/* Cuts text in place; names and values point into it. PST_EINVAL, PST_ELIMIT. */
int query_parse(char *text, struct call_pair pairs[CALL_PAIRS_MAX], size_t *ret_count);
