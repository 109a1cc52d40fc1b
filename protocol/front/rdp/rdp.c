/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The RDP front: FreeRDP's server peer on our loop. This file is the object and its loop; peer.c holds the library's settings,
 * input.c what the user does, gfx.c the picture. The library's TLS handshake waits for its client: until the client info has
 * come, an alarm whose default action ends the process (one worker is one connection) bounds it.
 */
#include "protocol/front/rdp/rdp.h"

#include <freerdp/channels/wtsvc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/secret.h"
#include "protocol/front/rdp/rdp_priv.h"

#define HANDSHAKE_MS 10000
#define PERSON_MS 60000   /* after TLS clients ask a person whether the certificate is good */
#define DESKTOP_MS 90000
#define ALARM_MORE_S 2   /* later than the deadline, which says why */
#define GOODBYE_MS 2000  /* for the client to close after it has been told why */
#define PUMP_MAX 256     /* messages of the client in one turn */
#define CLIENT_NS 30000000ull /* that a client decodes and shows a picture of a video: it would look like a path of 5 Mbit/s */

void rdp_fail(struct rdp *f, int code, const char *reason)
{
	if (f->is_ended)
		return;
	f->is_ended = true;
	alarm(0);
	pst_timer_stop(f->deadline);
	uv_poll_stop(f->poll);
	f->ev.closed(f->arg, code, reason);
}

static void on_deadline(void *arg)
{
	struct rdp *f = arg;
	rdp_fail(f, PST_ETIMEOUT, f->has_credentials ? "the desktop was not there in time" : "the RDP client did not finish its log-in in time");
}

bool rdp_is_live(const struct rdp *f)
{
	return f->is_opened && !f->is_ended && !f->is_leaving;
}

static bool is_free(const struct rdp *f)
{
	return rdp_is_live(f) && !f->is_suppressed && f->writer->can_send(f) && !f->peer->IsWriteBlocked(f->peer);
}

bool rdp_can_send(struct front *front)
{
	struct rdp *f = pst_container_of(front, struct rdp, front);
	return window_is_open(&f->window) && is_free(f);
}

static bool rdp_can_send_small(struct front *front)
{
	struct rdp *f = pst_container_of(front, struct rdp, front);
	return window_is_open_small(&f->window) && is_free(f);
}

static void on_poll(uv_poll_t *poll, int status, int events);

int rdp_flush(struct rdp *f)
{
	if (f->peer->connected && !WTSVirtualChannelManagerCheckFileDescriptor(f->channels))
		return PST_ECLOSED;
	bool is_blocked = f->peer->IsWriteBlocked(f->peer);
	return pst_poll_watch(f->poll, is_blocked ? UV_READABLE | UV_WRITABLE : UV_READABLE, on_poll, &f->watched) < 0 ? PST_EIO : 0;
}

static void fail_left(struct rdp *f)
{
	if (f->is_leaving)
		rdp_fail(f, f->ending.code, f->ending.text);
	else
		rdp_fail(f, f->is_opened ? 0 : PST_ECLOSED, f->is_opened ? "the RDP client left" : "the RDP client left before the picture");
}

static uint32_t end_code(int code)
{
	switch (code) {
	case 0: return ERRINFO_LOGOFF_BY_USER;
	case PST_EAUTH: return ERRINFO_SERVER_FRESH_CREDENTIALS_REQUIRED;
	case PST_EDENIED: return ERRINFO_SERVER_INSUFFICIENT_PRIVILEGES;
	case PST_ETIMEOUT: return ERRINFO_LOGON_TIMEOUT;
	default: return ERRINFO_RPC_INITIATED_DISCONNECT;
	}
}

static void on_goodbye(void *arg)
{
	fail_left(arg);
}

/* A client understands why only once it is activated, and the library's state must not change under its own feet. */
static void leave_when_ready(struct rdp *f)
{
	if (f->is_ended || !f->is_leaving || f->is_told || !f->is_activated || f->is_pumping)
		return;
	f->is_told = true;
	/* Close deactivates first, and a client that is not active reads no reason. */
	freerdp_set_error_info(f->peer->context->rdp, end_code(f->ending.code));
	freerdp_send_error_info(f->peer->context->rdp);
	f->peer->Close(f->peer);
	rdp_flush(f);
}

static void leave(struct rdp *f, int code, const char *reason)
{
	if (f->is_ended || f->is_leaving)
		return;
	f->is_leaving = true;
	pst_err_set(&f->ending, code, "%s", reason);
	pst_timer_start(f->deadline, GOODBYE_MS, on_goodbye, f);
	leave_when_ready(f);
}

/* user@host and user#pool stay whole: the broker reads them. The domain is not ours. */
static void ask_login(struct rdp *f)
{
	rdpSettings *s = f->peer->context->settings;
	const char *user = freerdp_settings_get_string(s, FreeRDP_Username);
	char *password = freerdp_settings_get_string_writable(s, FreeRDP_Password);
	alarm(0);
	pst_timer_start(f->deadline, DESKTOP_MS, on_deadline, f);
	f->login = RDP_LOGIN_ASKED;
	if (!user || !*user || !password || !*password) {
		leave(f, PST_EAUTH, "the RDP client sent no user name or no password");
		return;
	}
	f->ev.login(f->arg, user, password);
	pst_wipe(password, strlen(password));
}

