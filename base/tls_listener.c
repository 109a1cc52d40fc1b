/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Accepts and counts; each connection is a pipe. */
#include "base/tls_listener.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 128
#define ACCEPTS_PER_TURN 16
#define HANDSHAKE_MS 10000
#define PAUSE_MS 100

struct line {
	struct line *next;
	struct pst_tls_listener *listener;
	struct pst_tls_pipe *pipe;
	char remote[PST_TLS_REMOTE_SIZE];
	bool is_open;
};

struct pst_tls_listener {
	struct pst_tls_listener_params params;
	char peer[96];
	uv_poll_t poll;
	struct pst_timer *pause;
	int fd;
	pst_tls_accept_cb accepted;
	void *arg;
	struct line *lines;
	size_t n_lines;
};

/* A stranger may make us refuse as often as he likes; he does not fill the log. */
static void note(const char *remote, const char *reason)
{
	static struct pst_log_gate gate;
	uint32_t held = 0;

	if (pst_log_every(&gate, pst_mono_ms(), 200, &held))
		pst_warn("TLS connection refused remote=%s reason=\"%s\" held_back=%u", remote, reason, held);
}

static void line_free(struct line *line)
{
	struct line **at = &line->listener->lines;

	while (*at != line)
		at = &(*at)->next;
	*at = line->next;
	line->listener->n_lines--;
	free(line);
}

static void on_opened(struct pst_tls_pipe *p, const struct pst_tls_peer *peer, void *arg)
{
	struct line *line = arg;
	struct pst_err err = PST_ERR_INIT;
	int pair[2];

	line->is_open = true;
	if (pst_unix_pair(pair, &err) < 0)
		return;
	if (pst_tls_pipe_join(p, pair[0]) < 0)
		close(pair[1]);
	else
		line->listener->accepted(pair[1], peer, line->remote, line->listener->arg);
}

static void on_closed(struct pst_tls_pipe *p, bool was_open, const char *reason, void *arg)
{
	struct line *line = arg;

	if (!was_open)
		note(line->remote, reason);
	line_free(line);
}

static const struct pst_tls_pipe_events events = { .opened = on_opened, .closed = on_closed };

static const char *why_not(const struct pst_tls_listener *l, const char *remote)
{
	size_t half = 0, of_one = 0;

	for (const struct line *line = l->lines; line; line = line->next) {
		half += !line->is_open;
		of_one += !line->is_open && strcmp(line->remote, remote) == 0;
	}
	if (l->n_lines >= l->params.open_max)
		return "too many connections";
	if (half >= PST_TLS_HALF_OPEN_MAX)
		return "too many connections that have not shown a certificate";
	return of_one >= PST_TLS_HALF_OPEN_OF_ONE ? "too many connections of this address that have not shown a certificate" : NULL;
}

static void remote_text(const struct sockaddr_storage *from, char out[PST_TLS_REMOTE_SIZE])
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;

	if (from->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &v6->sin6_addr, out, PST_TLS_REMOTE_SIZE);
	else
		inet_ntop(AF_INET, &v4->sin_addr, out, PST_TLS_REMOTE_SIZE);
}

static void take(struct pst_tls_listener *l, int fd, const char *remote)
{
	const struct pst_tls_pipe_params params = { .loop = l->params.loop, .trust = l->params.trust, .peer = l->peer, .is_server = true,
		.may_be_nameless = l->params.may_be_nameless, .deadline_ms = HANDSHAKE_MS };
	const char *reason = why_not(l, remote);
	struct line *line = reason ? NULL : pst_zalloc(1, sizeof(*line));
	struct pst_err err = PST_ERR_INIT;

	if (!line) {
		note(remote, reason ? reason : "no memory");
		close(fd);
		return;
	}
	line->listener = l;
	pst_strlcpy(line->remote, sizeof(line->remote), remote);
	line->pipe = pst_tls_pipe_create(&params, fd, -1, &events, line, &err);
	if (!line->pipe) {
		note(remote, err.text);
		free(line);
		return;
	}
	line->next = l->lines;
	l->lines = line;
	l->n_lines++;
}

static void on_readable(uv_poll_t *poll, int status, int what);

static void on_pause_over(void *arg)
{
	struct pst_tls_listener *l = arg;

	uv_poll_start(&l->poll, UV_READABLE, on_readable);
}

