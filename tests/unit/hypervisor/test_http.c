/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The client against a server that answers well, badly, late and not at all. */
#include "broker/hypervisor/http.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/tls.h"
#include "base/unixsock.h"
#include "tests/unit/fine.h"
#include "tests/unit/hypervisor/http_peer.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char dir[64];

static struct http *client(const char *socket)
{
	struct http_params p = { .socket = socket, .timeout_ms = 20000, .connect_ms = 5000 };
	struct pst_err err = PST_ERR_INIT;
	struct http *h = http_create(&p, &err);

	cr_assert_not_null(h, "%s", err.text);
	return h;
}

static void dir_make(void)
{
	snprintf(dir, sizeof(dir), "/tmp/puesto-http-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
}

static bool serve_words(struct http_peer *p, unsigned n, int fd)
{
	static const char *const ends[] = { "", "not json", "{\"a\":1,\"a\":2}", "[1,2" };

	(void)p;
	if (n == 0)
		http_peer_answer(fd, 201, "", "{\"Id\":\"abc\"}");
	else
		http_peer_answer(fd, 404, "", ends[n - 1]);
	return true;
}

Test(http, json_goes_out_and_comes_back_over_one_connection)
{
	struct http_peer peer = { .serve = serve_words };
	struct pst_err err = PST_ERR_INIT;
	struct http_answer a;
	json_t *body = json_pack("{s:s}", "Image", "x");

	dir_make();
	http_peer_start(&peer, dir);
	struct http *h = client(peer.socket);
	struct http_request r = { .method = "POST", .path = "/v1.41/containers/create?name=a%20b", .json = body,
		.headers = { "X-Test: one" } };
	cr_assert_eq(http_call(h, &r, &a, &err), 0, "%s", err.text);
	cr_assert_eq(a.status, 201);
	cr_assert_str_eq(json_string_value(json_object_get(a.json, "Id")), "abc");
	http_answer_finish(&a);
	cr_assert_not_null(strstr(peer.request, "POST /v1.41/containers/create?name=a%20b HTTP/1.1\r\n"), "%s", peer.request);
	cr_assert_not_null(strstr(peer.request, "Content-Type: application/json\r\n"));
	cr_assert_not_null(strstr(peer.request, "X-Test: one\r\n"));
	cr_assert_not_null(strstr(peer.request, "\r\n\r\n{\"Image\":\"x\"}"));
	for (int i = 0; i < 4; i++) {
		struct http_request get = { .method = i % 2 ? "GET" : "DELETE", .path = "/x" };

		cr_assert_eq(http_call(h, &get, &a, &err), 0, "%s", err.text);
		cr_assert_eq(a.status, 404);
		cr_assert_null(a.json, "%d: %s", i, a.data);
		http_answer_finish(&a);
		cr_assert_null(strstr(peer.request, "Content-Type"));
	}
	http_destroy(h);
	http_peer_stop(&peer);
	json_decref(body);
	rmdir(dir);
}

static bool serve_reasons(struct http_peer *p, unsigned n, int fd)
{
	static const char *const heads[] = { "500 VM 105 already exists\x01", "500", "500 ", "200 OK" };

	(void)p;
	dprintf(fd, "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", heads[n]);
	return true;
}

Test(http, the_words_of_the_status_line_are_told)
{
	static const char *const want[] = { "VM 105 already exists", "", "", "OK" };
	struct http_peer peer = { .serve = serve_reasons };
	struct http_request r = { .method = "GET", .path = "/" };
	struct pst_err err = PST_ERR_INIT;
	struct http_answer a;

	dir_make();
	http_peer_start(&peer, dir);
	struct http *h = client(peer.socket);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		cr_assert_eq(http_call(h, &r, &a, &err), 0, "%s", err.text);
		cr_assert_str_eq(a.reason, want[i]);
		http_answer_finish(&a);
	}
	http_destroy(h);
	http_peer_stop(&peer);
	rmdir(dir);
}

static bool serve_twice(struct http_peer *p, unsigned n, int fd)
{
	char body[32];

	(void)p;
	snprintf(body, sizeof(body), "{\"n\":%u}", n);
	http_peer_answer(fd, 200, "", body);
	http_peer_answer(fd, 200, "", body);
	return true;
}

