/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What peers say once and await no answer to, when its rows could not be written: the end of a
 * connection, the begin and the end of a session. It is kept, and told again at every tick, in
 * its order, until it is written or until it is true no more.
 */
#include "base/log.h"
#include "base/mem.h"
#include "broker/reconciler_priv.h"

#include <stdlib.h>
#include <string.h>

struct late {
	struct late *next;
	enum core_event_kind kind;
	char object[CORE_ID_SIZE]; /* the desktop or the session; "" when it is about none */
	char word[CORE_WORD_SIZE], text[CORE_TEXT_SIZE], text_es[CORE_TEXT_SIZE];
};

static bool late_is_of_session(enum core_event_kind kind)
{
	return kind == EVENT_SESSION_STARTED || kind == EVENT_SESSION_ENDED;
}

static struct late **late_find(struct reconciler *r, enum core_event_kind kind, const char *object)
{
	struct late **at = &r->late;

	while (*at && ((*at)->kind != kind || strcmp((*at)->object, object) != 0))
		at = &(*at)->next;
	return at;
}

static void late_remove(struct late **at)
{
	struct late *l = *at;

	*at = l->next;
	free(l);
}

void late_forget(struct reconciler *r, enum core_event_kind kind, const char *object)
{
	struct late **at = late_find(r, kind, object);

	if (*at)
		late_remove(at);
}

/* A refusal is an answer, and is written; false: it has to be told again. */
static bool late_try(struct reconciler *r, const struct core_event *ev, int *ret_rc, struct pst_err *err)
{
	struct core_out out;
	bool written;

	*ret_rc = round_run_step(r, ev, &out, NULL, NULL, err);
	written = *ret_rc == 0 || out.code < 0;
	core_out_finish(&out);
	return written;
}

static void late_keep(struct reconciler *r, const struct core_event *ev, const char *object)
{
	struct late **at = late_find(r, ev->kind, object), *l = *at ? NULL : pst_zalloc(1, sizeof(*l));

	if (*at)
		return;
	if (!l) {
		pst_error("what a peer said is not written, and there is no memory to keep it: %s", object);
		return;
	}
	l->kind = ev->kind;
	CORE_COPY(l->object, object);
	CORE_COPY(l->word, ev->word ? ev->word : "");
	CORE_COPY(l->text, ev->text ? ev->text : "");
	CORE_COPY(l->text_es, ev->text_es ? ev->text_es : "");
	*at = l;
}

int late_tell(struct reconciler *r, const struct core_event *ev, struct pst_err *err)
{
	const char *object = late_is_of_session(ev->kind) ? ev->session : ev->desktop;
	int rc;

	if (!late_try(r, ev, &rc, err))
		late_keep(r, ev, object ? object : "");
	return rc;
}

void late_run(struct reconciler *r)
{
	struct late **at = &r->late;

	while (*at) {
		struct late *l = *at;
		struct core_event ev = { .kind = l->kind, .gateway = "", .word = l->word, .text = l->text, .text_es = l->text_es };
		int rc;

		*(late_is_of_session(l->kind) ? &ev.session : &ev.desktop) = l->object[0] ? l->object : NULL;
		if (late_try(r, &ev, &rc, NULL))
			late_remove(at);
		else
			at = &l->next;
	}
}

void late_finish(struct reconciler *r)
{
	while (r->late)
		late_remove(&r->late);
}
