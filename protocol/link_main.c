/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * puesto-link ADDRESS PORT DESKTOP: the display link of one worker to one desktop of another host. Descriptors: 3 the worker's link,
 * 4 the authority's certificate, 5 the gateway's, 6 its key. It is started by the gateway's spawner under a uid of its own, dials, locks
 * itself in, checks that the other side is that desktop's agent, and carries bytes. What goes wrong before is told to the worker as a BYE.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/tls_pipe.h"
#include "base/unixsock.h"
#include "protocol/link/link.h"
#include "protocol/sandbox.h"

#define DIAL_MS 8000 /* the worker waits 10 s for the agent's WELCOME */

enum { LINK_FD = 3, CA_FD, CERT_FD, KEY_FD };

/* Good-bye in the worker's own language; a full socket loses it, the end itself still arrives. */
static void say(int fd, int code, const char *reason)
{
	struct link_message m = { .type = LINK_BYE };
	struct pst_buf out;

	m.bye.code = code;
	m.bye.reason = reason;
	m.bye.len = strlen(reason);
	pst_buf_init(&out, 4096);
	if (link_encode(&out, &m) == 0 && send(fd, out.data, out.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		pst_debug("the worker is gone");
	pst_buf_finish(&out);
}

static char *read_fd(int fd)
{
	char *text = calloc(1, PST_TLS_PEM_MAX + 1);
	ssize_t n = text ? read(fd, text, PST_TLS_PEM_MAX) : -1;

	close(fd);
	if (n <= 0) {
		free(text);
		return NULL;
	}
	return text;
}

static struct pst_tls_trust *read_trust(struct pst_err *err)
{
	char *ca = read_fd(CA_FD);
	struct pst_tls_pair own = { .cert_pem = read_fd(CERT_FD), .key_pem = read_fd(KEY_FD) };
	struct pst_tls_trust *trust = NULL;

	if (!ca || !own.cert_pem || !own.key_pem)
		pst_err_set(err, PST_EIO, "the gateway's certificates for display links cannot be read");
	else
		trust = pst_tls_trust_create(ca, &own, err);
	free(ca);
	pst_tls_pair_finish(&own);
	return trust;
}

struct program {
	const char *address, *desktop;
	int say_fd;
};

static void on_closed(struct pst_tls_pipe *p, bool was_open, const char *reason, void *arg)
{
	struct program *m = arg;
	char text[400];

	if (was_open)
		return;
	snprintf(text, sizeof(text), "the desktop's agent at %s cannot be reached: %s", m->address, reason);
	pst_warn("display link desktop=%s: %s", m->desktop, text);
	say(m->say_fd, PST_EIO, text);
}

static int run(struct program *m, uint16_t port, struct pst_err *err)
{
	static const struct pst_tls_pipe_events events = { .closed = on_closed };
	uv_loop_t loop;
	char peer[80];
	struct pst_tls_pipe_params p = { .loop = &loop, .trust = read_trust(err), .peer = peer, .deadline_ms = DIAL_MS };
	int net, local;

	if (!p.trust)
		return err->code;
	snprintf(peer, sizeof(peer), "puesto:agent:%s", m->desktop);
	net = pst_tcp_dial(m->address, port, err);
	if (net < 0)
		return net;
	if (uv_loop_init(&loop) < 0)
		return pst_err_set(err, PST_EIO, "no loop can be made");
	if (sandbox_enter(err) < 0)
		return err->code;
	local = dup(LINK_FD);
	if (local < 0 || pst_fd_set_nonblock(local, 1) < 0)
		return pst_err_sys(err, PST_EIO, errno, "the display link");
	if (!pst_tls_pipe_create(&p, net, local, &events, m, err))
		return err->code;
	pst_tls_trust_unref(p.trust);
	uv_run(&loop, UV_RUN_DEFAULT);
	return 0;
}

int main(int argc, char **argv)
{
	struct pst_err err = PST_ERR_INIT;
	uint32_t port = 0;

	pst_log_init("puesto-link", PST_INFO, STDERR_FILENO, false);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	if (argc != 4 || pst_parse_u32(argv[2], 1, 65535, &port) < 0) {
		fputs("puesto-link: it is started by puesto-gateway.\n", stderr);
		return 2;
	}
	struct program m = { .address = argv[1], .desktop = argv[3], .say_fd = LINK_FD };
	if (run(&m, (uint16_t)port, &err) == 0)
		return EXIT_SUCCESS;
	pst_error("display link desktop=%s: %s", m.desktop, err.text);
	say(LINK_FD, PST_EIO, err.text);
	return EXIT_FAILURE;
}
