/* SPDX-License-Identifier: GPL-3.0-or-later */
/* WebSocket displays: ticket, worker, relay. */
#include "protocol/gate/display.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/secret.h"
#include "base/text.h"
#include "protocol/gate/display_priv.h"
#include "protocol/gate/gate_priv.h"
#include "protocol/gate/guest.h"
#include "protocol/gate/http_conn.h"
#include "protocol/gate/seat.h"
#include "protocol/gate/session.h"
#include "protocol/gate/stream.h"

#define REDEEM_MS 20000
#define CLOSE_MS 3000   /* for the client to answer our close frame */
#define PING_MS 20000
#define SILENCE_MAX 3   /* pings without any sign of life */
#define REASON_MAX 123  /* bytes of a close reason */
#define PIPE_SNDBUF 65536

static void display_free(struct display *d)
{
	*d->at = d->next;
	if (d->next)
		d->next->at = d->at;
	if (d->call)
		broker_call_cancel(d->call);
	if (d->spawn_serial)
		spawn_cancel(d->gate->spawn, d->spawn_serial);
	if (d->session)
		session_forget(d->session);
	if (d->guest)
		guest_forget(d->guest);
	relay_finish(&d->relay);
	limits_closed(d->gate->limits, &d->key, true);
	pst_timer_destroy(d->timer);
	json_decref(d->grant);
	free(d);
}

static void on_close_over(void *arg)
{
	struct display *d = arg;
	struct stream *s = d->stream;

	display_free(d);
	stream_close(s);
}

/* Cuts at a whole character. */
static size_t reason_length(const char *s)
{
	size_t len = strlen(s);

	if (len <= REASON_MAX)
		return len;
	for (len = REASON_MAX; len && ((unsigned char)s[len] & 0xc0) == 0x80; len--)
		;
	return len;
}

void display_end(struct display *d, int code, const char *en, const char *es)
{
	const char *reason = d->is_spanish ? es : en;
	uint8_t frame[WS_HEADER_MAX + 2 + REASON_MAX];
	size_t len = reason_length(reason), head;

	if (d->is_closing)
		return;
	d->is_closing = true;
	if (d->call)
		broker_call_cancel(d->call);
	d->call = NULL;
	head = ws_frame_header(frame, WS_CLOSE, true, 2 + len);
	frame[head] = (uint8_t)(code >> 8);
	frame[head + 1] = (uint8_t)code;
	memcpy(frame + head + 2, reason, len);
	relay_stop(&d->relay);
	stream_write(d->stream, frame, head + 2 + len);
	stream_pause(d->stream, false);
	stream_flush(d->stream);
	stream_end(d->stream);
	pst_timer_start(d->timer, CLOSE_MS, on_close_over, d);
}

static void on_ping_time(void *arg)
{
	struct display *d = arg;
	uint8_t frame[WS_HEADER_MAX];

	if (d->silence++ >= SILENCE_MAX) {
		display_end(d, WS_CLOSE_AWAY, "The browser has not answered for a minute.", "El navegador lleva un minuto sin responder.");
		return;
	}
	if (d->silence > 1 && !stream_queued(d->stream)) {
		stream_write(d->stream, frame, ws_frame_header(frame, WS_PING, true, 0));
		stream_flush(d->stream);
	}
	pst_timer_start(d->timer, PING_MS, on_ping_time, d);
}

/* Of our own client's silence the worker takes care, to whom it speaks. */
static void watch_silence(struct display *d)
{
	if (d->is_rfb)
		pst_timer_start(d->timer, PING_MS, on_ping_time, d);
	else
		pst_timer_stop(d->timer);
}

static void on_ended(struct display *d, const struct session_end *end)
{
	int code = end->is_crash ? WS_CLOSE_FAILED : !strcmp(end->code, "client_left") ? WS_CLOSE_NORMAL : WS_CLOSE_ENDED;

	relay_drain(&d->relay);
	display_end(d, code, end->reason_en, end->reason_es);
}

static void on_session_ended(void *arg, const struct session_end *end)
{
	struct display *d = arg;

	d->session = NULL;
	on_ended(d, end);
}

static void on_guest_ended(void *arg, const struct session_end *end)
{
	struct display *d = arg;

	d->guest = NULL;
	on_ended(d, end);
}

/* The pair of a relay; little lies between worker and client: what is stale is then never encoded. False: the display has ended. */
static bool make_pair(struct display *d, int pair[2])
{
	struct pst_err err;
	int size = PIPE_SNDBUF;

	if (pst_unix_pair(pair, &err) < 0) {
		display_end(d, WS_CLOSE_FAILED, "The gateway has no resources left for another display.", "La pasarela no tiene recursos para otra pantalla.");
		return false;
	}
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return true;
}

/* One more viewer of a session that goes on. */
static void start_guest(struct display *d)
{
	struct guest_params p = { .grant = d->grant, .remote = d->remote, .ended = on_guest_ended, .arg = d };
	int pair[2];

	if (!make_pair(d, pair))
		return;
	p.client_fd = pair[1];
	d->guest = guest_start(d->gate, &p);
	if (!d->guest) {
		close(pair[0]);
		display_end(d, WS_CLOSE_ENDED, "The session is over.", "La sesión ha terminado.");
		return;
	}
	watch_silence(d);
	relay_start(&d->relay, d, pair[0]);
}

