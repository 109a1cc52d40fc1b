/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Ends of connections whose rows could not be written. Nobody asks for an answer and nobody
 * says it again, so they are kept and told once more at every tick until they are written,
 * or until the other end is back.
 */
#include "base/log.h"
#include "base/mem.h"
#include "broker/reconciler_priv.h"

#include <stdlib.h>
#include <string.h>

struct late {
	struct late *next;
	enum core_event_kind kind;
	char desktop[CORE_ID_SIZE]; /* "" when it is about none */
};

static struct late **late_find(struct reconciler *r, enum core_event_kind kind, const char *desktop)
{
	for (struct late **at = &r->late; *at; at = &(*at)->next) {
		if ((*at)->kind == kind && strcmp((*at)->desktop, desktop) == 0)
			return at;
	}
	return NULL;
}

void late_forget(struct reconciler *r, enum core_event_kind kind, const char *desktop)
{
	struct late **at = late_find(r, kind, desktop), *l = at ? *at : NULL;

	if (!l)
		return;
	*at = l->next;
	free(l);
}

static int late_try(struct reconciler *r, enum core_event_kind kind, const char *desktop, struct pst_err *err)
{
	struct core_event ev = { .kind = kind, .desktop = desktop[0] ? desktop : NULL };

	return round_run(r, &ev, err);
}

void late_tell(struct reconciler *r, enum core_event_kind kind, const char *desktop)
{
	struct pst_err err = PST_ERR_INIT;
	struct late *l;

	if (late_try(r, kind, desktop, &err) == 0 || late_find(r, kind, desktop))
		return;
	l = pst_zalloc(1, sizeof(*l));
	if (!l) {
		pst_error("the end of a connection is not written, and there is no memory to keep it desktop=%s: %s", desktop, err.text);
		return;
	}
	l->kind = kind;
	CORE_COPY(l->desktop, desktop);
	l->next = r->late;
	r->late = l;
}

void late_run(struct reconciler *r)
{
	struct late **at = &r->late;

	while (*at) {
		struct late *l = *at;

		if (late_try(r, l->kind, l->desktop, NULL) < 0) {
			at = &l->next;
			continue;
		}
		*at = l->next;
		free(l);
	}
}

void late_finish(struct reconciler *r)
{
	while (r->late) {
		struct late *l = r->late;

		r->late = l->next;
		free(l);
	}
}
