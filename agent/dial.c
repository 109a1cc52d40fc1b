/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One connection at a time. */
#include "agent/dial.h"

#include <stdlib.h>
#include <unistd.h>

#include "agent/clock_step.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/tls_listener.h"
#include "base/unixsock.h"

#define DEADLINE_MS 10000

struct dial {
	uv_loop_t *loop;
	char host[64];
	uint16_t port;
	struct identity *identity;
	struct pst_tls_pipe *pipe;
	struct clock_step *step;
};

static void on_closed(struct pst_tls_pipe *p, bool was_open, const char *reason, void *arg)
{
	struct dial *d = arg;

	if (!was_open)
		pst_warn("the broker at %s port %u: %s", d->host, d->port, reason);
	d->pipe = NULL;
}

static const struct pst_tls_pipe_events events = { .closed = on_closed };

/* The other end of what stood before may be long gone: whoever uses it hears that it ended, and dials anew. */
static void on_step(void *arg)
{
	struct dial *d = arg;

	if (d->pipe)
		pst_info("the clock was set: the broker is dialled anew");
	pst_tls_pipe_close(d->pipe);
	d->pipe = NULL;
}

struct dial *dial_create(uv_loop_t *loop, const char *address, struct identity *identity, struct pst_err *err)
{
	struct dial *d = pst_zalloc(1, sizeof(*d));

	if (!d) {
		pst_err_set(err, PST_ENOMEM, "no memory for the way to the broker");
		return NULL;
	}
	d->loop = loop;
	d->identity = identity;
	if (pst_address_split(address, d->host, &d->port, err) == 0) {
		d->step = clock_step_create(loop, on_step, d); /* without it, silence tells later */
		return d;
	}
	pst_err_wrap(err, "agent.broker_tls");
	free(d);
	return NULL;
}

void dial_destroy(struct dial *d)
{
	if (!d)
		return;

	clock_step_destroy(d->step);
	pst_tls_pipe_close(d->pipe);
	free(d);
}

int dial_begin(void *arg, struct pst_err *err)
{
	struct dial *d = arg;
	const struct pst_tls_pipe_params params = { .loop = d->loop, .trust = identity_trust(d->identity), .peer = "puesto:broker",
		.deadline_ms = DEADLINE_MS };
	int pair[2], net;

	pst_tls_pipe_close(d->pipe);
	d->pipe = NULL;
	net = pst_tcp_dial(d->host, d->port, err);
	if (net < 0)
		return net;
	if (pst_unix_pair(pair, err) < 0) {
		close(net);
		return err->code;
	}
	d->pipe = pst_tls_pipe_create(&params, net, pair[0], &events, d, err);
	if (d->pipe)
		return pair[1];
	close(pair[1]);
	return err->code;
}
