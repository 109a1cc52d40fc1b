/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pages of a list: a limit, a cursor that is the last key as text, and the common JSON forms. */
#pragma once

#include "broker/api/call.h"

#define PAGE_LIMIT_MAX 200
#define PAGE_KEY_SIZE 300

struct page {
	int limit;
	char after[PAGE_KEY_SIZE]; /* "" at the start */
	json_t *items;             /* owned until page_answer */
	char last[PAGE_KEY_SIZE];
	bool more;
};

/* Reads ?limit= and ?cursor=. 0, or the call is answered. Ask the database for limit + 1. */
int page_begin(struct api_call *call, struct page *p);
/* item is taken; those beyond the limit only set `more`. */
void page_add(struct page *p, const char *key, json_t *item);
void page_answer(struct api_call *call, struct page *p);
void page_drop(struct page *p);

/* {"id", "name"}, or null when id is "". */
json_t *json_ref(const char *id, const char *name);
/* RFC 3339, or null for 0. */
json_t *json_time(int64_t wall_ms);
json_t *json_reason(const char *code, const char *en, const char *es);
/* A string, or null when "". */
json_t *json_text_or_null(const char *text);