Test(http, an_answer_that_comes_twice_is_not_the_next_ones)
{
	struct http_peer peer = { .serve = serve_twice };
	struct http_request r = { .method = "GET", .path = "/" };
	struct pst_err err = PST_ERR_INIT;
	struct http_answer a;

	dir_make();
	signal(SIGPIPE, SIG_IGN); /* the second answer finds nobody */
	http_peer_start(&peer, dir);
	struct http_params p = { .socket = peer.socket, .timeout_ms = 20000, .connect_ms = 5000, .is_single = true };
	struct http *h = http_create(&p, &err);
	cr_assert_not_null(h, "%s", err.text);
	for (int i = 0; i < 100; i++) {
		cr_assert_eq(http_call(h, &r, &a, &err), 0, "%s", err.text);
		cr_assert_eq(json_integer_value(json_object_get(a.json, "n")), i, "%d: %s", i, a.data);
		http_answer_finish(&a);
	}
	http_destroy(h);
	http_peer_stop(&peer);
	rmdir(dir);
}

static bool serve_much(struct http_peer *p, unsigned n, int fd)
{
	(void)p;
	/* One says how much it is, the other does not. */
	if (n == 0) {
		http_peer_answer(fd, 200, "", "0123456789012345678901234567890123456789");
		return true;
	}
	dprintf(fd, "HTTP/1.1 200 x\r\n\r\n");
	for (int i = 0; i < 1000; i++) {
		if (send(fd, "0123456789", 10, MSG_NOSIGNAL) < 0)
			break;
	}
	return false;
}

Test(http, an_answer_has_a_ceiling)
{
	struct http_peer peer = { .serve = serve_much };
	struct pst_err err = PST_ERR_INIT;
	struct http_answer a;

	dir_make();
	http_peer_start(&peer, dir);
	struct http *h = client(peer.socket);
	struct http_request r = { .method = "GET", .path = "/", .max = 39, .repeatable = true };
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(http_call(h, &r, &a, &err), PST_ELIMIT);
		cr_assert_null(a.data);
	}
	http_destroy(h);
	http_peer_stop(&peer);
	cr_assert_eq(peer.served, 2, "and is not asked for again");
	rmdir(dir);
}

static bool serve_silence(struct http_peer *p, unsigned n, int fd)
{
	(void)n;
	if (p->arg)
		http_cancel(p->arg, "desktop-1");
	return read(fd, p->request, 1) > 0; /* until the client goes */
}

Test(http, a_call_has_a_deadline_and_can_be_cancelled)
{
	struct http_peer peer = { .serve = serve_silence };
	struct pst_err err = PST_ERR_INIT;
	struct http_answer a;

	dir_make();
	http_peer_start(&peer, dir);
	struct http *h = client(peer.socket);
	struct http_request r = { .method = "GET", .path = "/", .owner = "desktop-1", .timeout_ms = 50, .repeatable = true };
	cr_assert_eq(http_call(h, &r, &a, &err), PST_ETIMEOUT);
	cr_assert_not_null(strstr(err.text, "in time"), "%s", err.text);
	http_cancel(h, NULL); /* nothing runs: no harm to the next */
	peer.arg = h;
	r.timeout_ms = 0;
	cr_assert_eq(http_call(h, &r, &a, &err), PST_ECLOSED);
	cr_assert_str_eq(err.text, "cancelled");
	http_destroy(h);
	http_peer_stop(&peer);
	rmdir(dir);
}

static bool serve_badly(struct http_peer *p, unsigned n, int fd)
{
	(void)p;
	if (n == 0)
		return false; /* the reply is lost */
	if (n == 1)
		http_peer_answer(fd, 503, "Retry-After: 0\r\n", "");
	else
		http_peer_answer(fd, 200, "", "{}");
	return true;
}

static bool serve_busily(struct http_peer *p, unsigned n, int fd)
{
	(void)p;
	http_peer_answer(fd, n < 2 ? 503 : 200, n == 1 ? "Retry-After: 0\r\n" : "", "{}");
	return true;
}

