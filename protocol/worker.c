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
	front_close(w->front);
	w->front = NULL;
	source_close(w->source, w->end_en);
	w->source = NULL;
	picture_finish(w);
	pst_timer_stop(w->resize);
	pst_timer_stop(w->stats);
	pst_timer_stop(w->end);
	if (w->ctl)
		pst_ctl_close_flush(w->ctl);
	w->ctl = NULL;
	pst_loop_stop(w->params.loop);
}

void worker_end(struct worker *w, int code, const char *word, const char *reason_en, const char *reason_es)
{
	if (w->phase == WORKER_ENDED)
		return;
	if (w->phase != WORKER_ENDING) {
		pst_strlcpy(w->end_code, sizeof(w->end_code), word);
		pst_strlcpy(w->end_en, sizeof(w->end_en), reason_en);
		pst_strlcpy(w->end_es, sizeof(w->end_es), reason_es);
		w->phase = WORKER_ENDING;
		if (w->front && strcmp(word, "client_left") && strcmp(word, "client_lost")) {
			front_end(w->front, code, reason_en, reason_es);
			pst_timer_start(w->end, GOODBYE_MS, on_ended, w);
			return;
		}
	}
	pst_timer_start(w->end, 0, on_ended, w);
}

void worker_join(struct worker *w)
{
	const struct source_type *type = source_find(w->params.source);
	struct pst_err err = PST_ERR_INIT;
	struct source_params p = { .loop = w->params.loop, .fd = w->display_fd, .grant = w->grant };

	if (w->source || !w->front || !w->has_grant || worker_is_over(w))
		return;
	if (!w->has_caps && !w->front->type->surface_first)
		return;
	if (w->wish_width > 0 && w->wish_height > 0) {
		p.width = PST_CLAMP(w->wish_width, 1, w->policy.max_width);
		p.height = PST_CLAMP(w->wish_height, 1, w->policy.max_height);
	}
	w->display_fd = -1;
	worker_move(w, WORKER_JOINING);
	w->source = type ? source_open(type, &p, &worker_source_events, w, &err) : NULL;
	if (!w->source)
		worker_end(w, PST_EIO, "desktop_unreachable", type ? err.text : "there is no such source", words_spanish(PST_EIO, err.text));
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
	w->policy = (struct worker_policy){ true, true, SCREEN_SIDE_MAX, SCREEN_SIDE_MAX };
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
	w->stats = pst_timer_create(p->loop);
	w->end = pst_timer_create(p->loop);
	rc = w->resize && w->stats && w->end && picture_init(w) == 0 ? 0 : pst_err_set(err, PST_ENOMEM, "no memory for a worker");
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
	front_close(w->front);
	source_close(w->source, "the worker ends");
	picture_finish(w);
	pst_ctl_close(w->ctl);
	pst_timer_destroy(w->resize);
	pst_timer_destroy(w->stats);
	pst_timer_destroy(w->end);
	pst_timer_destroy(w->picture.plan);
	pst_timer_destroy(w->picture.due);
	if (w->display_fd >= 0)
		close(w->display_fd);
	if (w->grant)
		pst_wipe(w->grant, strlen(w->grant));
	free(w->grant);
	free(w->picture.cursor);
	free(w);
}
