/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Request heads: what is read, and what two readers could read in two ways. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "protocol/gate/http_head.h"

static struct http_head head;

static int parse(const char *text)
{
	return http_head_parse(&head, text, strlen(text));
}

Test(http_head, test_a_request_is_read_into_its_fields)
{
	const char *text = "POST /api/v1/x?a=b&c HTTP/1.1\r\nHost: h:1\r\nContent-Length: 12 \r\nX-CSRF-Token:\tt\r\n\r\nbody";

	cr_assert_eq(parse(text), (int)strlen(text) - 4);
	cr_assert_eq(head.method, HTTP_POST);
	cr_assert_str_eq(head.path, "/api/v1/x");
	cr_assert_str_eq(head.query, "a=b&c");
	cr_assert_eq(head.length, 12);
	cr_assert(head.keep_alive);
	cr_assert_str_eq(http_head_get(&head, "x-csrf-token"), "t");
	cr_assert_null(http_head_get(&head, "cookie"));
}

Test(http_head, test_every_prefix_asks_for_more)
{
	const char *text = "GET / HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n\r\n";

	for (size_t n = 0; n < strlen(text); n++)
		cr_assert_eq(http_head_parse(&head, text, n), 0, "%zu", n);
	cr_assert_eq(parse(text), (int)strlen(text));
}

Test(http_head, test_what_two_readers_could_read_in_two_ways_is_refused)
{
	static const struct {
		const char *text;
		int answer;
	} cases[] = {
		{ "\r\n\r\n", -400 },
		{ "GET\r\n\r\n", -400 },
		{ "GET / HTTP/1.1\r\n\r\n", -400 },
		{ "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", -400 },
		{ "GET / HTTP/1.1 \r\nHost: h\r\n\r\n", -505 },
		{ "get / HTTP/1.1\r\nHost: h\r\n\r\n", -501 },
		{ "GET * HTTP/1.1\r\nHost: h\r\n\r\n", -400 },
		{ "GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n", -400 },
		{ "GET /#f HTTP/1.1\r\nHost: h\r\n\r\n", -400 },
		{ "GET /\\ HTTP/1.1\r\nHost: h\r\n\r\n", -400 },
		{ "GET / HTTP/1.2\r\nHost: h\r\n\r\n", -505 },
		{ "GET / HTCPCP/1.0\r\nHost: h\r\n\r\n", -400 },
		{ "GET / HTTP/1.1\r\nHost: h\r\n X: folded\r\n\r\n", -400 },
		{ "GET / HTTP/1.1\r\nHost : h\r\n\r\n", -400 },
		{ "GET / HTTP/1.1\r\n: h\r\n\r\n", -400 },
		{ "GET / HTTP/1.1\r\nHost: h\nX: 1\r\n\r\n", -400 },
		{ "GET / HTTP/1.1\r\nHost: h\rX: 1\r\n\r\n", -400 },
		{ "GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n", -400 },
		{ "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", -400 },
		{ "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\n", -400 },
		{ "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\n", -400 },
		{ "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x1\r\n\r\n", -400 },
		{ "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: \r\n\r\n", -400 },
		{ "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551617\r\n\r\n", -400 },
		{ "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 262145\r\n\r\n", -413 },
		{ "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", -400 },
		{ "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n", -411 },
		{ "GET / HTTP/1.1\r\nHost: h\r\nX: a\x7f\r\n\r\n", -400 },
		{ "GET / HTTP/1.1\r\nHost: h\r\nX\x80: a\r\n\r\n", -400 },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++)
		cr_assert_eq(parse(cases[i].text), cases[i].answer, "%s gave %d", cases[i].text, parse(cases[i].text));
}

Test(http_head, test_a_nul_in_the_head_is_refused)
{
	cr_assert_eq(http_head_parse(&head, "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 29), -400);
}

Test(http_head, test_the_ceilings_hold)
{
	char *text = malloc(HTTP_HEAD_MAX + 1), *p = text;

	memset(text, 'a', HTTP_HEAD_MAX);
	memcpy(text, "GET /", 5);
	cr_assert_eq(http_head_parse(&head, text, HTTP_HEAD_MAX - 1), 0);
	cr_assert_eq(http_head_parse(&head, text, HTTP_HEAD_MAX), -431);
	p += sprintf(p, "GET / HTTP/1.1\r\nHost: h\r\n");
	for (int i = 1; i < HTTP_FIELDS_MAX; i++)
		p += sprintf(p, "X-%d: 1\r\n", i);
	strcpy(p, "\r\n");
	cr_assert_gt(parse(text), 0);
	strcpy(p, "One-More: 1\r\n\r\n");
	cr_assert_eq(parse(text), -431);
	free(text);
}

Test(http_head, test_connection_tokens)
{
	cr_assert_gt(parse("GET /display HTTP/1.1\r\nHost: h\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n\r\n"), 0);
	cr_assert(head.is_upgrade);
	cr_assert_gt(parse("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"), 0);
	cr_assert_not(head.is_upgrade);
	cr_assert_gt(parse("GET / HTTP/1.1\r\nHost: h\r\nConnection: Close\r\n\r\n"), 0);
	cr_assert_not(head.keep_alive);
	cr_assert_gt(parse("GET / HTTP/1.0\r\n\r\n"), 0);
	cr_assert_not(head.keep_alive);
	cr_assert_gt(parse("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 0\r\n\r\n"), 0);
	cr_assert(head.expects_continue && head.has_length && head.length == 0);
}
