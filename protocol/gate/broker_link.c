/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calls to the broker with a grace time while it restarts. */
#include "protocol/gate/broker_link.h"

#include <stdlib.h>

#include "base/ctl_client.h"
#include "base/log.h"
#include "base/loop.h"

#define KEPT_MAX 256    /* notifications kept while the broker is away */
#define CALLS_MAX 4096  /* calls that wait or run */

struct broker_call {
	struct broker_link *link;
	struct broker_call *next, **at;
	struct pst_timer *grace;
	json_t *msg; /* owned; its "id" is the call's once it was sent */
	uint64_t timeout_ms;
	bool may_repeat, is_sent;
	pst_ctl_progress_cb progress;
	pst_ctl_done_cb done;
	void *arg;
};

struct broker_link {
	uv_loop_t *loop;
	struct pst_ctl_client *client;
	const struct broker_events *ev;
	void *arg;
	struct broker_call *calls;
	size_t n_calls;
	json_t *kept;
};

static void call_free(struct broker_call *call)
{
	*call->at = call->next;
	if (call->next)
		call->next->at = call->at;
	call->link->n_calls--;
	pst_timer_destroy(call->grace);
	json_decref(call->msg);
	free(call);
}

static void call_finish(struct broker_call *call, json_t *reply, int fd, const struct pst_err *err)
{
	pst_ctl_done_cb done = call->done;
	void *arg = call->arg;

	call_free(call);
	done(reply, fd, err, arg);
}

static void on_grace_over(void *arg)
{
	struct pst_err err;

	pst_err_set(&err, PST_ECLOSED, "the broker cannot be reached");
	call_finish(arg, NULL, -1, &err);
}

static void on_progress(json_t *msg, int fd, void *arg)
{
	struct broker_call *call = arg;

	call->may_repeat = false;
	if (call->progress)
		call->progress(msg, fd, call->arg);
	else if (fd >= 0)
		pst_fd_close(&fd);
}

static void on_done(json_t *reply, int fd, const struct pst_err *err, void *arg)
{
	struct broker_call *call = arg;

	if (!reply && err->code == PST_ECLOSED && call->may_repeat) {
		call->may_repeat = false;
		call->is_sent = false;
		pst_timer_start(call->grace, BROKER_GRACE_MS, on_grace_over, call);
		return;
	}
	call_finish(call, reply, fd, err);
}

static void call_send(struct broker_call *call, struct pst_ctl *ctl)
{
	call->is_sent = true;
	pst_timer_stop(call->grace);
	pst_ctl_call_progress(ctl, json_incref(call->msg), -1, call->timeout_ms, on_progress, on_done, call);
}

static void on_connected(struct pst_ctl_client *client, struct pst_ctl *ctl, void *arg)
{
	struct broker_link *b = arg;
	struct broker_call *next;
	json_t *msg;
	size_t i;

	pst_info("broker connected");
	pst_ctl_send(ctl, b->ev->hello(b->arg));
	json_array_foreach (b->kept, i, msg)
		pst_ctl_send(ctl, json_incref(msg));
	json_array_clear(b->kept);
	for (struct broker_call *call = b->calls; call; call = next) {
		next = call->next;
		if (!call->is_sent)
			call_send(call, ctl);
	}
}

static void on_message(struct pst_ctl_client *client, json_t *msg, int fd, void *arg)
{
	struct broker_link *b = arg;

	if (fd >= 0)
		pst_fd_close(&fd);
	b->ev->message(b->arg, msg);
}

static void on_closed(struct pst_ctl_client *client, const char *reason, void *arg)
{
	pst_warn("broker lost reason=\"%s\": streams go on, log-ins wait", reason);
}

static const struct pst_ctl_client_events client_events = { .connected = on_connected, .message = on_message, .closed = on_closed };

struct broker_link *broker_link_create(uv_loop_t *loop, const char *path, const struct broker_events *ev, void *arg)
{
	struct broker_link *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->loop = loop;
	b->ev = ev;
	b->arg = arg;
	b->kept = json_array();
	b->client = b->kept ? pst_ctl_client_create(loop, path, &client_events, b) : NULL;
	if (!b->client) {
		broker_link_close(b);
		return NULL;
	}
	return b;
}

void broker_link_close(struct broker_link *b)
{
	struct pst_err err;

	if (!b)
		return;
	pst_err_set(&err, PST_ECLOSED, "the gateway is stopping");
	while (b->calls) {
		if (b->calls->is_sent && broker_link_is_up(b))
			pst_ctl_call_cancel(pst_ctl_client_ctl(b->client), b->calls);
		call_finish(b->calls, NULL, -1, &err);
	}
	pst_ctl_client_close(b->client);
	json_decref(b->kept);
	free(b);
}

bool broker_link_is_up(const struct broker_link *b)
{
	return pst_ctl_client_ctl(b->client) != NULL;
}

struct broker_call *broker_call(struct broker_link *b, json_t *msg, uint64_t timeout_ms, bool may_repeat, pst_ctl_progress_cb progress,
				pst_ctl_done_cb done, void *arg)
{
	struct broker_call *call = msg && b->n_calls < CALLS_MAX ? calloc(1, sizeof(*call)) : NULL;

	if (call)
		call->grace = pst_timer_create(b->loop);
	if (!call || !call->grace) {
		free(call);
		json_decref(msg);
		return NULL;
	}
	call->link = b;
	call->msg = msg;
	call->timeout_ms = timeout_ms;
	call->may_repeat = may_repeat;
	call->progress = progress;
	call->done = done;
	call->arg = arg;
	call->next = b->calls;
	call->at = &b->calls;
	if (b->calls)
		b->calls->at = &call->next;
	b->calls = call;
	b->n_calls++;
	if (broker_link_is_up(b))
		call_send(call, pst_ctl_client_ctl(b->client));
	else
		pst_timer_start(call->grace, BROKER_GRACE_MS, on_grace_over, call);
	return call;
}

void broker_call_cancel(struct broker_call *call)
{
	struct pst_ctl *ctl = pst_ctl_client_ctl(call->link->client);

	if (call->is_sent && ctl) {
		json_t *id = json_object_get(call->msg, "id");

		pst_ctl_call_cancel(ctl, call);
		if (id)
			pst_ctl_send(ctl, json_pack("{s:s, s:O}", "op", "cancel", "call", id));
	}
	call_free(call);
}

void broker_notify(struct broker_link *b, json_t *msg)
{
	struct pst_ctl *ctl = pst_ctl_client_ctl(b->client);

	if (ctl) {
		pst_ctl_send(ctl, msg);
		return;
	}
	if (json_array_size(b->kept) == KEPT_MAX)
		json_array_remove(b->kept, 0);
	json_array_append_new(b->kept, msg);
}
