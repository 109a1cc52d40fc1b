/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON from outside: refused early, read strictly, fields named. */
#include "base/json.h"

#include "base/mem.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(json, refuses_what_is_not_strict)
{
	static const struct {
		const char *text;
		int code; /* 0: fine */
	} cases[] = {
		{ "{}", 0 }, { " [1] ", 0 }, { "{\"a\":{\"b\":[]}}", 0 }, { "[[[[]]]]", PST_ELIMIT },
		{ "[\"[[[[[\\\"[[[\"]", 0 }, { "", PST_EINVAL }, { "1", PST_EINVAL }, { "\"x\"", PST_EINVAL },
		{ "{\"a\":1,\"a\":2}", PST_EINVAL }, { "{} x", PST_EINVAL }, { "{}{}", PST_EINVAL },
		{ "{\"a\":\"\xff\"}", PST_EINVAL }, { "{\"a\":\"\xed\xa0\x80\"}", PST_EINVAL },
		{ "{\"a\":\"\\ud800\"}", PST_EINVAL }, { "{\"a\":\"\\u0000\"}", PST_EINVAL }, { "{\"a\":NaN}", PST_EINVAL },
		{ "{\"a\":1e999}", PST_EINVAL }, { "{\"a\":99999999999999999999}", PST_EINVAL }, { "{'a':1}", PST_EINVAL },
		{ "{\"a\":1,}", PST_EINVAL }, { "[", PST_EINVAL }, { "[\"", PST_EINVAL }, { "]", PST_EINVAL },
		{ "{\"a\":\"\n\"}", PST_EINVAL },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct pst_err err = PST_ERR_INIT;
		json_t *v = pst_json_parse(cases[i].text, strlen(cases[i].text), 3, &err);

		cr_assert_eq(v ? 0 : err.code, cases[i].code, "%s: %s", cases[i].text, err.text);
		json_decref(v);
	}
	cr_assert_null(pst_json_parse("{\"a\0\":1}", 8, 3, NULL));
}

Test(json, deep_nesting_is_refused_without_recursion)
{
	size_t n = 1000000;
	char *text = malloc(n);
	struct pst_err err;

	memset(text, '[', n);
	cr_assert_null(pst_json_parse(text, n, PST_JSON_DEPTH, &err));
	cr_assert_eq(err.code, PST_ELIMIT);
	free(text);
}

Test(json, readers_name_the_field)
{
	static const char text[] =
		"{\"s\":\"abc\",\"i\":5,\"b\":true,\"o\":{},\"a\":[1,2],\"n\":null,\"f\":1.5}";
	json_t *o = pst_json_parse(text, sizeof(text) - 1, 8, NULL);
	struct pst_err err;
	const char *s;
	int64_t i;
	json_t *v;
	bool b;

	cr_assert_not_null(o);
	cr_assert(pst_json_need_str(o, "s", 3, &s, &err) == 0 && strcmp(s, "abc") == 0);
	cr_assert_eq(pst_json_need_str(o, "s", 2, &s, &err), PST_EINVAL);
	cr_assert_str_eq(err.text, "s: is longer than 2 bytes");
	cr_assert_eq(pst_json_need_str(o, "i", 9, &s, &err), PST_EINVAL);
	cr_assert_str_eq(err.text, "i: must be a string");
	cr_assert_eq(pst_json_need_str(o, "n", 9, &s, &err), PST_EINVAL);
	cr_assert_str_eq(err.text, "n: is missing");
	cr_assert(pst_json_need_int(o, "i", 0, 5, &i, &err) == 0 && i == 5);
	cr_assert_eq(pst_json_need_int(o, "i", 0, 4, &i, &err), PST_EINVAL);
	cr_assert_str_eq(err.text, "i: must be between 0 and 4");
	cr_assert_eq(pst_json_need_int(o, "f", 0, 4, &i, &err), PST_EINVAL);
	cr_assert(pst_json_need_bool(o, "b", &b, &err) == 0 && b);
	cr_assert_eq(pst_json_need_bool(o, "i", &b, &err), PST_EINVAL);
	cr_assert_eq(pst_json_need_bool(o, "zz", &b, &err), PST_EINVAL);
	cr_assert_eq(pst_json_need_obj(o, "o", &v, &err), 0);
	cr_assert_eq(pst_json_need_obj(o, "a", &v, &err), PST_EINVAL);
	cr_assert_eq(pst_json_need_obj(o, "zz", &v, &err), PST_EINVAL);
	cr_assert_eq(pst_json_need_arr(o, "a", 2, &v, &err), 0);
	cr_assert_eq(pst_json_need_arr(o, "a", 1, &v, &err), PST_EINVAL);
	cr_assert_eq(pst_json_need_arr(o, "o", 1, &v, &err), PST_EINVAL);
	cr_assert_eq(pst_json_need_arr(o, "zz", 1, &v, &err), PST_EINVAL);
	json_decref(o);
}

Test(json, optional_and_lenient_readers)
{
	static const char *const known[] = { "s", "i", "n", NULL };
	static const char text_in[] = "{\"s\":\"abc\",\"i\":5,\"n\":null,\"b\":true}";
	json_t *o = pst_json_parse(text_in, sizeof(text_in) - 1, 8, NULL);
	struct pst_err err;
	const char *s;
	int64_t i;
	bool b;

	cr_assert_not_null(o);
	cr_assert(pst_json_opt_str(o, "n", 9, "dflt", &s, &err) == 0 && strcmp(s, "dflt") == 0);
	cr_assert_eq(pst_json_opt_str(o, "i", 9, "dflt", &s, &err), PST_EINVAL);
	cr_assert(pst_json_opt_int(o, "zz", 0, 9, -1, &i, &err) == 0 && i == -1);
	cr_assert(pst_json_opt_int(o, "i", 0, 9, -1, &i, &err) == 0 && i == 5);
	cr_assert(pst_json_opt_bool(o, "zz", true, &b, &err) == 0 && b);
	cr_assert_eq(pst_json_opt_bool(o, "s", true, &b, &err), PST_EINVAL);
	cr_assert_str_eq(pst_json_str(o, "s", 3), "abc");
	cr_assert_null(pst_json_str(o, "s", 2));
	cr_assert_null(pst_json_str(o, "i", 9));
	cr_assert_eq(pst_json_int(o, "i", 0, 4, 77), 77);
	cr_assert(pst_json_bool(o, "b", false) && pst_json_bool(o, "s", true));
	cr_assert_eq(pst_json_only(o, known, &err), PST_EINVAL);
	cr_assert_str_eq(err.text, "b: is not a known field");

	size_t len;
	char *text = pst_json_text(o, &len);
	cr_assert_eq(strlen(text), len);
	free(text);
	json_decref(o);
}
