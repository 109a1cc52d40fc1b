/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One HTTPS connection of the gate. */
#include "protocol/gate/http_conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "protocol/gate/gate_priv.h"
#include "protocol/gate/stream.h"

#define IN_MAX (HTTP_BODY_MAX + HTTP_HEAD_MAX + 32768) /* and a read of what follows */
#define OUT_MAX (2 * 1024 * 1024) /* unsent bytes of answers */
#define FILE_CHUNK 65536
#define BODY_MS 15000
#define IDLE_MS 30000
#define SEND_MS 30000 /* without progress */

enum phase {
	PHASE_HEAD, /* reading or waiting for a request */
	PHASE_BODY,
	PHASE_BUSY, /* a handler has it */
	PHASE_FILE, /* sending a file */
	PHASE_END,  /* flushing, then closed */
};

struct http_conn {
	struct gate *gate;
	struct http_conn *next, **at;
	struct stream *stream;
	struct pst_timer *deadline;
	enum phase phase;
	struct limits_key key;
	bool is_counted_open, keep_alive, is_chunked, sends_body, is_processing;
	char remote[64];
	struct pst_buf in, head_out;
	void (*gone)(void *arg);
	void *gone_arg;
	uint64_t began_ms;
	struct webfile file;
	uint64_t file_left;
	struct http_head head;
};

static void process(struct http_conn *c);

static void conn_free(struct http_conn *c)
{
	*c->at = c->next;
	if (c->next)
		c->next->at = c->at;
	pst_timer_destroy(c->deadline);
	pst_buf_finish(&c->in);
	pst_buf_finish(&c->head_out);
	if (c->file.fd >= 0)
		close(c->file.fd);
	free(c);
}

static void conn_gone(struct http_conn *c)
{
	if (c->gone)
		c->gone(c->gone_arg);
	limits_closed(c->gate->limits, &c->key, c->is_counted_open);
	conn_free(c);
}

static void on_deadline(void *arg)
{
	struct http_conn *c = arg;
	struct stream *s = c->stream;

	/* A request that began and did not end gets its answer; everything else just ends. */
	if ((c->phase == PHASE_HEAD && c->in.len) || c->phase == PHASE_BODY) {
		c->keep_alive = false;
		http_conn_problem(c, 408, "too_slow", "The request took too long to arrive. Send it again.",
				  "La petición ha tardado demasiado en llegar. Envíela de nuevo.", 0);
		return;
	}
	conn_gone(c);
	stream_close(s);
}

static void set_deadline(struct http_conn *c, uint64_t ms)
{
	if (ms)
		pst_timer_start(c->deadline, ms, on_deadline, c);
	else
		pst_timer_stop(c->deadline);
}

static void refuse(struct http_conn *c, int status)
{
	c->keep_alive = false;
	c->sends_body = true;
	http_conn_problem(c, status, "bad_request", "The request breaks the rules of HTTP and was not read further.",
			  "La petición incumple las reglas de HTTP y no se ha seguido leyendo.", 0);
}

static void start_body(struct http_conn *c)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

	c->phase = PHASE_BODY;
	set_deadline(c, BODY_MS);
	if (c->head.expects_continue && c->in.len < c->head.length) {
		stream_write(c->stream, go_on, sizeof(go_on) - 1);
		stream_flush(c->stream);
	}
}

/* Reads a head from what has come; true when there was one. */
static bool read_head(struct http_conn *c)
{
	int n = http_head_parse(&c->head, c->in.data, c->in.len);

	if (n == 0)
		return false;
	if (!c->is_counted_open) {
		limits_opened(c->gate->limits, &c->key);
		c->is_counted_open = true;
	}
	if (n < 0) {
		refuse(c, -n);
		return false;
	}
	pst_buf_consume(&c->in, (size_t)n);
	c->keep_alive = c->head.keep_alive;
	c->sends_body = c->head.method != HTTP_HEAD;
	start_body(c);
	return true;
}

static void dispatch(struct http_conn *c)
{
	c->phase = PHASE_BUSY;
	set_deadline(c, 0);
	http_route(c);
}

/* Drives the connection on as far as its bytes reach. A handler may detach the connection, which ends the loop by is_processing's copy. */
static void process(struct http_conn *c)
{
	if (c->is_processing)
		return;
	c->is_processing = true;
	while (c->phase == PHASE_HEAD || c->phase == PHASE_BODY) {
		if (c->phase == PHASE_HEAD && (!c->in.len || !read_head(c)))
			break;
		if (c->phase == PHASE_BODY) {
			if (c->in.len < c->head.length)
				break;
			if (c->head.is_upgrade) {
				/* The handler may free c. */
				c->is_processing = false;
				dispatch(c);
				return;
			}
			dispatch(c);
		}
	}
	c->is_processing = false;
	stream_pause(c->stream, c->phase != PHASE_END && c->in.len >= HTTP_HEAD_MAX && c->phase >= PHASE_BUSY);
}

