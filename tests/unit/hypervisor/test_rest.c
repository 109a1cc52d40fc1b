/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands end at their deadline or when they are cancelled; refusals name what to do. */
#include "broker/hypervisor/rest/rest.h"

#include "base/file.h"
#include "base/loop.h"
#include "tests/unit/fine.h"
#include "tests/unit/hypervisor/http_peer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[64], token[96];

static bool serve(struct http_peer *p, unsigned n, int fd)
{
	static const int statuses[] = { 200, 401, 403, 500, 200 };
	static const char *const bodies[] = { "{\"a\":1}", "{}", "{}", "{\"message\":\"it\\tbroke\\n\"}", "[" };

	(void)p;
	http_peer_answer(fd, statuses[n % 5], "", bodies[n % 5]);
	return true;
}

static void begin(struct rest *r, struct http_peer *peer, uv_loop_t *loop, const char *secret)
{
	struct rest_params p = { .what = "Test VE", .section = "provider-x", .auth_scheme = "Authorization: Test ", .auth_file = token,
		.deadline_ms = 20000, .loop = loop };
	struct pst_err err = PST_ERR_INIT;

	snprintf(dir, sizeof(dir), "/tmp/puesto-rest-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(token, sizeof(token), "%s/token", dir);
	cr_assert_eq(pst_file_write(token, secret, strlen(secret), 0600, &err), 0, "%s", err.text);
	uv_loop_init(loop);
	http_peer_start(peer, dir);
	p.http = (struct http_params){ .socket = peer->socket, .timeout_ms = 20000, .connect_ms = 5000 };
	if (strchr(secret, ' '))
		cr_assert_eq(rest_init(r, &p, &err), PST_EINVAL, "%s", err.text);
	else
		FINE(rest_init(r, &p, &err));
}

static void end(struct rest *r, struct http_peer *peer, uv_loop_t *loop)
{
	rest_finish(r);
	pst_loop_drain(loop);
	http_peer_stop(peer);
	unlink(token);
	rmdir(dir);
}

Test(rest, refusals_name_what_to_do)
{
	struct http_peer peer = { .serve = serve };
	struct pst_err err = PST_ERR_INIT;
	struct rest_op op;
	struct rest r;
	uv_loop_t loop;

	begin(&r, &peer, &loop, "secret\n");
	rest_begin(&op, &r, "");
	json_t *o = rest_get(&op, "/x", JSON_OBJECT, &err);
	cr_assert_not_null(o, "%s", err.text);
	json_decref(o);
	cr_assert_not_null(strstr(peer.request, "Authorization: Test secret\r\n"), "%s", peer.request);
	cr_assert_null(rest_get(&op, "/x", JSON_OBJECT, &err));
	cr_assert_eq(err.code, PST_EAUTH);
	cr_assert_not_null(strstr(err.text, "[provider-x] token_file"), "%s", err.text);
	cr_assert_null(rest_get(&op, "/y?z", JSON_OBJECT, &err));
	cr_assert_eq(err.code, PST_EDENIED);
	cr_assert_not_null(strstr(err.text, "may not GET /y:"), "%s", err.text);
	cr_assert_null(rest_get(&op, "/x", JSON_OBJECT, &err));
	cr_assert_eq(err.code, PST_EIO);
	cr_assert_eq(op.status, 500);
	cr_assert_null(rest_get(&op, "/x", JSON_OBJECT, &err));
	cr_assert_eq(err.code, PST_EPROTO, "half a JSON");
	rest_end(&op);
	end(&r, &peer, &loop);
}

Test(rest, commands_end)
{
	struct http_peer peer = { .serve = serve };
	struct pst_err err = PST_ERR_INIT;
	struct rest_op op, other;
	struct rest r;
	uv_loop_t loop;

	begin(&r, &peer, &loop, "secret");
	rest_begin(&op, &r, "1b4e28ba-2fa1-41d2-883f-0016d3cca427");
	rest_begin(&other, &r, "");
	cr_assert_eq(rest_check(&op, &err), 0);
	cr_assert(rest_is_unsure(&op, PST_ECLOSED));
	cr_assert(!rest_is_unsure(&op, PST_EDENIED));
	rest_cancel(&r, "1b4e28ba-2fa1-41d2-883f-0016d3cca427");
	cr_assert_eq(rest_wait(&op, 60000, &err), PST_ECLOSED, "at once");
	cr_assert(!rest_is_unsure(&op, PST_ECLOSED));
	cr_assert_null(rest_get(&op, "/x", JSON_OBJECT, &err));
	cr_assert_eq(err.code, PST_ECLOSED);
	cr_assert_eq(rest_check(&other, &err), 0, "that was about another");
	other.end_ms = 0;
	cr_assert_eq(rest_wait(&other, 60000, &err), PST_ETIMEOUT);
	cr_assert_not_null(strstr(err.text, "deadline_s"), "%s", err.text);
	rest_end(&op);
	rest_end(&other);
	rest_shut(&r);
	rest_begin(&op, &r, "");
	cr_assert_eq(rest_check(&op, &err), PST_ECLOSED, "nothing begins after the end");
	rest_end(&op);
	end(&r, &peer, &loop);
}

Test(rest, a_token_is_one_word)
{
	struct http_peer peer = { .serve = serve };
	struct rest r;
	uv_loop_t loop;

	begin(&r, &peer, &loop, "two words");
	end(&r, &peer, &loop);
}

Test(rest, a_peers_words_are_one_line)
{
	char out[16];

	rest_words(out, sizeof(out), "a\n\n\tb\x1b[31mc  ");
	cr_assert_str_eq(out, "a b [31mc");
	rest_words(out, sizeof(out), "0123456789abcdefgh");
	cr_assert_str_eq(out, "0123456789abcde");
	char path[REST_PATH_SIZE];
	cr_assert_eq(rest_path(path, NULL, "/%s/%d", "x", 7), 0);
	cr_assert_str_eq(path, "/x/7");
	cr_assert_eq(rest_path(path, NULL, "%*d", REST_PATH_SIZE, 1), PST_ELIMIT);
}
