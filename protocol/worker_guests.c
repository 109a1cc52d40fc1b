/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Guests: further viewers of a session that goes on, each with a front on a stream of its own. They get the
 * bytes that the owner's front encodes; what they do goes to the desktop, or nowhere where they only watch.
 * Nothing of them may hold the owner up.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "protocol/worker_priv.h"

#define NAMES_MAX 512

struct worker_guest {
	struct worker *w;
	struct worker_guest *next;
	struct front *front;
	char id[64], name[256], remote[64];
	bool can_input, is_following, is_over;
};

struct words {
	const char *code, *en, *es;
};

static void report(struct worker *w, const char *id, const char *event, const struct words *why)
{
	if (w->ctl)
		pst_ctl_send(w->ctl,
			json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "op", "guest", "event", event, "guest",
				id, "code", why->code, "reason", why->en, "reason_es", why->es));
}

/* The owner reads who watches, for as long as it lasts. */
static void tell_owner(struct worker *w)
{
	char names[NAMES_MAX] = "";
	size_t len = 0;

	for (const struct worker_guest *g = w->guests.first; g; g = g->next)
		if (g->is_following && !g->is_over && !g->can_input && len < sizeof(names))
			len += (size_t)snprintf(
				names + len, sizeof(names) - len, "%s%s", len ? ", " : "", g->name);
	if (w->front && !worker_is_leaving(w))
		front_watched(w->front, names);
}

static void guest_free(struct worker_guest *g)
{
	struct worker_guest **at = &g->w->guests.first;

	while (*at != g)
		at = &(*at)->next;
	*at = g->next;
	g->w->guests.count--;
	front_close(g->front);
	free(g);
}

static void on_reap(void *arg)
{
	struct worker *w = arg;

	for (struct worker_guest *g = w->guests.first, *next; g; g = next) {
		next = g->next;
		if (g->is_over)
			guest_free(g);
	}
}

static void on_opened(void *arg, const struct front_caps *caps)
{
	struct worker_guest *g = arg;
	struct worker *w = g->w;
	static const struct words started = { "", "", "" };

	if (w->caps.ops & ~caps->ops) {
		front_end(g->front, PST_EUNSUPPORTED,
			"This browser cannot decode the video that the session's owner is sent. Use another "
			"browser.",
			"Este navegador no puede decodificar el vídeo que recibe el dueño de la sesión. Use "
			"otro navegador.");
		return;
	}
	pst_info("guest opened guest=%s remote=%s client=\"%s\" input=%d", g->id, g->remote, caps->client,
		g->can_input);
	g->is_following = true;
	if (caps->chroma != w->caps.chroma) {
		w->caps.chroma = VIDEO_420;
		encoder_give_up_chroma(w->picture.encoder);
	}
	if (w->picture.has_cursor)
		front_cursor(g->front, &w->picture.cursor_image);
	report(w, g->id, "started", &started);
	if (!g->can_input)
		tell_owner(w);
	front_follow(w->front, g->front);
}

static void pass_input(const struct worker_guest *g, const struct input_event *ev)
{
	if (g->can_input && g->is_following && g->w->source && !worker_is_leaving(g->w))
		source_input(g->w->source, ev);
}

static void on_input(void *arg, const struct input_event *ev)
{
	pass_input(arg, ev);
}

static void on_clipboard(void *arg, const char *utf8, size_t len)
{
	const struct worker_guest *g = arg;

	if (g->can_input && g->w->source && g->w->policy.clipboard_in && !worker_is_leaving(g->w))
		source_clipboard(g->w->source, utf8, len);
}

/* The size is the owner's, and a follower's front asks for no picture of its own. */
static void on_resize(void *arg, int32_t width, int32_t height, uint32_t scale_pct)
{
	(void)arg, (void)width, (void)height, (void)scale_pct;
}

static void on_ready(void *arg)
{
	(void)arg;
}

static void on_refresh(void *arg, const struct rect *r)
{
	(void)arg, (void)r;
}

static void on_closed(void *arg, int code, const char *reason)
{
	struct worker_guest *g = arg;
	const struct words why = { code ? pst_code_word(code) : "client_left",
		reason && *reason ? reason : "The viewer disconnected.",
		words_spanish(code ? code : PST_ECLOSED, reason) };
	const struct input_event release = { .kind = INPUT_RELEASE_ALL };

	pass_input(g, &release);
	g->is_over = true;
	report(g->w, g->id, "ended", &why);
	if (g->is_following && !g->can_input)
		tell_owner(g->w);
	pst_info("guest ended guest=%s: %s", g->id, why.en);
	pst_timer_start(g->w->guests.reap, 0, on_reap, g->w);
}

static const struct front_events guest_events = {
	.opened = on_opened,
	.input = on_input,
	.resize = on_resize,
	.ready = on_ready,
	.refresh = on_refresh,
	.clipboard = on_clipboard,
	.closed = on_closed,
};