static void on_opened(void *arg)
{
	(void)arg; /* the deadline runs on until the first head */
}

static void on_data(void *arg, const uint8_t *bytes, size_t len)
{
	struct http_conn *c = arg;
	bool was_idle = c->phase == PHASE_HEAD && !c->in.len && c->is_counted_open;

	if (c->phase == PHASE_END)
		return;
	if (pst_buf_append(&c->in, bytes, len) < 0) {
		refuse(c, 413);
		return;
	}
	if (was_idle)
		set_deadline(c, c->gate->config->preauth_ms);
	process(c);
}

static void send_file(struct http_conn *c)
{
	uint8_t chunk[FILE_CHUNK];

	while (c->file_left && stream_queued(c->stream) < FILE_CHUNK) {
		size_t want = c->file_left < sizeof(chunk) ? (size_t)c->file_left : sizeof(chunk);
		ssize_t n = read(c->file.fd, chunk, want);

		if (n <= 0 || stream_write(c->stream, chunk, (size_t)n) < 0) {
			http_conn_abort(c);
			return;
		}
		c->file_left -= (uint64_t)n;
		stream_flush(c->stream);
	}
	if (c->file_left) {
		set_deadline(c, SEND_MS);
		return;
	}
	close(c->file.fd);
	c->file.fd = -1;
	http_conn_done(c);
}

static void on_drained(void *arg)
{
	struct http_conn *c = arg;

	if (c->phase == PHASE_FILE)
		send_file(c);
	else if (c->phase == PHASE_BUSY)
		set_deadline(c, 0);
}

static void on_closed(void *arg, const char *reason)
{
	(void)reason;
	conn_gone(arg);
}

static const struct stream_events events = { .opened = on_opened, .data = on_data, .drained = on_drained, .closed = on_closed };

int http_conn_create(struct gate *g, int fd, const struct limits_key *key, const char *remote)
{
	struct http_conn *c = calloc(1, sizeof(*c));
	struct pst_err err = PST_ERR_INIT;

	if (c)
		c->deadline = pst_timer_create(g->loop);
	if (!c || !c->deadline) {
		free(c);
		close(fd);
		limits_closed(g->limits, key, false);
		return PST_ENOMEM;
	}
	c->began_ms = pst_mono_ms();
	c->gate = g;
	c->key = *key;
	c->file.fd = -1;
	snprintf(c->remote, sizeof(c->remote), "%s", remote);
	pst_buf_init(&c->in, IN_MAX);
	pst_buf_init(&c->head_out, 64 * 1024);
	c->stream = stream_create(g->loop, fd, g->tls, OUT_MAX, &events, c, &err);
	if (!c->stream) {
		pst_warn("connection refused remote=%s reason=\"%s\"", remote, err.text);
		limits_closed(g->limits, key, false);
		pst_timer_destroy(c->deadline);
		free(c);
		return err.code;
	}
	c->next = g->conns;
	c->at = &g->conns;
	if (g->conns)
		g->conns->at = &c->next;
	g->conns = c;
	set_deadline(c, g->config->preauth_ms);
	return 0;
}

void http_conn_close_all(struct gate *g)
{
	while (g->conns) {
		struct stream *s = g->conns->stream;

		conn_gone(g->conns);
		stream_close(s);
	}
}

struct gate *http_conn_gate(const struct http_conn *c)
{
	return c->gate;
}

const struct http_head *http_conn_head(const struct http_conn *c)
{
	return &c->head;
}

const char *http_conn_remote(const struct http_conn *c)
{
	return c->remote;
}

const struct limits_key *http_conn_key(const struct http_conn *c)
{
	return &c->key;
}

const uint8_t *http_conn_body(const struct http_conn *c, size_t *ret_len)
{
	*ret_len = c->head.length;
	return c->in.data;
}

void http_conn_set_handler(struct http_conn *c, void (*gone)(void *arg), void *arg)
{
	c->gone = gone;
	c->gone_arg = arg;
}

