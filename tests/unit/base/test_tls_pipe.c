/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TLS between our own processes: bytes both ways, and who is refused with which words. Covers: base/tls_trust.c */
#include "base/tls_pipe.h"

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/unixsock.h"
#include "tests/unit/base/util.h"

#include <fcntl.h>
#include <sys/socket.h>

static struct pst_tls_pair ca, other_ca;

static struct pst_tls_trust *trust_of(const char *uri, enum pst_tls_use use, const struct pst_tls_pair *signer, int64_t shift_ms)
{
	const struct pst_tls_request request = { .use = use, .common_name = "name", .uri = uri, .days = 1, .now_ms = pst_wall_ms() + shift_ms };
	struct pst_tls_pair pair = { 0 };
	struct pst_err err = PST_ERR_INIT;

	if (uri)
		cr_assert_eq(pst_tls_issue(signer, &request, &pair, &err), 0, "%s", err.text);
	struct pst_tls_trust *t = pst_tls_trust_create(ca.cert_pem, uri ? &pair : NULL, &err);
	cr_assert_not_null(t, "%s", err.text);
	pst_tls_pair_finish(&pair);
	return t;
}

/* What one end saw. */
struct end {
	struct pst_tls_peer peer;
	bool is_open, is_closed, was_open;
	char reason[200];
};

static void on_opened(struct pst_tls_pipe *p, const struct pst_tls_peer *peer, void *arg)
{
	struct end *e = arg;

	e->peer = *peer;
	e->is_open = true;
}

static void on_closed(struct pst_tls_pipe *p, bool was_open, const char *reason, void *arg)
{
	struct end *e = arg;

	e->is_closed = true;
	e->was_open = was_open;
	snprintf(e->reason, sizeof(e->reason), "%s", reason);
}

static const struct pst_tls_pipe_events events = { on_opened, on_closed };

struct world {
	uv_loop_t loop;
	struct end client, server;
	int client_fd, server_fd; /* the local ends that a test holds */
};

static void connect_both(struct world *w, struct pst_tls_trust *client, struct pst_tls_trust *server, const char *wants_server, const char *wants_client,
	bool may_be_nameless)
{
	struct pst_tls_pipe_params c = { .loop = &w->loop, .trust = client, .peer = wants_server, .deadline_ms = 5000 };
	struct pst_tls_pipe_params s = { .loop = &w->loop, .trust = server, .peer = wants_client, .is_server = true, .may_be_nameless = may_be_nameless,
		.deadline_ms = 5000 };
	int net[2], a[2], b[2];
	struct pst_err err;

	memset(w, 0, sizeof(*w));
	uv_loop_init(&w->loop);
	cr_assert(pst_unix_pair(net, &err) == 0 && pst_unix_pair(a, &err) == 0 && pst_unix_pair(b, &err) == 0);
	w->client_fd = a[1];
	w->server_fd = b[1];
	cr_assert_not_null(pst_tls_pipe_create(&c, net[0], a[0], &events, &w->client, &err));
	cr_assert_not_null(pst_tls_pipe_create(&s, net[1], b[0], &events, &w->server, &err));
	pst_tls_trust_unref(client);
	pst_tls_trust_unref(server);
}

static void finish(struct world *w)
{
	close(w->client_fd);
	close(w->server_fd);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	cr_assert(w->client.is_closed && w->server.is_closed);
	cr_assert_eq(pst_loop_drain(&w->loop), 0);
}

static void setup(void)
{
	struct pst_err err;

	cr_assert_eq(pst_tls_ca_make("ours", pst_wall_ms(), &ca, &err), 0);
	cr_assert_eq(pst_tls_ca_make("another", pst_wall_ms(), &other_ca, &err), 0);
}

static void teardown(void)
{
	pst_tls_pair_finish(&ca);
	pst_tls_pair_finish(&other_ca);
}

TestSuite(tls_pipe, .init = setup, .fini = teardown);

/* Moves total bytes from one local end to the other, in steps of the loop. */
static void carry_bytes(struct world *w, int from, int to, size_t total)
{
	size_t sent = 0, got = 0;
	uint8_t out[8192], in[8192];

	while (got < total) {
		for (size_t i = 0; i < sizeof(out); i++)
			out[i] = (uint8_t)((sent + i) * 31 % 251);
		ssize_t n = sent < total ? send(from, out, PST_MIN(sizeof(out), total - sent), MSG_DONTWAIT) : 0;
		sent += n > 0 ? (size_t)n : 0;
		uv_run(&w->loop, UV_RUN_NOWAIT);
		n = recv(to, in, sizeof(in), MSG_DONTWAIT);
		for (ssize_t i = 0; i < n; i++)
			cr_assert_eq(in[i], (uint8_t)((got + (size_t)i) * 31 % 251));
		got += n > 0 ? (size_t)n : 0;
	}
}

