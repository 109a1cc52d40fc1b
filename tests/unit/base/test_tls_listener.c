/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A port for TLS: addresses, ceilings, and a connection that is handed out. */
#include "base/tls_listener.h"

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/unixsock.h"
#include "tests/unit/base/util.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static struct pst_tls_trust *make_trust(void)
{
	const struct pst_tls_request request = { .use = PST_TLS_BOTH, .common_name = "n", .uri = "puesto:agent:1", .days = 1, .now_ms = pst_wall_ms() };
	struct pst_tls_pair ca, own;
	struct pst_err err;

	cr_assert_eq(pst_tls_ca_make("ca", pst_wall_ms(), &ca, &err), 0);
	cr_assert_eq(pst_tls_issue(&ca, &request, &own, &err), 0);
	struct pst_tls_trust *t = pst_tls_trust_create(ca.cert_pem, &own, &err);
	pst_tls_pair_finish(&ca);
	pst_tls_pair_finish(&own);
	return t;
}

static void free_address(char out[32])
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert(bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && getsockname(fd, (struct sockaddr *)&a, &len) == 0);
	close(fd);
	snprintf(out, 32, "127.0.0.1:%u", ntohs(a.sin_port));
}

struct seen {
	int local;
	char uri[96], remote[64];
};

static void on_accepted(int local, const struct pst_tls_peer *peer, const char *remote, void *arg)
{
	struct seen *s = arg;

	s->local = local;
	snprintf(s->uri, sizeof(s->uri), "%s", peer->uri);
	snprintf(s->remote, sizeof(s->remote), "%s", remote);
}

static void on_closed(struct pst_tls_pipe *p, bool was_open, const char *reason, void *arg)
{
}

static const struct pst_tls_pipe_events events = { .closed = on_closed };

Test(tls_listener, hands_out_who_is_welcome_and_keeps_its_ceilings)
{
	struct pst_tls_trust *t = make_trust();
	struct seen seen = { .local = -1 };
	char address[32], host[64], text[4] = "";
	struct pst_err err;
	uint16_t port;
	uv_loop_t loop;
	int pair[2], strangers[PST_TLS_HALF_OPEN_OF_ONE + 4];

	uv_loop_init(&loop);
	free_address(address);
	const struct pst_tls_listener_params p = { .loop = &loop, .trust = t, .address = address, .peer = "puesto:agent:", .open_max = 100 };
	struct pst_tls_listener *l = pst_tls_listen(&p, on_accepted, &seen, &err);
	cr_assert_not_null(l, "%s", err.text);
	cr_assert_null(pst_tls_listen(&p, on_accepted, &seen, &err), "the port is taken");
	pst_tls_listener_set_trust(l, t);
	cr_assert_eq(pst_address_split(address, host, &port, &err), 0);

	cr_assert_eq(pst_unix_pair(pair, &err), 0);
	const struct pst_tls_pipe_params c = { .loop = &loop, .trust = t, .peer = "puesto:agent:1", .deadline_ms = 5000 };
	cr_assert_not_null(pst_tls_pipe_create(&c, pst_tcp_dial(host, port, &err), pair[0], &events, NULL, &err));
	while (seen.local < 0)
		uv_run(&loop, UV_RUN_ONCE);
	cr_assert_str_eq(seen.uri, "puesto:agent:1");
	cr_assert_str_eq(seen.remote, "127.0.0.1");
	cr_assert_eq(send(seen.local, "hi", 2, 0), 2);
	while (recv(pair[1], text, 2, MSG_DONTWAIT) != 2)
		uv_run(&loop, UV_RUN_ONCE);
	cr_assert_str_eq(text, "hi");

	/* Those that say nothing are so many, the next are closed at once. */
	for (size_t i = 0; i < PST_ARRAY_LEN(strangers); i++)
		strangers[i] = pst_tcp_dial(host, port, &err);
	while (recv(strangers[PST_ARRAY_LEN(strangers) - 1], text, 1, MSG_DONTWAIT) != 0)
		uv_run(&loop, UV_RUN_NOWAIT);
	cr_assert_eq(recv(strangers[0], text, 1, MSG_DONTWAIT), -1);

	pst_tls_listener_close(l);
	close(seen.local);
	close(pair[1]);
	uv_run(&loop, UV_RUN_DEFAULT);
	for (size_t i = 0; i < PST_ARRAY_LEN(strangers); i++)
		close(strangers[i]);
	cr_assert_eq(pst_loop_drain(&loop), 0);
	pst_tls_trust_unref(t);
}

Test(tls_listener, addresses_are_split_or_named)
{
	static const char *const bad[] = { "", "80", ":80", "host:80", "1.2.3.4", "1.2.3.4:0", "1.2.3.4:65536", "::1:80", "[::1]", "[]:80", "[1.2.3.4]:80" };
	struct pst_err err;
	char host[64];
	uint16_t port;

	cr_assert_eq(pst_address_split("1.2.3.4:80", host, &port, &err), 0);
	cr_assert(strcmp(host, "1.2.3.4") == 0 && port == 80);
	cr_assert_eq(pst_address_split("[fd00::1]:65535", host, &port, &err), 0);
	cr_assert(strcmp(host, "fd00::1") == 0 && port == 65535);
	for (size_t i = 0; i < PST_ARRAY_LEN(bad); i++)
		cr_assert_eq(pst_address_split(bad[i], host, &port, &err), PST_EINVAL, "%s", bad[i]);
}
