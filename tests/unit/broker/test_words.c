/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sentences found again in the other language.
 * Covers: broker/core/phrase.c broker/api/problem.c
 */
#include "broker/api/words.h"

#include "base/mem.h"
#include "broker/api/problem.h"
#include "broker/core/phrase.h"

#include <criterion/criterion.h>
#include <string.h>

Test(words, what_a_phrase_was_filled_with_is_found_again)
{
	static const struct {
		const char *from, *to, *text, *want; /* want NULL: another sentence */
	} cases[] = {
		{"all well", "todo bien", "all well", "todo bien"},
		{"all well", "todo bien", "all well.", NULL},
		{"all well", "todo bien", "all", NULL},
		{"{0} of {1} left", "quedan {0} de {1}", "3 of 10 left", "quedan 3 de 10"},
		{"{0} of {1} left", "quedan {0} de {1}", "3 of 10", NULL},
		{"no '{0}' here", "aquí no hay '{0}'", "no 'it's' here", "aquí no hay 'it's'"},
		{"no '{0}'", "sin '{0}'", "no 'a' or 'b'", "sin 'a' or 'b'"},
		{"{0}", "<{0}>", "", "<>"},
		{"wait {0} s", "espere {0} s", "wait  s", "espere  s"},
		{"wait {0} s", "espere {0} s", "wait s", NULL},
	};
	char got[64];

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		bool ok = phrase_translate(cases[i].from, cases[i].to, cases[i].text, got, sizeof(got));

		cr_expect_eq(ok, cases[i].want != NULL, "%s", cases[i].text);
		if (ok && cases[i].want)
			cr_expect_str_eq(got, cases[i].want);
	}
}

Test(words, a_detail_keeps_the_name_of_its_field)
{
	char es[128];

	cr_assert(words_spanish("name: it is missing", "name", es, sizeof(es)));
	cr_expect_str_eq(es, "name: falta");
	cr_assert(words_spanish("pools: lab; desktops: lab-1, lab-2", NULL, es, sizeof(es)));
	cr_expect_str_eq(es, "grupos: lab; escritorios: lab-1, lab-2");
	cr_assert(words_spanish("The desktop is busy (restart); try again when it is done.", NULL, es, sizeof(es)));
	cr_expect_str_eq(es, "El escritorio está ocupado (restart); inténtelo cuando termine.");
	cr_expect_not(words_spanish("line 1: '}' expected", NULL, es, sizeof(es)));
}

Test(words, a_problem_has_both_languages_and_survives_a_long_detail)
{
	char detail[DETAIL_MAX] = "there is no pool '";
	json_t *o;

	memset(detail + strlen(detail), 'x', sizeof(detail) - 20 - 2);
	strcpy(detail + sizeof(detail) - 3, "'");
	o = problem_body(problem_find("not_found"), detail, NULL, "/p", 0);
	cr_expect_str_eq(json_string_value(json_object_get(o, "code")), "not_found");
	cr_expect_str_eq(json_string_value(json_object_get(o, "detail")), detail);
	json_decref(o);
	o = problem_body(problem_find("in_use"), "pools: ñu", NULL, "/p", 0);
	cr_expect_str_eq(json_string_value(json_object_get(o, "detail_es")), "grupos: ñu");
	cr_expect_str_eq(json_string_value(json_object_get(o, "title_es")), problem_find("in_use")->es);
	json_decref(o);
}
