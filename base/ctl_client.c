/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A control connection that is made again after it is lost. */
#include "base/ctl_client.h"

#include "base/hash.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define BACKOFF_MIN_MS 50
#define BACKOFF_MAX_MS 2000

/* A call that found no connection; it is refused in the next turn. */
struct refused {
	struct refused *next;
	uint64_t turn;
	pst_ctl_done_cb done;
	void *arg;
};

struct pst_ctl_client {
	uv_loop_t *loop;
	char *path; /* or the connection's name */
	pst_ctl_dial_cb dial;
	void *dial_arg;
	const struct pst_ctl_client_events *events;
	void *arg;
	struct pst_ctl *ctl;
	struct pst_timer *retry;
	struct pst_timer *refuse;
	uint64_t backoff_ms;
	bool is_closed;
	struct refused *refused; /* oldest first */
	uint64_t turn;
	char reason[200];
};

static void try_connect(void *arg);

/* Half of the pause is random, so that many clients of a restarted server spread out. */
static void retry_later(struct pst_ctl_client *c)
{
	uint16_t dice;

	pst_random(&dice, sizeof(dice));
	uint64_t wait = c->backoff_ms / 2 + dice % (c->backoff_ms / 2 + 1);
	c->backoff_ms = PST_MIN(c->backoff_ms * 2, (uint64_t)BACKOFF_MAX_MS);
	pst_timer_start(c->retry, wait, try_connect, c);
}

static void on_message(struct pst_ctl *ctl, json_t *msg, int fd, void *arg)
{
	struct pst_ctl_client *c = arg;

	c->backoff_ms = BACKOFF_MIN_MS; /* A server that talks is a server that works. */
	if (c->events->message)
		c->events->message(c, msg, fd, c->arg);
	else
		pst_fd_close(&fd);
}

static void on_closed(struct pst_ctl *ctl, const char *reason, void *arg)
{
	struct pst_ctl_client *c = arg;

	c->ctl = NULL;
	pst_strlcpy(c->reason, sizeof(c->reason), reason);
	retry_later(c);
	if (c->events->closed)
		c->events->closed(c, reason, c->arg);
}

static const struct pst_ctl_events ctl_events = {
	.message = on_message,
	.closed = on_closed,
};

static void try_connect(void *arg)
{
	struct pst_ctl_client *c = arg;
	struct pst_err err = PST_ERR_INIT;
	int fd = c->dial(c->dial_arg, &err);

	if (fd >= 0)
		c->ctl = pst_ctl_create(c->loop, fd, &ctl_events, c);
	if (!c->ctl) {
		pst_strlcpy(c->reason, sizeof(c->reason), fd < 0 ? err.text : "out of memory");
		retry_later(c);
		return;
	}

	c->reason[0] = '\0';
	c->events->connected(c, c->ctl, c->arg);
}

static int dial_path(void *arg, struct pst_err *err)
{
	struct pst_ctl_client *c = arg;

	return pst_unix_connect(c->path, err);
}

struct pst_ctl_client *pst_ctl_client_create(uv_loop_t *loop, const char *path,
	const struct pst_ctl_client_events *events, void *arg)
{
	return pst_ctl_client_create_dial(loop, path, NULL, NULL, events, arg);
}

struct pst_ctl_client *pst_ctl_client_create_dial(uv_loop_t *loop, const char *name, pst_ctl_dial_cb dial, void *dial_arg,
	const struct pst_ctl_client_events *events, void *arg)
{
	struct pst_ctl_client *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->loop = loop;
	c->events = events;
	c->arg = arg;
	c->backoff_ms = BACKOFF_MIN_MS;
	pst_strlcpy(c->reason, sizeof(c->reason), "not connected yet");
	c->path = strdup(name);
	c->dial = dial ? dial : dial_path;
	c->dial_arg = dial ? dial_arg : c;
	c->retry = pst_timer_create(loop);
	c->refuse = pst_timer_create(loop);
	if (!c->path || !c->retry || !c->refuse) {
		pst_ctl_client_close(c);
		return NULL;
	}

	pst_timer_start(c->retry, 0, try_connect, c);
	return c;
}

/* Callbacks may cancel others, or call again: that one waits for the next turn. */
static void refuse_all(struct pst_ctl_client *c)
{
	uint64_t turn = ++c->turn;

	while (c->refused && c->refused->turn < turn) {
		struct refused *r = c->refused;
		struct pst_err err;

		c->refused = r->next;
		pst_err_set(&err, PST_ECLOSED, "%s: %s", c->path,
			c->reason[0] ? c->reason : "not connected");
		r->done(NULL, -1, &err, r->arg);
		free(r);
	}
}

static void refuse_timer(void *arg)
{
	struct pst_ctl_client *c = arg;

	refuse_all(c);
	if (c->refused && !c->is_closed)
		pst_timer_start(c->refuse, 0, refuse_timer, c);
}

static void client_free(void *arg)
{
	struct pst_ctl_client *c = arg;

	refuse_all(c);
	pst_timer_destroy(c->refuse);
	free(c->path);
	free(c);
}

void pst_ctl_client_close(struct pst_ctl_client *c)
{
	if (!c || c->is_closed)
		return;

	c->is_closed = true;
	pst_timer_destroy(c->retry);
	pst_ctl_close(c->ctl);
	c->ctl = NULL;
	if (c->refuse)
		pst_timer_start(c->refuse, 0, client_free, c); /* not under its callbacks' feet */
	else
		client_free(c);
}

struct pst_ctl *pst_ctl_client_ctl(struct pst_ctl_client *c)
{
	return c->ctl && !pst_ctl_is_closing(c->ctl) ? c->ctl : NULL;
}

int pst_ctl_client_send(struct pst_ctl_client *c, json_t *msg)
{
	struct pst_ctl *ctl = pst_ctl_client_ctl(c);

	if (ctl)
		return pst_ctl_send(ctl, msg);
	json_decref(msg);
	return PST_ECLOSED;
}

void pst_ctl_client_call(struct pst_ctl_client *c, json_t *msg, uint64_t timeout_ms,
	pst_ctl_done_cb done, void *arg)
{
	struct pst_ctl *ctl = pst_ctl_client_ctl(c);

	if (ctl) {
		pst_ctl_call(ctl, msg, timeout_ms, done, arg);
		return;
	}

	json_decref(msg);
	struct refused *r = calloc(1, sizeof(*r)), **at = &c->refused;
	PRE(r);
	*r = (struct refused){ .turn = c->turn, .done = done, .arg = arg };
	while (*at)
		at = &(*at)->next;
	*at = r;
	if (!c->is_closed)
		pst_timer_start(c->refuse, 0, refuse_timer, c);
}

void pst_ctl_client_call_cancel(struct pst_ctl_client *c, void *arg)
{
	struct refused **at = &c->refused;

	if (c->ctl)
		pst_ctl_call_cancel(c->ctl, arg);
	while (*at) {
		struct refused *r = *at;

		if (r->arg == arg) {
			*at = r->next;
			free(r);
		} else {
			at = &r->next;
		}
	}
}

const char *pst_ctl_client_reason(const struct pst_ctl_client *c)
{
	return c->reason;
}
