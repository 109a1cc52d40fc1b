/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every reason has a Spanish sentence. */
#include <criterion/criterion.h>
#include <string.h>

#include "protocol/worker_priv.h"

Test(worker_words, test_known_sentences_are_translated_and_others_explained_by_their_code)
{
	cr_assert_not_null(strstr(words_spanish(PST_EDENIED, "moved to another client"), "otro cliente"));
	cr_assert_not_null(strstr(words_spanish(PST_EAUTH, "Wrong name or password."), "contraseña"));
	for (int code = 0; code >= PST_EINTERNAL; code--)
		cr_assert_gt(strlen(words_spanish(code, NULL)), 10);
}
