/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The front end of our browser client: its life, its table of functions, and what the desktop shows. See docs/web-protocol.md. */
#include "protocol/front/ws/ws_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "protocol/front/ws/ws.h"

#define HELLO_DEADLINE_MS 10000
#define SILENCE_MAX_MS 90000 /* the client sends a PING every 30 s; a hidden page may be slow at it */
#define END_DEADLINE_MS 2000
#define STATS_EVERY_US 1000000
#define PROBE_BYTES 8192 /* a frame from which the path's rate is learnt */
#define BODY_KEEP (128u * 1024) /* bytes; a larger frame's memory is given back when it has gone */
#define QUEUE_FREE (64u * 1024) /* bytes before the socket above which nothing is added that can wait */

static struct ws *ws_of(struct front *f)
{
	return pst_container_of(f, struct ws, front);
}

static int put_body(struct ws *w, uint8_t type)
{
	if (w->phase == WS_ENDING || w->phase == WS_CLOSED)
		return PST_ECLOSED;
	if (w->body.failed) {
		ws_stream_break(w->stream, "there is no memory for a message to the browser");
		return PST_ENOMEM;
	}
	return ws_stream_put(w->stream, type, w->body.data, w->body.len);
}

static void closed(struct ws *w, int code, const char *reason)
{
	if (w->phase == WS_CLOSED)
		return;
	bool is_ours = w->phase == WS_ENDING;

	w->phase = WS_CLOSED;
	pst_timer_stop(w->timer);
	w->ev->closed(w->arg, is_ours ? w->end_code : code, is_ours ? w->end_reason : reason);
}

static void on_timer(void *arg)
{
	struct ws *w = arg;
	uint64_t silent_ms = (pst_mono_us() - w->heard_us) / 1000;

	if (w->phase == WS_ENDING)
		closed(w, w->end_code, w->end_reason);
	else if (w->phase == WS_HELLO)
		ws_end(w, PST_ETIMEOUT, "the browser did not introduce itself within 10 seconds",
		       "el navegador no se ha presentado en 10 segundos");
	else if (w->phase == WS_OPEN && silent_ms >= SILENCE_MAX_MS)
		ws_end(w, PST_ETIMEOUT, "the browser has been silent for 90 seconds", "el navegador lleva 90 segundos sin dar señales");
	else if (w->phase == WS_OPEN)
		pst_timer_start(w->timer, SILENCE_MAX_MS - silent_ms, on_timer, w);
}

void ws_end(struct ws *w, int code, const char *reason_en, const char *reason_es)
{
	if (w->phase == WS_ENDING || w->phase == WS_CLOSED)
		return;
	pst_buf_reset(&w->body);
	pst_buf_put_be16(&w->body, (uint16_t)abs(code));
	ws_write_texts(&w->body, reason_en, reason_es);
	put_body(w, WS_S_END);
	w->phase = WS_ENDING;
	w->end_code = code;
	pst_strlcpy(w->end_reason, sizeof(w->end_reason), reason_en ? reason_en : "");
	ws_stream_finish(w->stream);
	pst_timer_start(w->timer, END_DEADLINE_MS, on_timer, w);
}

static void free_all(struct ws *w)
{
	ws_frame_writer_finish(&w->writer);
	pst_buf_finish(&w->body);
	pst_buf_finish(&w->pasted);
	for (int i = 0; i < WS_LATEST_KINDS; i++)
		pst_buf_finish(&w->waiting[i].body);
	free(w);
}

static void on_message(void *arg, const uint8_t *data, size_t len)
{
	struct ws *w = arg;
	bool was_hello = w->phase == WS_HELLO;

	w->is_in_message = true;
	ws_receive(w, data, len);
	w->is_in_message = false;
	if (w->is_freed)
		free_all(w);
	else if (was_hello && w->phase == WS_OPEN)
		pst_timer_start(w->timer, SILENCE_MAX_MS, on_timer, w);
}

