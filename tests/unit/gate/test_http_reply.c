/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Response heads and problem documents. */
#include <criterion/criterion.h>
#include <string.h>

#include "protocol/gate/http_reply.h"

Test(http_reply, test_a_head_carries_the_security_headers)
{
	struct http_reply r = { .status = 200, .length = 5, .keep_alive = true, .type = "text/plain" };
	struct pst_buf b;

	pst_buf_init(&b, 8192);
	http_reply_begin(&b, &r);
	http_reply_end(&b);
	cr_assert_eq(strncmp(pst_buf_cstr(&b), "HTTP/1.1 200 OK\r\n", 17), 0);
	cr_assert_not_null(strstr(pst_buf_cstr(&b), "Content-Length: 5\r\n"));
	cr_assert_not_null(strstr(pst_buf_cstr(&b), "default-src 'none'"));
	cr_assert_not_null(strstr(pst_buf_cstr(&b), "Cache-Control: no-store\r\n"));
	cr_assert_null(strstr(pst_buf_cstr(&b), "Connection:"));
	pst_buf_finish(&b);
}

Test(http_reply, test_a_compressed_body_is_told)
{
	struct http_reply r = { .status = 200, .type = "text/css", .is_gzip = true, .cache = "public, max-age=31536000, immutable" };
	struct pst_buf b;

	pst_buf_init(&b, 8192);
	http_reply_begin(&b, &r);
	cr_expect_not_null(strstr(pst_buf_cstr(&b), "Content-Encoding: gzip\r\n"));
	cr_expect_not_null(strstr(pst_buf_cstr(&b), "Cache-Control: public, max-age=31536000, immutable\r\n"));
	pst_buf_finish(&b);
}

Test(http_reply, test_values_cannot_split_a_response)
{
	struct pst_buf b;

	pst_buf_init(&b, 8192);
	cr_assert_not(http_reply_field(&b, "X", "a\r\nSet-Cookie: b"));
	cr_assert_not(http_reply_field(&b, "X", "a\nb"));
	cr_assert_eq(b.len, 0);
	cr_assert(http_reply_field(&b, "X", "ok"));
	cr_assert_str_eq(pst_buf_cstr(&b), "X: ok\r\n");
	pst_buf_finish(&b);
}

Test(http_reply, test_a_problem_is_json_in_both_languages)
{
	struct pst_buf b;

	pst_buf_init(&b, 8192);
	http_problem(&b, 404, "not_found", "No \"such\" thing.", "No existe.");
	cr_assert_not_null(strstr(pst_buf_cstr(&b), "\"title\":\"No \\\"such\\\" thing.\""));
	cr_assert_not_null(strstr(pst_buf_cstr(&b), "\"title_es\":\"No existe.\""));
	pst_buf_finish(&b);
}