static void on_readable(uv_poll_t *poll, int status, int what)
{
	struct pst_tls_listener *l = poll->data;

	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct sockaddr_storage from = { 0 };
		socklen_t len = sizeof(from);
		char remote[PST_TLS_REMOTE_SIZE];
		int fd = accept4(l->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) {
			/* Out of descriptors: the port stays readable, and without a pause this would spin. */
			uv_poll_stop(&l->poll);
			pst_timer_start(l->pause, PAUSE_MS, on_pause_over, l);
		}
		if (fd < 0)
			return;
		remote_text(&from, remote);
		take(l, fd, remote);
	}
}

int pst_address_split(const char *text, char host[64], uint16_t *ret_port, struct pst_err *err)
{
	const char *colon = strrchr(text, ':');
	bool has_brackets = text[0] == '[' && colon && colon > text + 1 && colon[-1] == ']';
	size_t len = !colon ? 0 : (size_t)(colon - text) - (has_brackets ? 2 : 0);
	uint8_t bytes[16];
	uint32_t port;

	if (!colon || len == 0 || len >= 64 || pst_parse_u32(colon + 1, 1, 65535, &port) < 0)
		return pst_err_set(err, PST_EINVAL, "\"%.80s\" is not ADDRESS:PORT or [ADDRESS]:PORT", text);
	memcpy(host, text + has_brackets, len);
	host[len] = '\0';
	if (inet_pton(has_brackets ? AF_INET6 : AF_INET, host, bytes) != 1)
		return pst_err_set(err, PST_EINVAL, "\"%.80s\": its address is not numeric", text);
	*ret_port = (uint16_t)port;
	return 0;
}

static int open_port(const char *text, struct pst_err *err)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	char host[64];
	uint16_t port;
	int one = 1, rc = pst_address_split(text, host, &port, err);

	if (rc < 0)
		return rc;
	bool is_v6 = inet_pton(AF_INET6, host, &v6.sin6_addr) == 1;
	inet_pton(AF_INET, host, &v4.sin_addr);
	v4.sin_port = v6.sin6_port = htons(port);
	int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return pst_err_sys(err, PST_EIO, errno, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	rc = is_v6 ? bind(fd, (struct sockaddr *)&v6, sizeof(v6)) : bind(fd, (struct sockaddr *)&v4, sizeof(v4));
	if (rc < 0 || listen(fd, BACKLOG) < 0) {
		pst_err_sys(err, PST_EIO, errno, "listening on %s", text);
		close(fd);
		return err->code;
	}
	return fd;
}

struct pst_tls_listener *pst_tls_listen(const struct pst_tls_listener_params *params, pst_tls_accept_cb accepted, void *arg, struct pst_err *err)
{
	struct pst_tls_listener *l = pst_zalloc(1, sizeof(*l));

	if (!l) {
		pst_err_set(err, PST_ENOMEM, "no memory for a TLS port");
		return NULL;
	}
	l->params = *params;
	l->accepted = accepted;
	l->arg = arg;
	pst_strlcpy(l->peer, sizeof(l->peer), params->peer);
	l->pause = pst_timer_create(params->loop);
	l->fd = open_port(params->address, err);
	if (l->fd < 0 || !l->pause || uv_poll_init(params->loop, &l->poll, l->fd) < 0) {
		if (l->fd >= 0) {
			close(l->fd);
			pst_err_set(err, PST_EIO, "%s cannot be watched", params->address);
		}
		pst_timer_destroy(l->pause);
		free(l);
		return NULL;
	}
	pst_tls_trust_ref(params->trust);
	l->poll.data = l;
	uv_poll_start(&l->poll, UV_READABLE, on_readable);
	return l;
}

void pst_tls_listener_set_trust(struct pst_tls_listener *l, struct pst_tls_trust *trust)
{
	pst_tls_trust_ref(trust);
	pst_tls_trust_unref(l->params.trust);
	l->params.trust = trust;
}

static void port_closed(uv_handle_t *h)
{
	struct pst_tls_listener *l = h->data;

	close(l->fd);
	pst_tls_trust_unref(l->params.trust);
	free(l);
}

void pst_tls_listener_close(struct pst_tls_listener *l)
{
	if (!l)
		return;

	while (l->lines) {
		pst_tls_pipe_close(l->lines->pipe);
		line_free(l->lines);
	}
	pst_timer_destroy(l->pause);
	uv_close((uv_handle_t *)&l->poll, port_closed);
}