/* Sends, or keeps for later when the socket is busy. */
static void put_latest(struct ws *w, enum ws_latest kind)
{
	static const uint8_t types[WS_LATEST_KINDS] = { WS_S_CURSOR, WS_S_POINTER, WS_S_CLIPBOARD };
	struct ws_waiting *wait = &w->waiting[kind];

	wait->is_set = wait->body.failed || ws_stream_queued(w->stream) > QUEUE_FREE;
	if (wait->body.failed || wait->is_set || w->phase == WS_ENDING || w->phase == WS_CLOSED)
		return;
	ws_stream_put(w->stream, types[kind], wait->body.data, wait->body.len);
}

static void on_drained(void *arg)
{
	struct ws *w = arg;

	for (int i = 0; i < WS_LATEST_KINDS; i++) {
		if (w->waiting[i].is_set)
			put_latest(w, i);
	}
	ws_group_wake(w);
	ws_check_ready(w);
}

static void on_failed(void *arg, int code, const char *reason)
{
	closed(arg, code, reason);
}

static const struct ws_stream_events stream_events = {
	.message = on_message,
	.drained = on_drained,
	.failed = on_failed,
};

static void ws_close(struct front *f)
{
	struct ws *w = ws_of(f);

	w->phase = WS_CLOSED;
	ws_group_leave(w);
	ws_stream_destroy(w->stream);
	pst_timer_destroy(w->timer);
	w->is_freed = true;
	if (!w->is_in_message)
		free_all(w);
}

static void init_buffers(struct ws *w)
{
	pst_buf_init(&w->body, WS_FRAME_MAX);
	pst_buf_init(&w->pasted, WS_CLIPBOARD_MAX);
	pst_buf_init(&w->waiting[WS_LATEST_CURSOR].body, 8 + CURSOR_SIDE_MAX * CURSOR_SIDE_MAX * 4);
	pst_buf_init(&w->waiting[WS_LATEST_POINTER].body, 4);
	pst_buf_init(&w->waiting[WS_LATEST_CLIPBOARD].body, WS_CLIPBOARD_MAX);
}

static struct front *ws_open(const struct front_params *p, const struct front_events *ev, void *arg, struct pst_err *err)
{
	struct ws *w = pst_zalloc(1, sizeof(*w));

	if (!w) {
		pst_err_set(err, PST_ENOMEM, "there is no memory for another browser connection");
		return NULL;
	}
	w->front.type = &front_ws;
	w->ev = ev;
	w->arg = arg;
	w->clipboard_in = p->clipboard_in;
	w->clipboard_out = p->clipboard_out;
	w->scale_pct = WS_SCALE_MIN;
	w->heard_us = pst_mono_us();
	window_init(&w->window);
	init_buffers(w);
	w->timer = pst_timer_create(p->loop);
	if (!w->timer)
		goto fail;
	w->stream = ws_stream_create(p->loop, p->fd, &stream_events, w);
	if (!w->stream)
		goto fail;

	struct ws_hello hello = { p->clipboard_in, p->clipboard_out, p->is_view_only, p->desktop_name, p->user };

	ws_write_hello(&w->body, &hello);
	put_body(w, WS_S_HELLO);
	pst_timer_start(w->timer, HELLO_DEADLINE_MS, on_timer, w);
	return &w->front;
fail:
	pst_err_set(err, PST_ENOMEM, "the browser connection cannot be set up: no memory");
	ws_close(&w->front);
	return NULL;
}

static void ws_status(struct front *f, const char *text_en, const char *text_es)
{
	struct ws *w = ws_of(f);

	pst_buf_reset(&w->body);
	ws_write_texts(&w->body, text_en, text_es);
	put_body(w, WS_S_STATUS);
}

