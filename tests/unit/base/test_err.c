/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Errors keep their code and grow their text. */
#include "base/err.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

Test(err, grows_a_sentence_and_keeps_the_code)
{
	struct pst_err e = PST_ERR_INIT;

	cr_assert_eq(pst_err_set(&e, PST_ENOTFOUND, "pool %s", "blue"), PST_ENOTFOUND);
	cr_assert_eq(pst_err_wrap(&e, "connect %d", 7), PST_ENOTFOUND);
	cr_assert_str_eq(e.text, "connect 7: pool blue");
	cr_assert_eq(pst_err_sys(&e, PST_EIO, ENOENT, "%s", "file"), PST_EIO);
	cr_assert_str_eq(e.text, "file: No such file or directory");
	cr_assert_eq(pst_err_set(NULL, PST_EBUSY, "x"), PST_EBUSY);
	cr_assert_eq(pst_err_sys(NULL, PST_EBUSY, EIO, "x"), PST_EBUSY);
	cr_assert_eq(pst_err_wrap(NULL, "x"), PST_EINTERNAL);
}

Test(err, hands_up_what_was_tried_apart)
{
	struct pst_err e = PST_ERR_INIT, why = PST_ERR_INIT;

	pst_err_set(&why, PST_ENOTFOUND, "pool %s", "blue");
	cr_assert_eq(pst_err_pass(&e, 0, &why), 0, "it was recovered from");
	cr_assert_eq(pst_err_pass(&e, 3, &why), 3);
	cr_assert_eq(e.code, 0);
	cr_assert_str_eq(e.text, "");
	cr_assert_eq(pst_err_pass(&e, PST_ENOTFOUND, &why), PST_ENOTFOUND);
	cr_assert_eq(e.code, PST_ENOTFOUND);
	cr_assert_str_eq(e.text, "pool blue");
	cr_assert_eq(pst_err_pass(&e, PST_EBUSY, &why), PST_EBUSY, "the result counts");
	cr_assert_eq(e.code, PST_EBUSY);
	cr_assert_eq(pst_err_pass(NULL, PST_EBUSY, &why), PST_EBUSY);
}

Test(err, cuts_what_is_too_long)
{
	struct pst_err e = PST_ERR_INIT;
	char text[2000];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	pst_err_set(&e, PST_EINVAL, "%s", text);
	cr_assert_eq(strlen(e.text), sizeof(e.text) - 1);
	pst_err_wrap(&e, "%s", text);
	cr_assert_eq(strlen(e.text), sizeof(e.text) - 1);
	pst_err_sys(&e, PST_EIO, EIO, "%s", text);
	cr_assert_eq(strlen(e.text), sizeof(e.text) - 1);
}

Test(err, every_code_has_a_word_a_phrase_and_a_status)
{
	for (int code = PST_OK; code >= PST_EINTERNAL; code--) {
		cr_assert_str_neq(pst_strerror(code), "unknown error", "%d", code);
		cr_assert_eq(pst_code_from_word(pst_code_word(code)), code);
		cr_assert_geq(pst_code_http(code), 200);
	}
	cr_assert_str_eq(pst_strerror(-999), "unknown error");
	cr_assert_str_eq(pst_code_word(-999), "internal");
	cr_assert_eq(pst_code_from_word("no such word"), PST_EINTERNAL);
	cr_assert_eq(pst_code_from_word(NULL), PST_EINTERNAL);
	cr_assert_eq(pst_code_http(-999), 500);
}

Test(err, a_programmers_mistake_aborts, .signal = SIGABRT)
{
	PRE(1 + 1 == 3);
}
