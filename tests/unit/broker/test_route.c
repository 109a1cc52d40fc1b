/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses, queries, fields, pages and problems: the pure parts of the API.
 * Covers: broker/api/query.c broker/api/fields.c broker/api/page.c broker/api/problem.c
 */
#include "broker/api/route.h"

#include "base/mem.h"
#include "broker/api/fields.h"
#include "broker/api/page.h"
#include "broker/api/problem.h"
#include "broker/api/query.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const struct route *find(enum method m, const char *path, const char **params, const char **allow)
{
	static char text[CALL_PATH_MAX];

	snprintf(text, sizeof(text), "%s", path);
	return route_find(m, text, params, allow);
}

Test(route, paths_fit_their_handlers_and_methods)
{
	const char *params[CALL_PARAMS_MAX], *allow;
	const struct route *r = find(METHOD_PUT, "groups/team%20x/members/%C3%B1", params, &allow);

	cr_assert(r);
	cr_expect_eq(r->handle, api_group_member_put);
	cr_expect_str_eq(params[0], "team x");
	cr_expect_str_eq(params[1], "ñ");
	cr_expect_eq(find(METHOD_GET, "events/stream", params, &allow)->handle, api_event_stream);
	cr_expect_null(find(METHOD_PUT, "pools", params, &allow));
	cr_expect_str_eq(allow, "GET, POST");
	static const char *const none[] = {"", "/", "pools/", "pools//", "pools/a/b/c/d/e/f/g", "pool", "groups/%2f", "groups/%zz",
		"groups/%", "groups/a%00"};
	for (size_t i = 0; i < PST_ARRAY_LEN(none); i++) {
		const struct route *bad = find(METHOD_GET, none[i], params, &allow);

		cr_expect(!bad || strcmp(none[i], "pools/") == 0, "%s", none[i]);
	}
}

Test(route, nothing_is_open_but_log_in_and_the_description)
{
	size_t count, open = 0;
	const struct route *table = route_table(&count);

	for (size_t i = 0; i < count; i++) {
		open += table[i].role == ROLE_OPEN;
		cr_expect(table[i].role == ROLE_ADMIN || strncmp(table[i].path, "me", 2) == 0 || table[i].role == ROLE_OPEN ||
				strcmp(table[i].path, "sessions/current") == 0, "%s", table[i].path);
	}
	cr_expect_eq(open, 2);
}

Test(query, pairs_are_decoded_and_bounded)
{
	struct call_pair pairs[CALL_PAIRS_MAX];
	char good[] = "a=b+c&d=%C3%B1&e", bad[] = "a=%00", cut[] = "a=%C3", many[] = "a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a";
	size_t n;

	cr_assert_eq(query_parse(good, pairs, &n), 0);
	cr_assert_eq(n, 3);
	cr_expect_str_eq(pairs[0].value, "b c");
	cr_expect_str_eq(pairs[1].value, "ñ");
	cr_expect_str_eq(pairs[2].value, "");
	cr_expect_eq(query_parse(bad, pairs, &n), PST_EINVAL);
	cr_expect_eq(query_parse(cut, pairs, &n), PST_EINVAL);
	cr_expect_eq(query_parse(many, pairs, &n), PST_ELIMIT);
}

struct sample {
	char name[65], word[8];
	int number;
	bool flag;
};

static const char *const words[] = {"one", "two", NULL};
static const struct field sample_fields[] = {
	{.name = "name", .kind = FIELD_NAME, .required = true, FIELD(struct sample, name)},
	{.name = "word", .kind = FIELD_WORD, FIELD(struct sample, word), .words = words},
	{.name = "number", .kind = FIELD_INT, FIELD(struct sample, number), .min = 1, .max = 5},
	{.name = "flag", .kind = FIELD_BOOL, FIELD(struct sample, flag)},
};

Test(fields, a_body_is_read_strictly_and_the_answer_names_the_field)
{
	static const struct {
		const char *json, *field; /* NULL: it is good */
	} cases[] = {
		{"{\"name\":\"a\",\"number\":5,\"flag\":true,\"word\":\"two\"}", NULL}, {"{}", "name"}, {"{\"name\":7}", "name"},
		{"{\"name\":\"a\",\"number\":0}", "number"}, {"{\"name\":\"a\",\"number\":1.5}", "number"},
		{"{\"name\":\"a\",\"number\":99999999999}", "number"}, {"{\"name\":\"a\",\"flag\":1}", "flag"},
		{"{\"name\":\"a\",\"word\":\"three\"}", "word"}, {"{\"name\":\"a\",\"more\":1}", "more"}, {"{\"name\":null}", "name"},
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct api_call *call = pst_zalloc(1, sizeof(*call));
		struct sample s = {.number = 0};
		json_t *o = json_loads(cases[i].json, 0, NULL);
		int rc = fields_read(call, o, "", sample_fields, PST_ARRAY_LEN(sample_fields), &s, NULL);

		cr_expect_eq(rc == 0, cases[i].field == NULL, "case %zu", i);
		if (cases[i].field) {
			cr_expect_eq(call->status, 422);
			cr_expect_str_eq(json_string_value(json_object_get(call->reply, "field")), cases[i].field);
		}
		json_decref(o);
		json_decref(call->reply);
		free(call);
	}
}

Test(page, a_page_ends_with_a_cursor_that_begins_the_next)
{
	struct api_call *call = pst_zalloc(1, sizeof(*call));
	char limit[] = "limit", two[] = "2", cursor[] = "cursor";
	struct page p;

	call->query[0] = (struct call_pair){limit, two};
	call->query_count = 1;
	cr_assert_eq(page_begin(call, &p), 0);
	page_add(&p, "a", json_integer(1));
	page_add(&p, "ñ", json_integer(2));
	page_add(&p, "z", json_integer(3));
	page_answer(call, &p);
	char *next = strdup(json_string_value(json_object_get(call->reply, "next")));
	call->query[1] = (struct call_pair){cursor, next};
	call->query_count = 2;
	cr_assert_eq(page_begin(call, &p), 0);
	cr_expect_str_eq(p.after, "ñ");
	page_drop(&p);
	free(next);
	json_decref(call->reply);
	free(call);
}

Test(problem, every_code_has_a_status_and_both_languages)
{
	json_t *body = problem_body(problem_find("wait"), "wait 3 s", NULL, "/x", 3);

	cr_expect_eq(json_integer_value(json_object_get(body, "status")), 429);
	cr_expect_eq(json_integer_value(json_object_get(body, "retry_after")), 3);
	cr_expect_str_neq(json_string_value(json_object_get(body, "title")), json_string_value(json_object_get(body, "title_es")));
	json_decref(body);
	cr_expect_str_eq(problem_find("no such code")->code, "internal");
	for (int code = PST_ENOSPC; code < 0; code++)
		cr_expect_str_eq(problem_find(problem_code_of(code))->code, problem_code_of(code));
}