Test(http, a_gateway_that_has_nobody_may_have_asked_him)
{
	struct http_peer peer = { .serve = serve_busily };
	struct pst_err err = PST_ERR_INIT;
	struct http_answer a;

	dir_make();
	http_peer_start(&peer, dir);
	struct http *h = client(peer.socket);
	struct http_request r = { .method = "POST", .path = "/" };
	cr_assert_eq(http_call(h, &r, &a, &err), 0, "%s", err.text);
	cr_assert_eq(a.status, 503, "once, and nobody knows");
	http_answer_finish(&a);
	cr_assert_eq(http_call(h, &r, &a, &err), 0, "%s", err.text);
	cr_assert_eq(a.status, 200, "it was told to come again");
	cr_assert_eq(peer.served, 3);
	http_answer_finish(&a);
	http_destroy(h);
	http_peer_stop(&peer);
	rmdir(dir);
}

Test(http, what_may_be_repeated_is)
{
	struct http_peer peer = { .serve = serve_badly };
	struct pst_err err = PST_ERR_INIT;
	struct http_answer a;

	dir_make();
	http_peer_start(&peer, dir);
	struct http *h = client(peer.socket);
	struct http_request r = { .method = "POST", .path = "/" };
	cr_assert_eq(http_call(h, &r, &a, &err), PST_ECLOSED, "once, and nobody knows");
	peer.served = 0;
	r.repeatable = true;
	FINE(http_call(h, &r, &a, &err));
	cr_assert_eq(a.status, 200);
	cr_assert_eq(peer.served, 3);
	http_answer_finish(&a);
	http_destroy(h);
	http_peer_stop(&peer);
	h = client(peer.socket);
	r.timeout_ms = 50;
	cr_assert_eq(http_call(h, &r, &a, &err), PST_ECLOSED, "nobody is there");
	cr_assert_not_null(strstr(err.text, peer.socket), "%s", err.text);
	http_destroy(h);
	rmdir(dir);
}

struct heard {
	char lines[4][16];
	unsigned n, stop_at;
};

static bool on_line(const char *line, size_t len, void *arg)
{
	struct heard *heard = arg;

	cr_assert_eq(len, strlen(line));
	pst_strlcpy(heard->lines[heard->n++], sizeof(heard->lines[0]), line);
	return heard->n != heard->stop_at;
}

static bool serve_lost(struct http_peer *p, unsigned n, int fd)
{
	(void)p;
	if (n == 0)
		http_peer_answer(fd, 200, "Set-Cookie: session=\"a-b\"; Path=/; HttpOnly\r\nSet-Cookie: other=1\r\n", "");
	else if (n > 1)
		http_peer_answer(fd, 200, "", "");
	return n != 1;
}

/* A kept connection that ends without an answer is no reason to do it again. */
Test(http, what_may_not_be_repeated_is_sent_once)
{
	struct http_peer peer = { .serve = serve_lost };
	struct pst_err err = PST_ERR_INIT;
	struct http_answer a;

	dir_make();
	http_peer_start(&peer, dir);
	struct http *h = client(peer.socket);
	cr_assert_eq(http_call(h, &(struct http_request){ .method = "GET", .path = "/", .repeatable = true }, &a, &err), 0, "%s", err.text);
	cr_assert_str_eq(a.cookie, "session=\"a-b\"");
	http_answer_finish(&a);
	cr_assert_eq(http_call(h, &(struct http_request){ .method = "POST", .path = "/" }, &a, &err), PST_ECLOSED, "%s", err.text);
	cr_assert_eq(peer.served, 2);
	cr_assert_eq(http_call(h, &(struct http_request){ .method = "POST", .path = "/" }, &a, &err), 0, "%s", err.text);
	cr_assert_str_eq(a.cookie, "");
	http_answer_finish(&a);
	http_destroy(h);
	http_peer_stop(&peer);
	rmdir(dir);
}

static bool serve_stream(struct http_peer *p, unsigned n, int fd)
{
	(void)p;
	if (n == 2) {
		http_peer_answer(fd, 404, "", "{\"message\":\"no\nsuch\"}\n");
		return true;
	}
	dprintf(fd, "HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n2\r\ntw\r\n7\r\no\n\nlast\r\n");
	if (n == 0)
		dprintf(fd, "0\r\n\r\n");
	else
		cr_assert_leq(read(fd, p->request, 1), 0, "the reader of the second has gone");
	return n == 0;
}