static void start_worker(struct display *d, int display_fd, struct seat *seat)
{
	struct session_params p = {
		.front = d->is_rfb ? SPAWN_FRONT_RFB : SPAWN_FRONT_WS,
		.remote = d->remote,
		.key = d->key,
		.is_relayed = true,
		.grant = d->grant,
		.display_fd = display_fd,
		.seat = seat,
		.ended = on_session_ended,
		.arg = d,
	};
	int pair[2];

	if (!make_pair(d, pair)) {
		close(display_fd);
		seat_leave(seat);
		return;
	}
	p.client_fd = pair[1];
	d->session = session_start(d->gate, &p);
	if (!d->session) {
		close(pair[0]);
		display_end(d, WS_CLOSE_FAILED, "No process could be started for this display.", "No se ha podido iniciar el proceso de esta pantalla.");
		return;
	}
	watch_silence(d);
	relay_start(&d->relay, d, pair[0]);
}

static void on_display_link(void *arg, int error, pid_t pid, const int *fds, size_t n_fds)
{
	struct display *d = arg;

	d->spawn_serial = 0;
	if (!error && n_fds == 1 && !d->is_closing) {
		start_worker(d, fds[0], NULL);
		return;
	}
	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
	if (error)
		pst_error("display link not reached desktop=%s: %s", pst_json_str(d->grant, "desktop", 64), strerror(error));
	display_end(d, WS_CLOSE_FAILED, "The desktop's agent does not answer. Try again, or restart the desktop in the portal.",
		    "El agente del escritorio no responde. Inténtelo de nuevo o reinicie el escritorio en el portal.");
}

static void on_refused(struct display *d, const json_t *error)
{
	int64_t status = pst_json_int(error, "status", 400, 599, 502);
	const char *title = pst_json_str(error, "title", 512), *title_es = pst_json_str(error, "title_es", 512);
	int code = status == 403 ? WS_CLOSE_DENIED : status < 500 ? WS_CLOSE_TICKET : WS_CLOSE_FAILED;

	display_end(d, code, title ? title : "The ticket is wrong or was used already.",
		    title_es ? title_es : title ? title : "El billete no es válido o ya se ha usado.");
}

/* The machine's own screen: the broker has had the connection made. Takes fd. */
static void start_screen(struct display *d, json_t *reply, int fd)
{
	struct seat *seat;

	d->grant = json_incref(reply);
	json_object_del(d->grant, "re");
	fd = seat_open(d->gate, d->grant, fd, &seat);
	if (fd >= 0)
		start_worker(d, fd, seat);
	else
		display_end(d, WS_CLOSE_FAILED, "The gateway has too much to do. Try again in a moment.",
			    "La pasarela tiene demasiado trabajo. Inténtelo de nuevo en un momento.");
}

static void on_redeemed(json_t *reply, int fd, const struct pst_err *err, void *arg)
{
	struct display *d = arg;

	d->call = NULL;
	if (reply && fd >= 0 && seat_is_wanted(reply)) {
		start_screen(d, reply, fd);
		return;
	}
	if (fd >= 0)
		pst_fd_close(&fd);
	if (!reply) {
		display_end(d, WS_CLOSE_FAILED, "The broker cannot be reached. Try again in a moment.",
			    "No se puede contactar con el servicio central. Inténtelo de nuevo en un momento.");
		return;
	}
	if (json_object_get(reply, "error")) {
		on_refused(d, json_object_get(reply, "error"));
		return;
	}
	d->grant = json_incref(reply);
	json_object_del(d->grant, "re");
	if (!d->is_rfb && json_object_get(reply, "guest")) {
		start_guest(d);
		return;
	}
	d->spawn_serial = spawn_connect(d->gate->spawn, reply, on_display_link, d);
	if (!d->spawn_serial)
		display_end(d, WS_CLOSE_FAILED, "The broker's answer names no desktop.", "La respuesta del servicio central no nombra un escritorio.");
}

static bool is_ticket(const char *s, size_t len)
{
	if (len < 16 || len > 256)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= '0' && s[i] <= '9') || s[i] == '-' || s[i] == '_'))
			return false;
	return true;
}

/* Looks at each offered subprotocol: which one we speak, and the ticket. */
static void read_subprotocols(const struct http_head *h, struct offer *o)
{
	const char *p = http_head_get(h, "sec-websocket-protocol");

	while (p && *p) {
		size_t len;

		p += strspn(p, " \t,");
		len = strcspn(p, " \t,");
		if (len == 9 && !memcmp(p, "puesto.v1", 9) && !o->subprotocol)
			o->subprotocol = "puesto.v1";
		else if (len == 6 && !memcmp(p, "binary", 6) && !o->subprotocol)
			o->subprotocol = "binary";
		else if (len > 7 && !memcmp(p, "ticket.", 7) && is_ticket(p + 7, len - 7))
			snprintf(o->ticket, sizeof(o->ticket), "%.*s", (int)(len - 7), p + 7);
		p += len;
	}
}

