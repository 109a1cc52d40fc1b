/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Grants: what the agent will check. */
#include "broker/control/grant.h"

#include "base/hash.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(grant, the_text_is_a_signed_statement)
{
	struct grant g = {.epoch = 7, .expires = 1000, .clipboard_in = true, .max_width = 800, .max_height = 600,
		.endpoint = "{\"kind\":\"unix\",\"path\":\"/x\"}"};
	uint8_t want[32], got[32];
	char body[2048];

	strcpy(g.user_name, "ñandú");
	strcpy(g.desktop, "d");
	memset(g.key, 9, sizeof(g.key));
	char *text = grant_sign(&g);
	cr_assert(text);
	char *dot = strchr(text, '.');
	cr_assert(dot);
	pst_hmac_sha256(g.key, sizeof(g.key), text, (size_t)(dot - text), want);
	cr_assert_eq(pst_base64url_decode(dot + 1, strlen(dot + 1), got, sizeof(got)), 32);
	cr_expect_arr_eq(want, got, 32);
	long n = pst_base64url_decode(text, (size_t)(dot - text), body, sizeof(body) - 1);
	cr_assert_gt(n, 0);
	json_t *o = json_loadb(body, (size_t)n, 0, NULL);
	cr_expect_str_eq(json_string_value(json_object_get(o, "user")), "ñandú");
	cr_expect_eq(json_integer_value(json_object_get(o, "epoch")), 7);
	json_decref(o);
	json_t *whole = grant_json(&g);
	cr_expect_str_eq(json_string_value(json_object_get(whole, "grant")), text);
	cr_expect_str_eq(json_string_value(json_object_get(json_object_get(whole, "endpoint"), "path")), "/x");
	json_decref(whole);
	free(text);
}