Test(http, a_stream_is_read_line_by_line)
{
	struct http_peer peer = { .serve = serve_stream };
	struct pst_err err = PST_ERR_INIT;
	struct heard all = { .n = 0 }, some = { .stop_at = 2 }, none = { .n = 0 };
	struct http_answer a;

	dir_make();
	http_peer_start(&peer, dir);
	struct http *h = client(peer.socket);
	struct http_request r = { .method = "GET", .path = "/events", .line = on_line, .arg = &all };
	cr_assert_eq(http_call(h, &r, &a, &err), 0, "%s", err.text);
	http_answer_finish(&a);
	cr_assert_eq(all.n, 3);
	cr_assert_str_eq(all.lines[0], "one");
	cr_assert_str_eq(all.lines[1], "two");
	cr_assert_str_eq(all.lines[2], "", "and what has no end is no line");
	r.arg = &some;
	cr_assert_eq(http_call(h, &r, &a, &err), 0, "%s", err.text);
	http_answer_finish(&a);
	cr_assert_eq(some.n, 2);
	r.arg = &none;
	cr_assert_eq(http_call(h, &r, &a, &err), 0, "%s", err.text);
	cr_assert_eq(a.status, 404);
	cr_assert_eq(none.n, 0, "a refusal is no stream");
	cr_assert_not_null(a.data);
	http_answer_finish(&a);
	http_destroy(h);
	http_peer_stop(&peer);
	rmdir(dir);
}

Test(http, places_and_statuses_are_checked)
{
	static const char *const bad[] = { "http://h:1", "https://h/path", "https://u@h:1", "ftp://h", "", "https://h:1?x" };
	struct http_params p = { .socket = "relative", .timeout_ms = 1, .connect_ms = 1 };
	struct pst_err err = PST_ERR_INIT;

	cr_assert_null(http_create(&p, &err));
	p.socket = NULL;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		p.url = bad[i];
		cr_assert_null(http_create(&p, &err), "%s", bad[i]);
	}
	cr_assert_eq(http_status_code(204), 0);
	cr_assert_eq(http_status_code(304), 0);
	cr_assert_eq(http_status_code(404), PST_ENOTFOUND);
	cr_assert_eq(http_status_code(418), PST_EINVAL);
	cr_assert_eq(http_status_code(500), PST_EIO);
}

/* One TLS connection after another, each with one short answer. */
struct tls_peer {
	gnutls_certificate_credentials_t cred;
	int listener;
	pthread_t thread;
};

static void tls_serve(struct tls_peer *p, int fd)
{
	static const char answer[] = "HTTP/1.1 200 x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
	gnutls_session_t s;
	char text[4096];

	gnutls_init(&s, GNUTLS_SERVER);
	gnutls_set_default_priority(s);
	gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, p->cred);
	gnutls_transport_set_int(s, fd);
	if (gnutls_handshake(s) == 0 && gnutls_record_recv(s, text, sizeof(text)) > 0) {
		gnutls_record_send(s, answer, sizeof(answer) - 1);
		gnutls_bye(s, GNUTLS_SHUT_WR);
	}
	gnutls_deinit(s);
	close(fd);
}

static void *tls_main(void *arg)
{
	struct tls_peer *p = arg;
	int fd;

	while ((fd = accept(p->listener, NULL, NULL)) >= 0)
		tls_serve(p, fd);
	return NULL;
}

static uint16_t tls_start(struct tls_peer *p, const struct pst_tls_pair *pair)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	gnutls_datum_t cert = { (unsigned char *)pair->cert_pem, (unsigned)strlen(pair->cert_pem) };
	gnutls_datum_t key = { (unsigned char *)pair->key_pem, (unsigned)strlen(pair->key_pem) };
	socklen_t len = sizeof(a);

	gnutls_certificate_allocate_credentials(&p->cred);
	cr_assert_eq(gnutls_certificate_set_x509_key_mem(p->cred, &cert, &key, GNUTLS_X509_FMT_PEM), 0);
	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(p->listener, (struct sockaddr *)&a, sizeof(a)), 0);
	listen(p->listener, 4);
	getsockname(p->listener, (struct sockaddr *)&a, &len);
	pthread_create(&p->thread, NULL, tls_main, p);
	return ntohs(a.sin_port);
}