static void read_query(const char *query, struct offer *o)
{
	while (*query) {
		size_t len = strcspn(query, "&");

		if (len > 7 && !memcmp(query, "ticket=", 7) && is_ticket(query + 7, len - 7))
			snprintf(o->ticket, sizeof(o->ticket), "%.*s", (int)(len - 7), query + 7);
		query += len + (query[len] == '&');
	}
}

static void redeem(struct display *d, const struct offer *o)
{
	json_t *msg;

	if (limits_penalty(d->gate->limits, &d->key, pst_mono_ns())) {
		display_end(d, WS_CLOSE_DENIED, "Displays from this address crashed several times; wait a few seconds and try again.",
			    "Las pantallas de esta dirección han fallado varias veces; espere unos segundos e inténtelo de nuevo.");
		return;
	}
	if (!*o->ticket) {
		display_end(d, WS_CLOSE_TICKET, "A ticket is missing. Open the desktop from the portal.", "Falta el billete. Abra el escritorio desde el portal.");
		return;
	}
	msg = json_pack("{s:s, s:s, s:s, s:s}", "op", "redeem", "ticket", o->ticket, "protocol", d->is_rfb ? "rfb" : "ws", "remote", d->remote);
	d->call = broker_call(d->gate->broker, msg, REDEEM_MS, false, NULL, on_redeemed, d);
	if (!d->call)
		display_end(d, WS_CLOSE_FAILED, "The gateway has too much to do. Try again in a moment.",
			    "La pasarela tiene demasiado trabajo. Inténtelo de nuevo en un momento.");
}

static void on_data(void *arg, const uint8_t *bytes, size_t len)
{
	struct display *d = arg;

	d->silence = 0;
	relay_from_client(&d->relay, bytes, len);
}

static void on_drained(void *arg)
{
	relay_client_ready(&((struct display *)arg)->relay);
}

static void on_stream_closed(void *arg, const char *reason)
{
	(void)reason;
	display_free(arg);
}

static void on_opened(void *arg)
{
	(void)arg; /* the handshake was over before the upgrade */
}

static const struct stream_events stream_events = { .opened = on_opened, .data = on_data, .drained = on_drained, .closed = on_stream_closed };

static void write_accept(struct display *d, const char *accept, const char *subprotocol)
{
	char head[512];
	int n = snprintf(head, sizeof(head), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n",
			 accept);

	if (n > 0 && (size_t)n < sizeof(head))
		stream_write(d->stream, head, (size_t)n);
	if (subprotocol) {
		stream_write(d->stream, "Sec-WebSocket-Protocol: ", 24);
		stream_write(d->stream, subprotocol, strlen(subprotocol));
		stream_write(d->stream, "\r\n", 2);
	}
	stream_write(d->stream, "\r\n", 2);
	stream_flush(d->stream);
}

static struct display *display_new(struct gate *g)
{
	struct display *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->gate = g;
	d->timer = pst_timer_create(g->loop);
	if (!d->timer || relay_init(&d->relay) < 0) {
		pst_timer_destroy(d->timer);
		free(d);
		return NULL;
	}
	d->next = g->displays;
	d->at = &g->displays;
	if (g->displays)
		g->displays->at = &d->next;
	g->displays = d;
	return d;
}

void display_upgrade(struct http_conn *c)
{
	const struct http_head *h = http_conn_head(c);
	const char *key = http_head_get(h, "sec-websocket-key"), *version = http_head_get(h, "sec-websocket-version");
	const char *language = http_head_get(h, "accept-language");
	struct offer o = { 0 };
	struct pst_buf rest;
	struct display *d;
	char accept[29];

	if (!key || !version || strcmp(version, "13") || !ws_accept_key(key, accept)) {
		http_conn_problem(c, 400, "bad_upgrade", "The WebSocket upgrade is not of version 13.", "La petición de WebSocket no es de la versión 13.", 0);
		return;
	}
	read_subprotocols(h, &o);
	read_query(h->query, &o);
	d = display_new(http_conn_gate(c));
	if (!d) {
		http_conn_problem(c, 503, "no_memory", "The gateway is out of memory.", "La pasarela no tiene memoria.", 5);
		return;
	}
	d->is_rfb = !o.subprotocol || !strcmp(o.subprotocol, "binary");
	d->is_spanish = language && !strncmp(language, "es", 2);
	d->key = *http_conn_key(c);
	snprintf(d->remote, sizeof(d->remote), "%s", http_conn_remote(c));
	d->stream = http_conn_detach(c, &rest);
	stream_set_events(d->stream, &stream_events, d);
	d->relay.display = d;
	write_accept(d, accept, o.subprotocol);
	relay_from_client(&d->relay, rest.data, rest.len);
	pst_buf_finish(&rest);
	redeem(d, &o);
	pst_wipe(&o, sizeof(o));
}

void display_close_all(struct gate *g)
{
	while (g->displays) {
		struct stream *s = g->displays->stream;

		display_free(g->displays);
		stream_close(s);
	}
}