static int ws_surface(struct front *f, int32_t width, int32_t height, struct pst_err *err)
{
	struct ws *w = ws_of(f);

	pst_buf_reset(&w->body);
	ws_write_surface(&w->body, width, height, w->scale_pct);
	if (put_body(w, WS_S_SURFACE) < 0)
		return pst_err_set(err, PST_ECLOSED, "the connection to the browser is gone");
	ws_group_surface(w, width, height);
	return 0;
}

static bool ws_can_send(struct front *f)
{
	struct ws *w = ws_of(f);
	bool can = w->phase == WS_OPEN && ws_stream_queued(w->stream) == 0 && window_is_open(&w->window);

	if (!can)
		w->wants_ready = true;
	return can;
}

static bool ws_can_send_small(struct front *f)
{
	struct ws *w = ws_of(f);

	return w->phase == WS_OPEN && ws_stream_queued(w->stream) == 0 && window_is_open_small(&w->window);
}

void ws_check_ready(struct ws *w)
{
	if (!w->wants_ready || !ws_can_send(&w->front))
		return;
	w->wants_ready = false;
	w->ev->ready(w->arg);
}

static void put_stats(struct ws *w, uint64_t now_us)
{
	struct ws_stats stats = {
		.rtt_us = window_rtt_us(&w->window),
		.rate_kbps = window_rate_kbps(&w->window),
		.in_flight = (uint32_t)PST_MIN(w->window.in_flight, (uint64_t)UINT32_MAX),
		.encode_us = (uint32_t)PST_MIN(w->encode_us, (uint64_t)UINT32_MAX),
		.frames = w->window.frames_sent,
		.bytes = ws_stream_sent(w->stream),
		.mix = &w->writer.mix,
	};

	pst_buf_reset(&w->body);
	ws_write_stats(&w->body, &stats);
	put_body(w, WS_S_STATS);
	w->stats_us = now_us;
	w->encode_us = 0;
}

/* A frame without operations: its acknowledgement shows the round trip that a large one's length hides. */
static void put_probe(struct ws *w, uint64_t now_ns)
{
	uint8_t body[WS_FRAME_HEAD];

	ws_frame_head(body, (uint32_t)++w->sequence, WS_FRAME_MORE, 0);
	window_sent(&w->window, w->sequence, sizeof(body), now_ns);
	ws_stream_put(w->stream, WS_S_FRAME, body, sizeof(body));
}

/* Numbers the frame that w->body holds. True when it is to be acknowledged. */
static bool number_frame(struct ws *w, const struct op_list *ops, uint64_t now_ns)
{
	uint8_t flags = w->body.data[4]; /* as the writer says */
	bool is_quiet = window_may_be_quiet(&w->window, w->body.len, now_ns);

	if (w->body.len >= PROBE_BYTES && window_wants_probe(&w->window, now_ns))
		put_probe(w, now_ns);
	w->sequence++;
	if (is_quiet)
		window_quiet(&w->window, w->sequence, w->body.len);
	else
		window_sent(&w->window, w->sequence, w->body.len, now_ns);
	ws_frame_head(w->body.data, (uint32_t)w->sequence, flags | (is_quiet ? WS_FRAME_QUIET : 0), (uint16_t)ops->len);
	return !is_quiet;
}

static int ws_frame(struct front *f, const struct op_list *ops, const struct pixmap *sent, struct pst_err *err)
{
	struct ws *w = ws_of(f);
	uint64_t start_us = pst_mono_us();

	if (w->phase != WS_OPEN)
		return pst_err_set(err, PST_ECLOSED, "the connection to the browser is closing");
	pst_buf_reset(&w->body);
	int rc = w->writer.flat || ws_frame_writer_init(&w->writer) == 0 ? ws_frame_write(&w->writer, ops, sent, &w->body, err)
									  : pst_err_set(err, PST_ENOMEM, "no memory for the browser's pictures");

	if (rc < 0) {
		ws_stream_break(w->stream, "a picture could not be encoded for the browser");
		return rc;
	}
	uint64_t now_us = pst_mono_us();

	bool is_acknowledged = number_frame(w, ops, now_us * 1000), is_letter = w->body.len <= WINDOW_QUIET;

	w->encode_us += now_us - start_us;
	if (put_body(w, WS_S_FRAME) < 0)
		return pst_err_set(err, PST_ECLOSED, "the connection to the browser is gone");
	ws_group_frame(w, ops, !is_acknowledged, now_us * 1000);
	/* A letter's frame is a third of STATS. */
	if (!is_letter && now_us - w->stats_us >= STATS_EVERY_US)
		put_stats(w, now_us);
	pst_buf_reset_to(&w->body, BODY_KEEP);
	return 0;
}

