/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What hosts say. */
#include "broker/hypervisor/ssh/answer.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct answer parse(const char *text)
{
	struct pst_err err = PST_ERR_INIT;
	struct answer a;

	cr_assert_eq(answer_parse(text, strlen(text), &a, &err), 0, "%s", err.text);
	return a;
}

Test(answer, has_records_machines_and_an_end)
{
	struct answer a = parse("hello\n@records\n{1}\n\n{2}\n@machines\nb stopped\n  a\tRUNNING 10.0.0.7,10.0.0.8 more\nc installed -\nd odd fe80::1\ne\n\n@end 0 done\n");

	cr_assert_eq(a.records_n, 2);
	cr_assert_eq(a.records[1].len, 3);
	cr_assert_eq(a.machines_n, 5);
	cr_assert_eq(answer_find(&a, "a")->state, ANSWER_RUNNING);
	cr_assert_str_eq(answer_find(&a, "a")->address, "10.0.0.7");
	cr_assert_eq(answer_find(&a, "c")->state, ANSWER_STOPPED);
	cr_assert_str_eq(answer_find(&a, "c")->address, "");
	cr_assert_str_eq(answer_find(&a, "d")->word, "odd");
	cr_assert_str_eq(answer_find(&a, "d")->address, "fe80::1");
	cr_assert_eq(answer_find(&a, "e")->state, ANSWER_OTHER);
	cr_assert_null(answer_find(&a, "f"));
	cr_assert(a.has_end);
	cr_assert_str_eq(a.step, "done");
	answer_finish(&a);
	answer_finish(&a);
}

Test(answer, without_an_end_is_cut_and_a_second_look_at_records_counts)
{
	struct answer a = parse("@records\n{1}\n@records\n{1}\n{2}\n@machines\na running");

	cr_assert(!a.has_end);
	cr_assert_eq(a.records_n, 2);
	cr_assert_eq(a.machines_n, 1);
	answer_finish(&a);
	a = parse("@end x y\n@end 999 y\n@ending 0\n");
	cr_assert(!a.has_end);
	answer_finish(&a);
	a = parse("");
	cr_assert_null(answer_find(&a, "a"));
	answer_finish(&a);
}

Test(answer, odd_bytes_and_long_words_are_kept_in_bounds)
{
	char text[512] = "@machines\n";
	struct answer a;

	memset(text + strlen(text), 'x', 300);
	strcat(text, " running 1.2.3.4\na\x01\xff running\n");
	a = parse(text);
	cr_assert_eq(a.machines_n, 2);
	cr_assert_eq(strlen(a.machines[1].name), sizeof(a.machines[1].name) - 1);
	cr_assert_not_null(answer_find(&a, "a??"));
	answer_finish(&a);
}

Test(answer, too_many_lines_are_refused)
{
	struct pst_err err = PST_ERR_INIT;
	char *text = malloc(ANSWER_LINES_MAX + 1);
	struct answer a;

	memset(text, '\n', ANSWER_LINES_MAX + 1);
	cr_assert_eq(answer_parse(text, ANSWER_LINES_MAX + 1, &a, &err), PST_ELIMIT);
	answer_finish(&a);
	free(text);
}
