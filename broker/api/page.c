/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pages: the cursor is base64url of the last key; a forged one is only another place to start. */
#include "broker/api/page.h"

#include "base/clock.h"
#include "base/text.h"

#include <string.h>

static int read_cursor(struct api_call *call, struct page *p)
{
	const char *cursor = call_query(call, "cursor");

	if (!*cursor)
		return 0;
	long n = pst_base64url_decode(cursor, strlen(cursor), p->after, sizeof(p->after) - 1);
	if (n < 0 || strlen(p->after) != (size_t)n || !pst_utf8_valid(p->after, (size_t)n)) {
		call_problem(call, "bad_cursor", NULL);
		return PST_EINVAL;
	}
	return 0;
}

int page_begin(struct api_call *call, struct page *p)
{
	uint32_t limit = 50;
	const char *text = call_query(call, "limit");

	memset(p, 0, sizeof(*p));
	if (*text && pst_parse_u32(text, 1, PAGE_LIMIT_MAX, &limit) < 0) {
		call_field(call, "limit", "limit: it must be a whole number from 1 to %d", PAGE_LIMIT_MAX);
		return PST_EINVAL;
	}
	p->limit = (int)limit;
	if (read_cursor(call, p) < 0)
		return PST_EINVAL;
	p->items = json_array();
	if (!p->items) {
		call_problem(call, "internal", NULL);
		return PST_ENOMEM;
	}
	return 0;
}

void page_add(struct page *p, const char *key, json_t *item)
{
	if (json_array_size(p->items) >= (size_t)p->limit) {
		p->more = true;
		json_decref(item);
		return;
	}
	pst_strlcpy(p->last, sizeof(p->last), key);
	json_array_append_new(p->items, item);
}

void page_answer(struct api_call *call, struct page *p)
{
	char cursor[PST_BASE64_LEN(PAGE_KEY_SIZE) + 1];
	json_t *next = json_null();

	if (p->more && pst_base64url_encode(p->last, strlen(p->last), cursor, sizeof(cursor)) > 0)
		next = json_string(cursor);
	call_ok(call, 200, json_pack("{s:o, s:o}", "items", p->items, "next", next));
	p->items = NULL;
}

void page_drop(struct page *p)
{
	json_decref(p->items);
	p->items = NULL;
}

json_t *json_ref(const char *id, const char *name)
{
	return *id ? json_pack("{s:s, s:s}", "id", id, "name", name) : json_null();
}

json_t *json_time(int64_t wall_ms)
{
	char text[PST_RFC3339_SIZE];

	if (wall_ms == 0)
		return json_null();
	pst_rfc3339(wall_ms, text);
	return json_string(text);
}

json_t *json_reason(const char *code, const char *en, const char *es)
{
	return json_pack("{s:s, s:s, s:s}", "code", code, "en", en, "es", es);
}

json_t *json_text_or_null(const char *text)
{
	return *text ? json_string(text) : json_null();
}