/* Why nobody can join now; NULL when one can. */
static const struct words *refusal(const struct worker *w, bool can_input)
{
	static const struct words over = { "session_over",
		"The session is over, or has no picture yet. Try again in a moment.",
		"La sesión ha terminado o aún no tiene imagen. Inténtelo de nuevo en un momento." };
	static const struct words full = { "too_many", "This session has as many viewers as it may have.",
		"Esta sesión ya tiene todos los espectadores posibles." };
	static const struct words untold = { "cannot_be_told",
		"The person at this desktop cannot be told that somebody watches: only sessions in the "
		"browser can be watched.",
		"A la persona de este escritorio no se le puede avisar de que alguien mira: solo se pueden "
		"ver las sesiones en el navegador." };

	if (!w->front || !w->has_caps || worker_is_leaving(w))
		return &over;
	if (!w->front->type->follow || (!can_input && !w->caps.can_tell))
		return &untold;
	return w->guests.count >= WORKER_GUESTS_MAX ? &full : NULL;
}

static struct worker_guest *guest_new(struct worker *w, const json_t *msg, const char *id)
{
	const char *name = pst_json_str(msg, "name", 255), *remote = pst_json_str(msg, "remote", 63);
	struct worker_guest *g = pst_zalloc(1, sizeof(*g));

	if (!w->guests.reap)
		w->guests.reap = pst_timer_create(w->params.loop);
	if (!g || !w->guests.reap) {
		free(g);
		return NULL;
	}
	g->w = w;
	pst_strlcpy(g->id, sizeof(g->id), id);
	pst_strlcpy(g->name, sizeof(g->name), name ? name : "?");
	pst_strlcpy(g->remote, sizeof(g->remote), remote ? remote : "?");
	g->can_input = pst_json_bool(msg, "can_input", false);
	g->next = w->guests.first;
	w->guests.first = g;
	w->guests.count++;
	return g;
}

void guests_add(struct worker *w, const json_t *msg, int fd)
{
	static const struct words failed = { "worker_failed", "There is no memory for another viewer.",
		"No hay memoria para otro espectador." };
	const char *id = pst_json_str(msg, "guest", 63);
	bool can_input = pst_json_bool(msg, "can_input", false);
	const struct words *no = refusal(w, can_input);
	struct front_params p = { .loop = w->params.loop,
		.fd = fd,
		.is_authenticated = true,
		.user = w->user,
		.desktop_name = w->pool,
		.clipboard_in = can_input && w->policy.clipboard_in,
		.clipboard_out = can_input && w->policy.clipboard_out,
		.is_view_only = !can_input };
	struct worker_guest *g = !no && id && fd >= 0 ? guest_new(w, msg, id) : NULL;

	if (!g) {
		pst_fd_close(&fd);
		if (id)
			report(w, id, "ended", no ? no : &failed);
		return;
	}
	p.remote = g->remote;
	g->front = front_open(w->front->type, &p, &guest_events, g, NULL);
	if (g->front)
		return;
	report(w, id, "ended", &failed);
	guest_free(g);
}

void guests_end(struct worker *w, const json_t *msg)
{
	const char *id = pst_json_str(msg, "guest", 63), *en = pst_json_str(msg, "reason_en", 500),
		   *es = pst_json_str(msg, "reason_es", 500);

	for (struct worker_guest *g = w->guests.first; id && g; g = g->next)
		if (!g->is_over && !strcmp(g->id, id))
			front_end(g->front, PST_ECLOSED, en ? en : "This view was ended.",
				es   ? es
				: en ? en
				     : "Esta vista ha sido terminada.");
}

void guests_close(struct worker *w)
{
	bool has_left = !strcmp(w->end_code, "client_left") || !strcmp(w->end_code, "client_lost");
	const char *en = has_left ? "The session's owner has disconnected." : w->end_en;
	const char *es = has_left ? "El dueño de la sesión se ha desconectado." : w->end_es;

	while (w->guests.first) {
		front_end(w->guests.first->front, w->end_status, en, es);
		guest_free(w->guests.first);
	}
	pst_timer_destroy(w->guests.reap);
	w->guests.reap = NULL;
}

void guests_cursor(const struct worker *w, const struct cursor_image *image)
{
	for (const struct worker_guest *g = w->guests.first; g; g = g->next)
		if (g->is_following && !g->is_over)
			front_cursor(g->front, image);
}

void guests_pointer_moved(const struct worker *w, int32_t x, int32_t y)
{
	for (const struct worker_guest *g = w->guests.first; g; g = g->next)
		if (g->is_following && !g->is_over)
			front_pointer_moved(g->front, x, y);
}

void guests_clipboard(const struct worker *w, const char *utf8, size_t len)
{
	for (const struct worker_guest *g = w->guests.first; g; g = g->next)
		if (g->is_following && !g->is_over && g->can_input)
			front_clipboard(g->front, utf8, len);
}

void guests_bell(const struct worker *w)
{
	for (const struct worker_guest *g = w->guests.first; g; g = g->next)
		if (g->is_following && !g->is_over)
			front_bell(g->front);
}
