/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a worker does about its viewer. */
#include "base/log.h"
#include "base/mem.h"
#include "protocol/worker_priv.h"

#define RESIZE_MS 100 /* a window being dragged asks often */

static void on_login(void *arg, const char *user, const char *password)
{
	worker_gate_auth(arg, user, password);
}

static void on_opened(void *arg, const struct front_caps *caps)
{
	struct worker *w = arg;

	if (worker_is_over(w))
		return;
	pst_info("viewer opened remote=%s client=\"%s\" size=%dx%d", w->remote, caps->client, caps->width, caps->height);
	w->caps = *caps;
	w->has_caps = true;
	if (caps->width > 0 && caps->height > 0) {
		w->wish_width = caps->width;
		w->wish_height = caps->height;
	}
	if (caps->scale_pct)
		w->scale_pct = caps->scale_pct;
	picture_opened(w);
	worker_join(w);
	lobby_expect(w);
}

static void on_input(void *arg, const struct input_event *ev)
{
	struct worker *w = arg;

	if (w->policy.is_view_only)
		return;
	lobby_note(w, ev);
	if (w->lobby.source && !worker_is_over(w))
		source_input(w->lobby.source, ev);
	if (w->source && !worker_is_over(w) && (!w->lobby.source || ev->kind == INPUT_LAYOUT || ev->kind == INPUT_LOCKS))
		source_input(w->source, ev);
}

void worker_scale(const struct worker *w)
{
	const struct input_event ev = { .kind = INPUT_SCALE,
		.scale_pct = (uint16_t)PST_CLAMP(w->scale_pct, (uint32_t)INPUT_SCALE_MIN, (uint32_t)INPUT_SCALE_MAX) };

	if (w->source && w->scale_pct && !worker_is_over(w))
		source_input(w->source, &ev);
}

static void on_resize_time(void *arg)
{
	struct worker *w = arg;

	if (w->lobby.source && !worker_is_over(w))
		source_resize(w->lobby.source, PST_MIN(w->wish_width, SCREEN_SIDE_MAX), PST_MIN(w->wish_height, SCREEN_SIDE_MAX));
	worker_scale(w); /* first: programs that look at a new size see it */
	if (w->source && !worker_is_over(w))
		source_resize(w->source, PST_CLAMP(w->wish_width, 1, w->policy.max_width), PST_CLAMP(w->wish_height, 1, w->policy.max_height));
}

static void on_resize(void *arg, int32_t width, int32_t height, uint32_t scale_pct)
{
	struct worker *w = arg;

	if (width < 1 || height < 1 || w->policy.is_view_only)
		return;
	w->wish_width = width;
	w->wish_height = height;
	w->scale_pct = scale_pct;
	pst_timer_start(w->resize, RESIZE_MS, on_resize_time, w);
}

static void on_ready(void *arg)
{
	picture_ready(arg);
}

static void on_refresh(void *arg, const struct rect *r)
{
	picture_refresh(arg, r);
}

static void on_join(void *arg)
{
	picture_join(arg);
}

static void on_clipboard(void *arg, const char *utf8, size_t len)
{
	struct worker *w = arg;

	if (w->source && w->policy.clipboard_in && !w->policy.is_view_only && !worker_is_over(w))
		source_clipboard(w->source, utf8, len);
}

static void on_closed(void *arg, int code, const char *reason)
{
	struct worker *w = arg;

	/* A closed window and a dropped network look the same from here. */
	if (code && code != PST_ECLOSED && code != PST_EIO)
		worker_end(w, code, "client_lost", reason && *reason ? reason : "The connection to the viewer was lost.",
			   "Se ha perdido la conexión con el visor.");
	else
		worker_end(w, 0, "client_left", "The viewer disconnected.", "El visor se ha desconectado.");
}

const struct front_events worker_front_events = {
	.login = on_login,
	.opened = on_opened,
	.input = on_input,
	.resize = on_resize,
	.ready = on_ready,
	.refresh = on_refresh,
	.clipboard = on_clipboard,
	.join = on_join,
	.closed = on_closed,
};

int worker_front_open(struct worker *w, const char *cert_pem, const char *key_pem, struct pst_err *err)
{
	const struct front_type *type = front_find(w->params.front);
	struct front_params p = {
		.loop = w->params.loop,
		.fd = w->params.client_fd,
		.remote = w->remote,
		.cert_pem = cert_pem,
		.key_pem = key_pem,
		.is_authenticated = w->has_grant,
		.user = w->has_grant ? w->user : NULL,
		.desktop_name = w->has_grant ? w->pool : NULL,
		.clipboard_in = w->has_grant ? w->policy.clipboard_in : true,
		.clipboard_out = w->has_grant ? w->policy.clipboard_out : true,
		.is_view_only = w->policy.is_view_only,
	};

	if (!type)
		return pst_err_set(err, PST_EUNSUPPORTED, "this build has no front \"%s\"", w->params.front);
	worker_move(w, WORKER_GREETING);
	w->params.client_fd = -1;
	w->front = front_open(type, &p, &worker_front_events, w, err);
	if (!w->front)
		return err->code;
	pst_mem_forget_zeros();
	/* The libraries are loaded and nothing of the client has been read: from here on no file, no socket, no program. */
	if (w->params.lock_down && w->params.lock_down(err) < 0)
		return err->code;
	w->is_let_in = w->has_grant;
	worker_join(w);
	if (w->is_let_in && !worker_is_leaving(w) && !w->front->type->status) {
		lobby_say(w, "Connecting to your desktop…", "Conectando con su escritorio…");
		lobby_expect(w);
	}
	return 0;
}
