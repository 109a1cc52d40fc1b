/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a worker does about its desktop. */
#include "protocol/worker_priv.h"

static void on_surface(void *arg, const struct pixmap *screen)
{
	struct worker *w = arg;

	if (worker_is_leaving(w))
		return;
	picture_surface(w, w->source, screen);
	if (worker_is_leaving(w))
		return;
	lobby_close(w);
	if (w->was_started)
		return;
	w->was_started = true;
	worker_move(w, WORKER_LIVE);
	worker_gate_report(w, "started");
}

static void on_damage(void *arg, const struct rect *rects, size_t n)
{
	struct worker *w = arg;

	if (w->picture.source == w->source)
		picture_damage(w, rects, n);
}

static void on_cursor(void *arg, const struct cursor_image *image)
{
	struct worker *w = arg;

	if (!worker_is_leaving(w))
		picture_cursor(w, image);
	guests_cursor(w, image);
}

static void on_pointer_moved(void *arg, int32_t x, int32_t y)
{
	struct worker *w = arg;

	if (!worker_is_over(w))
		front_pointer_moved(w->front, x, y);
	guests_pointer_moved(w, x, y);
}

static void on_clipboard(void *arg, const char *utf8, size_t len)
{
	struct worker *w = arg;

	if (!w->policy.clipboard_out || worker_is_over(w))
		return;
	front_clipboard(w->front, utf8, len);
	guests_clipboard(w, utf8, len);
}

static void on_bell(void *arg)
{
	struct worker *w = arg;

	if (!worker_is_over(w))
		front_bell(w->front);
	guests_bell(w);
}

static void on_closed(void *arg, int code, const char *reason)
{
	struct worker *w = arg;

	picture_source_gone(w, w->source);
	if (code)
		worker_end(w, code, "desktop_lost", reason && *reason ? reason : "The desktop went away.", words_spanish(code, reason));
	else
		worker_end(w, 0, "logoff", "You logged off.", "Ha cerrado la sesión.");
}

const struct source_events worker_source_events = {
	.surface = on_surface,
	.damage = on_damage,
	.cursor = on_cursor,
	.pointer_moved = on_pointer_moved,
	.clipboard = on_clipboard,
	.bell = on_bell,
	.closed = on_closed,
};
