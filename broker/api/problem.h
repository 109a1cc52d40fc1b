/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of everything that can go wrong in a call, in both languages. */
#pragma once

#include <jansson.h>

#define DETAIL_MAX 1300

struct problem {
	const char *code;
	int status;
	const char *en, *es;
};

/* Never NULL: an unknown code is "internal". */
const struct problem *problem_find(const char *code);

/* An application/problem+json object; detail, field and instance may be NULL. Returns owned. */
json_t *problem_body(const struct problem *p, const char *detail, const char *field, const char *instance,
	int retry_after);

/* The code that stands for an error number of base/err.h. */
const char *problem_code_of(int pst_code);