struct pst_buf *http_conn_begin(struct http_conn *c, struct http_reply *r)
{
	/* A body of unknown length goes in chunks, or to HTTP/1.0 until the end of the connection. */
	c->is_chunked = r->length == HTTP_LENGTH_UNKNOWN && c->head.minor == 1 && c->sends_body;
	if (r->length == HTTP_LENGTH_UNKNOWN && c->head.minor == 0)
		c->keep_alive = false;
	r->is_chunked = c->is_chunked;
	r->keep_alive = c->keep_alive;
	pst_buf_reset(&c->head_out);
	http_reply_begin(&c->head_out, r);
	return &c->head_out;
}

/* The head leaves with the first bytes of the body. */
static int write_head(struct http_conn *c)
{
	int rc;

	if (!c->head_out.len)
		return 0;
	http_reply_end(&c->head_out);
	rc = c->head_out.failed ? PST_ELIMIT : stream_write(c->stream, c->head_out.data, c->head_out.len);
	pst_buf_reset(&c->head_out);
	return rc;
}

int http_conn_write(struct http_conn *c, const void *data, size_t len)
{
	char size[20];
	int rc = write_head(c);

	if (rc == 0 && len && c->sends_body) {
		if (c->is_chunked) {
			int n = snprintf(size, sizeof(size), "%zx\r\n", len);

			rc = stream_write(c->stream, size, PST_MIN((size_t)n, sizeof(size) - 1));
		}
		if (rc == 0)
			rc = stream_write(c->stream, data, len);
		if (rc == 0 && c->is_chunked)
			rc = stream_write(c->stream, "\r\n", 2);
	}
	stream_flush(c->stream);
	if (stream_queued(c->stream))
		set_deadline(c, SEND_MS);
	return rc;
}

void http_conn_done(struct http_conn *c)
{
	bool failed = write_head(c) < 0 || (c->is_chunked && stream_write(c->stream, "0\r\n\r\n", 5) < 0);

	if (failed) {
		http_conn_abort(c);
		return;
	}
	http_conn_set_handler(c, NULL, NULL);
	stream_flush(c->stream);
	if (!c->keep_alive) {
		c->phase = PHASE_END;
		set_deadline(c, SEND_MS);
		stream_pause(c->stream, false);
		stream_end(c->stream);
		return;
	}
	pst_buf_consume(&c->in, PST_MIN((size_t)c->head.length, c->in.len));
	c->head.length = 0;
	c->phase = PHASE_HEAD;
	set_deadline(c, IDLE_MS);
	stream_pause(c->stream, false);
	process(c);
}

void http_conn_abort(struct http_conn *c)
{
	http_conn_set_handler(c, NULL, NULL);
	c->phase = PHASE_END;
	c->keep_alive = false;
	set_deadline(c, 1);
}

void http_conn_reply(struct http_conn *c, struct http_reply *r, const void *body, size_t len)
{
	r->length = len;
	http_conn_begin(c, r);
	if (http_conn_write(c, body, len) < 0)
		http_conn_abort(c);
	else
		http_conn_done(c);
}

void http_conn_problem(struct http_conn *c, int status, const char *code, const char *title_en, const char *title_es, uint32_t retry_after)
{
	struct http_reply r = { .status = status, .type = "application/problem+json", .retry_after = retry_after };
	struct pst_buf body;

	pst_buf_init(&body, 4096);
	http_problem(&body, status, code, title_en, title_es);
	http_conn_reply(c, &r, body.data, body.len);
	pst_buf_finish(&body);
}

void http_conn_file(struct http_conn *c, struct http_reply *r, struct webfile *file)
{
	r->length = file->size;
	http_conn_begin(c, r);
	if (write_head(c) < 0) {
		close(file->fd);
		http_conn_abort(c);
		return;
	}
	c->file = *file;
	c->file_left = c->sends_body ? file->size : 0;
	c->phase = PHASE_FILE;
	send_file(c);
}

struct stream *http_conn_detach(struct http_conn *c, struct pst_buf *ret_rest)
{
	struct stream *s = c->stream;

	pst_buf_init(ret_rest, IN_MAX);
	pst_buf_append(ret_rest, c->in.data, c->in.len);
	conn_free(c);
	return s;
}

static struct http_conn *oldest_half_open(const struct gate *g)
{
	struct http_conn *found = NULL;

	for (struct http_conn *c = g->conns; c; c = c->next)
		if (!c->is_counted_open)
			found = c;
	return found;
}

uint64_t http_conn_oldest_ms(const struct gate *g)
{
	const struct http_conn *c = oldest_half_open(g);

	return c ? c->began_ms : UINT64_MAX;
}

void http_conn_drop_oldest(struct gate *g)
{
	struct http_conn *c = oldest_half_open(g);
	struct stream *s = c->stream;

	conn_gone(c);
	stream_close(s);
}
