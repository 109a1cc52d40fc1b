/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Talks with a machine. The events' thread says when the stream can be read or written; the talk waits by the driver's lock. */
#include "broker/hypervisor/libvirt/channel.h"

#include "base/buf.h"
#include "base/mem.h"
#include "broker/hypervisor/port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 4096

struct channel {
	struct libvirt *lv;
	struct lv_host *host;
	virStreamPtr stream;
	uint64_t deadline_ms;
	const atomic_bool *stop;
	struct pst_buf in;
	struct wake *wake;
};

/* Outlives the talk, as long as libvirt may call. By the lock of lv. */
struct wake {
	struct libvirt *lv;
	bool is_ready;
};

static void on_ready(virStreamPtr stream, int events, void *arg)
{
	struct wake *w = arg;

	pthread_mutex_lock(&w->lv->lock);
	w->is_ready = true;
	pthread_cond_broadcast(&w->lv->changed);
	pthread_mutex_unlock(&w->lv->lock);
}

static void wake_free(void *arg)
{
	struct wake *w = arg;
	struct libvirt *lv = w->lv;

	free(w);
	lv_unref(lv);
}

/* libvirt tells as long as it is so: only what is waited for is asked for. */
static int ready_wait(struct channel *c, int events, struct pst_err *err)
{
	struct libvirt *lv = c->lv;
	struct timespec until = lv_until(c->deadline_ms);
	int rc = 0;

	pthread_mutex_lock(&lv->lock);
	c->wake->is_ready = false;
	pthread_mutex_unlock(&lv->lock);
	if (virStreamEventUpdateCallback(c->stream, events | VIR_STREAM_EVENT_ERROR | VIR_STREAM_EVENT_HANGUP) < 0)
		return lv_error(err, c->host, "wait for the machine's port");
	pthread_mutex_lock(&lv->lock);
	while (!c->wake->is_ready && rc == 0) {
		if (lv->is_closing || (c->stop && atomic_load(c->stop)))
			rc = pst_err_set(err, PST_ECLOSED, "given up while the machine was waited for");
		else if (pthread_cond_timedwait(&lv->changed, &lv->lock, &until) == ETIMEDOUT)
			rc = pst_err_set(err, PST_ETIMEOUT, "the machine said nothing on its port " LV_CHANNEL);
	}
	pthread_mutex_unlock(&lv->lock);
	(void)virStreamEventUpdateCallback(c->stream, 0);
	return rc;
}

static int say(struct channel *c, const char *text, struct pst_err *err)
{
	size_t len = strlen(text);

	for (size_t done = 0; done < len;) {
		int n = virStreamSend(c->stream, text + done, len - done);

		if (n == -1)
			return lv_error(err, c->host, "speak to the machine");
		if (n > 0)
			done += (size_t)n;
		else if (ready_wait(c, VIR_STREAM_EVENT_WRITABLE, err) < 0)
			return err->code;
	}
	return 0;
}

/* What is in c->in already: 1 when the word is among it. */
static int lines_take(struct channel *c, const char *word, struct pst_err *err)
{
	bool is_it = false;
	uint8_t *end;

	while (!is_it && c->in.len && (end = memchr(c->in.data, '\n', c->in.len))) {
		size_t n = (size_t)(end - c->in.data);

		if (n && port_hear((const char *)c->in.data, n, word, &is_it, err) < 0)
			return err->code;
		pst_buf_consume(&c->in, n + 1);
	}
	return is_it;
}

static int hear(struct channel *c, const char *word, struct pst_err *err)
{
	char piece[PIECE];
	int rc;

	while ((rc = lines_take(c, word, err)) == 0) {
		int n = virStreamRecv(c->stream, piece, sizeof(piece));

		if (n == -1)
			return lv_error(err, c->host, "listen to the machine");
		if (n == 0)
			return pst_err_set(err, PST_ECLOSED, "the machine's port was closed");
		if (n > 0 && pst_buf_append(&c->in, piece, (size_t)n) < 0)
			return pst_err_set(err, PST_ELIMIT, "the machine said more than %u bytes in one line", PORT_LINE_MAX);
		if (n == -2 && ready_wait(c, VIR_STREAM_EVENT_READABLE, err) < 0)
			return err->code;
	}
	return rc < 0 ? rc : 0;
}

static int talk(struct channel *c, virDomainPtr d, const char *text, const char *word, struct pst_err *err)
{
	int rc;

	if (virDomainOpenChannel(d, LV_CHANNEL, c->stream, VIR_DOMAIN_CHANNEL_FORCE) < 0)
		return lv_error(err, c->host, "open the port " LV_CHANNEL);
	lv_ref(c->lv);
	if (virStreamEventAddCallback(c->stream, 0, on_ready, c->wake, wake_free) < 0) {
		rc = lv_error(err, c->host, "wait for the port " LV_CHANNEL);
		lv_unref(c->lv);
	} else {
		rc = (text && say(c, text, err) < 0) || hear(c, word, err) < 0 ? err->code : 0;
		virStreamEventRemoveCallback(c->stream);
		c->wake = NULL; /* libvirt's from the moment it was added */
	}
	virStreamAbort(c->stream);
	return rc;
}

int lv_channel_talk(struct lv_host *h, virDomainPtr d, const char *text, const char *word, uint64_t deadline_ms, const atomic_bool *stop,
	struct pst_err *err)
{
	struct channel c = { .lv = h->lv, .host = h, .deadline_ms = deadline_ms, .stop = stop, .wake = pst_zalloc(1, sizeof(*c.wake)) };
	int rc;

	c.stream = virStreamNew(virDomainGetConnect(d), VIR_STREAM_NONBLOCK);
	if (!c.stream || !c.wake) {
		rc = c.stream ? pst_err_set(err, PST_ENOMEM, "no memory") : lv_error(err, h, "make a stream");
	} else {
		c.wake->lv = h->lv;
		pst_buf_init(&c.in, PORT_LINE_MAX);
		rc = talk(&c, d, text, word, err);
		pst_buf_finish(&c.in);
	}
	if (c.stream)
		virStreamFree(c.stream);
	free(c.wake);
	return rc;
}