static void tell_opened(struct rdp *f)
{
	rdpSettings *s = f->peer->context->settings;
	struct front_caps caps = { .video_align = 2 };
	f->writer->caps(f, &caps);
	caps.width = (int32_t)freerdp_settings_get_uint32(s, FreeRDP_DesktopWidth);
	caps.height = (int32_t)freerdp_settings_get_uint32(s, FreeRDP_DesktopHeight);
	caps.scale_pct = PST_CLAMP(freerdp_settings_get_uint32(s, FreeRDP_DesktopScaleFactor), 0u, 500u);
	snprintf(caps.client, sizeof(caps.client), "RDP client build %u", freerdp_settings_get_uint32(s, FreeRDP_ClientBuild));
	f->ev.opened(f->arg, &caps);
	if (!f->is_ended)
		rdp_input_layout(f);
}

void rdp_open_when_ready(struct rdp *f)
{
	struct pst_err err = PST_ERR_INIT;
	const struct rdp_writer *writer = rdp_gfx_is_possible(f) ? &rdp_writer_gfx : &rdp_writer_bitmap;
	if (f->is_opened || !f->is_activated || f->login != RDP_LOGIN_ACCEPTED)
		return;
	if (!writer->is_ready(f)) {
		rdp_gfx_await(f);
		return;
	}
	f->writer = writer;
	f->is_opened = true;
	pst_timer_stop(f->deadline);
	if (f->width > 0 && writer->surface(f, &err) < 0) {
		rdp_fail(f, err.code, err.text);
		return;
	}
	tell_opened(f);
	/* The side channels follow the picture, and nothing of the client need come before. */
	if (!f->is_ended && (rdp_disp_poll(f, &err) < 0 || rdp_clip_poll(f, &err) < 0 || rdp_flush(f) < 0))
		rdp_fail(f, PST_ECLOSED, "the RDP client closed the connection");
}

static void after_pump(struct rdp *f)
{
	struct pst_err err = PST_ERR_INIT;
	if (!f->is_ended && f->has_credentials && f->login == RDP_LOGIN_NONE)
		ask_login(f);
	leave_when_ready(f);
	if (!f->is_ended && !f->is_leaving)
		rdp_open_when_ready(f);
	if (rdp_is_live(f) && f->writer->fit && f->writer->fit(f, &err) < 0)
		rdp_fail(f, err.code, err.text);
	if (rdp_can_send(&f->front))
		f->ev.ready(f->arg);
}

/* The client's bytes through the library; false when the connection is over. */
static bool take_bytes(struct rdp *f)
{
	bool is_alive = true;
	f->is_pumping = true;
	for (int i = 0; is_alive && i < PUMP_MAX; i++) {
		is_alive = f->peer->CheckFileDescriptor(f->peer);
		if (!f->peer->HasMoreToRead(f->peer))
			break;
	}
	f->is_pumping = false;
	return is_alive;
}

static void set_deadline(struct rdp *f, unsigned ms)
{
	pst_timer_start(f->deadline, ms, on_deadline, f);
	alarm(ms / 1000 + ALARM_MORE_S);
}

/* TLS is through, and what comes next may wait for a person. */
static void give_time(struct rdp *f)
{
	if (f->is_secured || f->has_credentials || freerdp_get_state(f->peer->context) < CONNECTION_STATE_MCS_CREATE_REQUEST)
		return;
	f->is_secured = true;
	set_deadline(f, PERSON_MS);
}

/* The round trip is known before the first picture: meanwhile the client opens its channels. */
static void learn_path(struct rdp *f)
{
	if (f->is_activated && !f->is_opened)
		rdp_detect_trip(f);
}

static void pump(struct rdp *f)
{
	struct pst_err err = PST_ERR_INIT;
	bool is_there = take_bytes(f);
	if (is_there) {
		give_time(f);
		learn_path(f);
	}
	if (!is_there)
		fail_left(f);
	else if (f->is_reversed)
		rdp_fail(f, PST_EPROTO, "the RDP client asks for the path as only a server may");
	else if (rdp_flush(f) < 0)
		rdp_fail(f, PST_ECLOSED, "the RDP client closed the connection");
	/* The graphics channel last: without it the front is not open until after the pump. */
	else if (rdp_disp_poll(f, &err) < 0 || rdp_clip_poll(f, &err) < 0 || rdp_gfx_poll(f, &err) < 0)
		rdp_fail(f, err.code, err.text);
	else if (rdp_flush(f) < 0)
		rdp_fail(f, PST_ECLOSED, "the RDP client closed the connection");
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct rdp *f = poll->data;
	if (f->is_ended)
		return;
	if (status < 0)
		f->watched = 0;
	if (events & UV_WRITABLE)
		f->peer->DrainOutputBuffer(f->peer);
	pump(f);
	after_pump(f);
}

static void on_poll_closed(uv_handle_t *handle)
{
	free(handle);
}