Test(tls_pipe, bytes_cross_both_ways_and_names_are_told)
{
	struct world w;

	connect_both(&w, trust_of("puesto:agent:1", PST_TLS_BOTH, &ca, 0), trust_of("puesto:broker", PST_TLS_SERVER, &ca, 0), "puesto:broker",
		"puesto:agent:", false);
	while (!w.server.is_open)
		uv_run(&w.loop, UV_RUN_ONCE);
	cr_assert_str_eq(w.server.peer.uri, "puesto:agent:1");
	cr_assert_str_eq(w.server.peer.common_name, "name");
	carry_bytes(&w, w.client_fd, w.server_fd, 2000000);
	carry_bytes(&w, w.server_fd, w.client_fd, 2000000);
	finish(&w);
	cr_assert(w.server.was_open);
}

Test(tls_pipe, last_bytes_arrive_before_the_end)
{
	struct world w;
	char text[8] = "";

	connect_both(&w, trust_of(NULL, 0, NULL, 0), trust_of("puesto:broker", PST_TLS_SERVER, &ca, 0), "puesto:broker", "puesto:agent:", true);
	cr_assert_eq(send(w.client_fd, "bye", 3, 0), 3);
	shutdown(w.client_fd, SHUT_WR);
	uv_run(&w.loop, UV_RUN_DEFAULT);
	cr_assert_eq(recv(w.server_fd, text, sizeof(text), 0), 3);
	cr_assert_eq(recv(w.server_fd, text, sizeof(text), 0), 0);
	cr_assert_str_empty(w.server.peer.uri);
	finish(&w);
}

static const struct {
	const char *uri;
	enum pst_tls_use use;
	bool is_foreign;
	int64_t shift_ms;
	const char *reason;
} strangers[] = {
	{ NULL, 0, false, 0, "it showed no certificate" },
	{ "puesto:gateway:x", PST_TLS_CLIENT, false, 0, "its certificate is of puesto:gateway:x, not of puesto:agent:" },
	{ "puesto:agent:", PST_TLS_CLIENT, false, 0, "its certificate is of puesto:agent:" },
	{ "puesto:agent:1", PST_TLS_SERVER, false, 0, "its certificate: " },
	{ "puesto:agent:1", PST_TLS_CLIENT, true, 0, "it showed no certificate" }, /* we said whose we take */
	{ "puesto:agent:1", PST_TLS_CLIENT, false, INT64_C(-30) * 86400000, "expired" },
	{ "puesto:agent:1", PST_TLS_CLIENT, false, INT64_C(30) * 86400000, "not yet" },
};

Test(tls_pipe, strangers_are_refused_in_words)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(strangers); i++) {
		struct world w;

		connect_both(&w, trust_of(strangers[i].uri, strangers[i].use, strangers[i].is_foreign ? &other_ca : &ca, strangers[i].shift_ms),
			trust_of("puesto:broker", PST_TLS_SERVER, &ca, 0), "puesto:broker", "puesto:agent:", false);
		finish(&w);
		cr_assert(!w.server.was_open && strstr(w.server.reason, strangers[i].reason), "case %zu: %s", i, w.server.reason);
	}
}

Test(tls_pipe, a_client_refuses_a_false_server)
{
	struct world w;

	connect_both(&w, trust_of(NULL, 0, NULL, 0), trust_of("puesto:agent:1", PST_TLS_BOTH, &ca, 0), "puesto:broker", "puesto:agent:", true);
	finish(&w);
	cr_assert(!w.client.was_open && strstr(w.client.reason, "not of puesto:broker"), "%s", w.client.reason);
}

Test(tls_pipe, garbage_and_silence_end_it)
{
	struct pst_tls_trust *t = trust_of("puesto:broker", PST_TLS_SERVER, &ca, 0);

	for (int i = 0; i < 2; i++) {
		struct end e = { 0 };
		struct pst_err err;
		uv_loop_t loop;
		int net[2], local[2];

		uv_loop_init(&loop);
		cr_assert(pst_unix_pair(net, &err) == 0 && pst_unix_pair(local, &err) == 0);
		const struct pst_tls_pipe_params p = { .loop = &loop, .trust = t, .peer = "x", .is_server = true, .deadline_ms = 50 };
		cr_assert_not_null(pst_tls_pipe_create(&p, net[0], local[0], &events, &e, &err));
		if (i == 0)
			cr_assert_eq(send(net[1], "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);
		uv_run(&loop, UV_RUN_DEFAULT);
		cr_assert(e.is_closed && !e.was_open && e.reason[0]);
		cr_assert_eq(pst_loop_drain(&loop), 0);
		close(net[1]);
		close(local[1]);
	}
	pst_tls_trust_unref(t);
}

Test(tls_pipe, what_cannot_be_used_is_named)
{
	struct pst_err err;

	cr_assert_null(pst_tls_trust_create("nonsense", NULL, &err));
	cr_assert(strstr(err.text, "certificates"), "%s", err.text);
	cr_assert_eq(pst_tcp_dial("example.org", 80, &err), PST_EINVAL);
}