/* libcurl's words for the SHA-256 of the key's SubjectPublicKeyInfo (RFC 7469, 2.4). */
static void pin_of(const struct pst_tls_pair *pair, char *out, size_t size)
{
	gnutls_datum_t pem = { (unsigned char *)pair->cert_pem, (unsigned)strlen(pair->cert_pem) }, der;
	uint8_t sum[PST_SHA256_LEN];
	gnutls_x509_crt_t crt;
	gnutls_pubkey_t key;

	gnutls_x509_crt_init(&crt);
	gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM);
	gnutls_pubkey_init(&key);
	gnutls_pubkey_import_x509(key, crt, 0);
	gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &der);
	pst_sha256(der.data, der.size, sum);
	gnutls_free(der.data);
	gnutls_pubkey_deinit(key);
	gnutls_x509_crt_deinit(crt);
	snprintf(out, size, "sha256//");
	pst_base64_encode(sum, sizeof(sum), out + strlen(out), size - strlen(out));
}

static int tls_ask(const char *url, const char *ca, const char *pin)
{
	struct http_params p = { .url = url, .ca = ca, .pin = pin, .timeout_ms = 20000, .connect_ms = 5000 };
	struct http_request r = { .method = "GET", .path = "/" };
	struct pst_err err = PST_ERR_INIT;
	struct http *h = http_create(&p, &err);
	struct http_answer a;

	cr_assert_not_null(h, "%s", err.text);
	int rc = http_call(h, &r, &a, &err);
	http_answer_finish(&a);
	http_destroy(h);
	return rc;
}

Test(http, only_the_servers_own_authority_or_key_is_believed)
{
	const char *ip[] = { "127.0.0.1", NULL };
	struct pst_tls_request request = { .use = PST_TLS_SERVER, .common_name = "engine", .ip = ip, .days = 30, .now_ms = pst_wall_ms() };
	struct pst_tls_pair ca, other, pair;
	struct pst_err err = PST_ERR_INIT;
	char url[64], pin[80], ca_path[96];
	struct tls_peer peer;

	dir_make();
	cr_assert_eq(pst_tls_ca_make("a", pst_wall_ms(), &ca, &err), 0);
	cr_assert_eq(pst_tls_ca_make("b", pst_wall_ms(), &other, &err), 0);
	cr_assert_eq(pst_tls_issue(&ca, &request, &pair, &err), 0, "%s", err.text);
	snprintf(url, sizeof(url), "https://127.0.0.1:%u", tls_start(&peer, &pair));
	snprintf(ca_path, sizeof(ca_path), "%s/ca.pem", dir);
	FILE *f = fopen(ca_path, "w");
	fputs(ca.cert_pem, f);
	fclose(f);
	pin_of(&pair, pin, sizeof(pin));
	cr_assert_eq(tls_ask(url, ca_path, NULL), 0);
	cr_assert_eq(tls_ask(url, ca_path, pin), 0);
	cr_assert_eq(tls_ask(url, NULL, pin), 0, "its key is enough");
	cr_assert_eq(tls_ask(url, NULL, NULL), PST_EAUTH, "nobody else knows this authority");
	pin_of(&other, pin, sizeof(pin));
	cr_assert_eq(tls_ask(url, NULL, pin), PST_EAUTH);
	cr_assert_eq(tls_ask(url, ca_path, pin), PST_EAUTH, "both must hold");
	shutdown(peer.listener, SHUT_RDWR);
	pthread_join(peer.thread, NULL);
	close(peer.listener);
	gnutls_certificate_free_credentials(peer.cred);
	pst_tls_pair_finish(&ca);
	pst_tls_pair_finish(&other);
	pst_tls_pair_finish(&pair);
	unlink(ca_path);
	rmdir(dir);
}