static void rdp_close(struct front *front)
{
	struct rdp *f = pst_container_of(front, struct rdp, front);
	alarm(0);
	if (f->poll)
		uv_close((uv_handle_t *)f->poll, on_poll_closed);
	pst_timer_destroy(f->deadline);
	rdp_gfx_finish(f);
	rdp_bitmap_finish(f);
	rdp_clip_finish(f);
	rdp_pointer_finish(f);
	if (f->disp.channel)
		WTSVirtualChannelClose(f->disp.channel);
	rdp_peer_destroy(f);
	free(f);
}

static int start(struct rdp *f, const struct front_params *p, struct pst_err *err)
{
	f->poll = pst_zalloc(1, sizeof(*f->poll));
	f->deadline = pst_timer_create(p->loop);
	f->gfx.patience = pst_timer_create(p->loop);
	if (!f->poll || !f->deadline || !f->gfx.patience || uv_poll_init(p->loop, f->poll, p->fd) < 0) {
		free(f->poll);
		f->poll = NULL;
		return pst_err_set(err, PST_ENOMEM, "no memory for an RDP connection");
	}
	f->poll->data = f;
	pst_poll_watch(f->poll, UV_READABLE, on_poll, &f->watched);
	set_deadline(f, HANDSHAKE_MS);
	return 0;
}

static struct front *rdp_open(const struct front_params *p, const struct front_events *ev, void *arg, struct pst_err *err)
{
	struct rdp *f = pst_zalloc(1, sizeof(*f));
	if (!f || !p->cert_pem || !p->key_pem) {
		free(f);
		close(p->fd);
		pst_err_set(err, f ? PST_EINVAL : PST_ENOMEM, "an RDP connection needs memory, a certificate and its key");
		return NULL;
	}
	f->front.type = &front_rdp;
	f->ev = *ev;
	f->arg = arg;
	f->clipboard_in = p->clipboard_in;
	f->clipboard_out = p->clipboard_out;
	window_init(&f->window);
	f->window.client_ns = CLIENT_NS;
	if (rdp_peer_create(f, p, err) < 0 || start(f, p, err) < 0) {
		rdp_close(&f->front);
		return NULL;
	}
	return &f->front;
}

static void rdp_end(struct front *front, int code, const char *reason_en, const char *reason_es)
{
	leave(pst_container_of(front, struct rdp, front), code, reason_en);
}

/* A second try needs a new connection: RDP sends its password once. */
static void rdp_login_result(struct front *front, const struct pst_err *err)
{
	struct rdp *f = pst_container_of(front, struct rdp, front);
	f->login = err ? RDP_LOGIN_REFUSED : RDP_LOGIN_ACCEPTED;
	if (err) {
		leave(f, err->code, err->text);
		return;
	}
	rdp_open_when_ready(f);
}

static int rdp_surface(struct front *front, int32_t width, int32_t height, struct pst_err *err)
{
	struct rdp *f = pst_container_of(front, struct rdp, front);
	f->width = width;
	f->height = height;
	return f->is_opened ? f->writer->surface(f, err) : 0;
}

static int rdp_frame(struct front *front, const struct op_list *ops, const struct pixmap *sent, struct pst_err *err)
{
	struct rdp *f = pst_container_of(front, struct rdp, front);
	rdp_detect_trip(f);
	return f->writer->frame(f, ops, sent, err);
}

static void rdp_cursor(struct front *front, const struct cursor_image *image)
{
	struct rdp *f = pst_container_of(front, struct rdp, front);
	if (rdp_is_live(f))
		rdp_pointer_shape(f, image);
}

static void rdp_pointer_moved(struct front *front, int32_t x, int32_t y)
{
	struct rdp *f = pst_container_of(front, struct rdp, front);
	if (rdp_is_live(f))
		rdp_pointer_position(f, x, y);
}

static void rdp_clipboard(struct front *front, const char *utf8, size_t len)
{
	struct rdp *f = pst_container_of(front, struct rdp, front);
	if (rdp_is_live(f))
		rdp_clip_send(f, utf8, len);
}

static void rdp_path(struct front *front, struct front_path *ret)
{
	struct rdp *f = pst_container_of(front, struct rdp, front);
	*ret = (struct front_path){
		.rtt_us = window_rtt_us(&f->window),
		.rate_kbps = window_rate_kbps(&f->window),
		.backlog_us = window_backlog_us(&f->window, pst_mono_ns()),
		.in_flight_bytes = f->window.in_flight,
		.budget_bytes = window_room(&f->window),
		.bytes_sent = f->bytes_sent,
		.frames_sent = f->window.frames_sent,
		.frames_acked = f->window.frames_acked,
	};
}

const struct front_type front_rdp = {
	.name = "rdp",
	.open = rdp_open,
	.login_result = rdp_login_result,
	.surface = rdp_surface,
	.can_send = rdp_can_send,
	.can_send_small = rdp_can_send_small,
	.frame = rdp_frame,
	.cursor = rdp_cursor,
	.pointer_moved = rdp_pointer_moved,
	.clipboard = rdp_clipboard,
	.path = rdp_path,
	.end = rdp_end,
	.close = rdp_close,
};
