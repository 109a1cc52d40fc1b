/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The life of a worker. */
#include "protocol/worker.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "protocol/worker_priv.h"

#define START_MS 10000
#define GOODBYE_MS 3000 /* for the front to bring the reason to its client */

bool worker_is_over(const struct worker *w)
{
	return w->phase >= WORKER_ENDING;
}

bool worker_is_leaving(const struct worker *w)
{
	return w->phase >= WORKER_TELLING;
}

void worker_move(struct worker *w, enum worker_phase next)
{
	/* Phases only rise; a front that opens again and a screen of another size stay where they are. */
	if (next > w->phase)
		w->phase = next;
}

/* Everything is closed from a turn of the loop of its own: the end may come from inside any callback. */
static void on_ended(void *arg)
{
	struct worker *w = arg;

	if (w->phase == WORKER_ENDED)
		return;
	w->phase = WORKER_ENDED;
	worker_gate_report(w, "ended");
	guests_close(w);
	front_close(w->front);
	w->front = NULL;
	source_close(w->source, w->end_en);
	w->source = NULL;
	lobby_close(w);
	picture_finish(w);
	pst_timer_stop(w->resize);
	pst_timer_stop(w->end);
	if (w->ctl)
		pst_ctl_close_flush(w->ctl);
	w->ctl = NULL;
	pst_loop_stop(w->params.loop);
}

void worker_part(struct worker *w)
{
	w->phase = WORKER_ENDING;
	pst_timer_start(w->end, GOODBYE_MS, on_ended, w);
	front_end(w->front, w->end_status, w->end_en, w->end_es);
}

void worker_end(struct worker *w, int code, const char *word, const char *reason_en, const char *reason_es)
{
	bool is_first = !worker_is_leaving(w), is_alone = !w->front || !strcmp(word, "client_left") || !strcmp(word, "client_lost");

	if (w->phase == WORKER_ENDED)
		return;
	if (is_first) {
		w->end_status = code;
		pst_strlcpy(w->end_code, sizeof(w->end_code), word);
		pst_strlcpy(w->end_en, sizeof(w->end_en), reason_en);
		pst_strlcpy(w->end_es, sizeof(w->end_es), reason_es);
	}
	if (is_first && lobby_can_tell(w, code, word)) {
		w->phase = WORKER_TELLING;
		pst_timer_start(w->end, 0, lobby_tell, w);
	} else if (!is_alone && w->phase != WORKER_ENDING) {
		worker_part(w);
	} else {
		w->phase = WORKER_ENDING;
		pst_timer_start(w->end, 0, on_ended, w);
	}
}

/* The size that the desktop should have: the viewer's wish, or what a viewer that cannot follow shows already. */
static void wish(const struct worker *w, struct source_params *p)
{
	bool is_fixed = w->lobby.source && !w->caps.can_resize && w->picture.screen.width;
	int32_t width = is_fixed ? w->picture.screen.width : w->wish_width, height = is_fixed ? w->picture.screen.height : w->wish_height;

	if (width < 1 || height < 1)
		return;
	p->width = PST_CLAMP(width, 1, w->policy.max_width);
	p->height = PST_CLAMP(height, 1, w->policy.max_height);
}

void worker_join(struct worker *w)
{
	const struct source_type *type = source_find(w->own_screen ? w->own_screen : w->params.source);
	struct pst_err err = PST_ERR_INIT;
	struct source_params p = { .loop = w->params.loop, .fd = w->display_fd, .grant = w->grant, .is_remote = w->is_remote, .is_shared = w->is_shared,
		.is_seat = w->is_seat };

	if (w->source || !w->front || !w->has_grant || worker_is_leaving(w))
		return;
	/* A viewer that sees the lobby says soon whether it can follow another size. */
	if (!w->has_caps && (!w->front->type->surface_first || w->lobby.source))
		return;
	wish(w, &p);
	w->display_fd = -1;
	worker_move(w, WORKER_JOINING);
	w->source = type ? source_open(type, &p, &worker_source_events, w, &err) : NULL;
	if (!w->source)
		worker_end(w, PST_EIO, "desktop_unreachable", type ? err.text : "there is no such source", words_spanish(PST_EIO, err.text));
	else
		lobby_pass_on(w);
	worker_scale(w);
}

static void on_start_late(void *arg)
{
	struct worker *w = arg;

	if (w->phase == WORKER_WAITING)
		worker_end(w, PST_ETIMEOUT, "no_start", "the gate sent no start message", "la pasarela no ha dado la orden de inicio");
}

/* Without a gate the client may see the pattern and nothing else. */
static int start_alone(struct worker *w, struct pst_err *err)
{
	w->has_grant = true;
	w->policy = (struct worker_policy){
		.clipboard_in = true, .clipboard_out = true, .max_width = SCREEN_SIDE_MAX, .max_height = SCREEN_SIDE_MAX
	};
	pst_strlcpy(w->user, sizeof(w->user), "pattern");
	pst_strlcpy(w->pool, sizeof(w->pool), "pattern");
	return worker_front_open(w, NULL, NULL, err);
}

struct worker *worker_create(const struct worker_params *p, struct pst_err *err)
{
	struct worker *w = calloc(1, sizeof(*w));
	int rc;

	if (!w) {
		pst_err_set(err, PST_ENOMEM, "no memory for a worker");
		return NULL;
	}
	w->params = *p;
	w->display_fd = -1;
	w->resize = pst_timer_create(p->loop);
	w->end = pst_timer_create(p->loop);
	w->lobby.timer = pst_timer_create(p->loop);
	rc = w->resize && w->end && w->lobby.timer && picture_init(w) == 0 ? 0 : pst_err_set(err, PST_ENOMEM, "no memory for a worker");
	if (rc == 0)
		rc = p->ctl_fd >= 0 ? worker_gate_open(w, err) : start_alone(w, err);
	if (rc < 0) {
		worker_destroy(w);
		return NULL;
	}
	if (p->ctl_fd >= 0)
		pst_timer_start(w->end, START_MS, on_start_late, w);
	return w;
}

void worker_destroy(struct worker *w)
{
	if (!w)
		return;
	guests_close(w);
	front_close(w->front);
	source_close(w->source, "the worker ends");
	source_close(w->lobby.source, NULL);
	picture_finish(w);
	pst_ctl_close(w->ctl);
	pst_timer_destroy(w->resize);
	pst_timer_destroy(w->end);
	pst_timer_destroy(w->lobby.timer);
	pst_timer_destroy(w->picture.plan);
	pst_timer_destroy(w->picture.due);
	if (w->display_fd >= 0)
		close(w->display_fd);
	if (w->grant)
		pst_wipe(w->grant, strlen(w->grant));
	free(w->grant);
	free(w->picture.cursor);
	free(w->lobby.entries);
	json_decref(w->auth);
	free(w);
}