static void ws_cursor(struct front *f, const struct cursor_image *image)
{
	struct ws *w = ws_of(f);
	struct pst_buf *body = &w->waiting[WS_LATEST_CURSOR].body;

	pst_buf_reset(body);
	ws_write_cursor(body, image);
	put_latest(w, WS_LATEST_CURSOR);
}

static void ws_pointer_moved(struct front *f, int32_t x, int32_t y)
{
	struct ws *w = ws_of(f);
	struct pst_buf *body = &w->waiting[WS_LATEST_POINTER].body;

	pst_buf_reset(body);
	pst_buf_put_be16(body, (uint16_t)PST_CLAMP(x, 0, SCREEN_SIDE_MAX - 1));
	pst_buf_put_be16(body, (uint16_t)PST_CLAMP(y, 0, SCREEN_SIDE_MAX - 1));
	put_latest(w, WS_LATEST_POINTER);
}

static void ws_clipboard(struct front *f, const char *utf8, size_t len)
{
	struct ws *w = ws_of(f);
	struct pst_buf *body = &w->waiting[WS_LATEST_CLIPBOARD].body;

	if (!w->clipboard_out)
		return;
	pst_buf_reset(body);
	pst_buf_append(body, utf8, len);
	put_latest(w, WS_LATEST_CLIPBOARD);
}

static void ws_bell(struct front *f)
{
	struct ws *w = ws_of(f);

	pst_buf_reset(&w->body);
	if (ws_stream_queued(w->stream) <= QUEUE_FREE)
		put_body(w, WS_S_BELL);
}

static void ws_watched(struct front *f, const char *names)
{
	struct ws *w = ws_of(f);

	if (!w->can_watched)
		return;
	pst_buf_reset(&w->body);
	ws_write_watched(&w->body, names);
	put_body(w, WS_S_WATCHED);
}

static void ws_path(struct front *f, struct front_path *ret)
{
	struct ws *w = ws_of(f);

	*ret = (struct front_path){
		.rtt_us = window_rtt_us(&w->window),
		.rate_kbps = window_rate_kbps(&w->window),
		.backlog_us = window_backlog_us(&w->window, pst_mono_ns()),
		.in_flight_bytes = w->window.in_flight,
		.budget_bytes = window_room(&w->window),
		.bytes_sent = ws_stream_sent(w->stream) + ws_stream_queued(w->stream),
		.bytes_received = ws_stream_received(w->stream),
		.frames_sent = w->window.frames_sent,
		.frames_acked = w->window.frames_acked,
	};
}

static void ws_front_end(struct front *f, int code, const char *reason_en, const char *reason_es)
{
	ws_end(ws_of(f), code, reason_en, reason_es);
}

const struct front_type front_ws = {
	.name = "ws",
	.open = ws_open,
	.status = ws_status,
	.surface = ws_surface,
	.can_send = ws_can_send,
	.can_send_small = ws_can_send_small,
	.frame = ws_frame,
	.cursor = ws_cursor,
	.pointer_moved = ws_pointer_moved,
	.clipboard = ws_clipboard,
	.bell = ws_bell,
	.watched = ws_watched,
	.follow = ws_group_follow,
	.join = ws_group_join,
	.path = ws_path,
	.end = ws_front_end,
	.close = ws_close,
};
