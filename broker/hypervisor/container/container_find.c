/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the engine has of a desktop, and of all of them. */
#include "broker/hypervisor/container/container_priv.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILTER_SIZE 512

/* Does a count more than b? A complete one more than a next one, and one that runs more than one that does not. */
static bool counts_more(const struct spec_view *a, const struct spec_view *b)
{
	if (a->next != b->next)
		return !a->next;
	return a->phase == SPEC_RUNNING && b->phase != SPEC_RUNNING;
}

static void other_add(struct found *f, const struct spec_view *v)
{
	if (f->others_n < PST_ARRAY_LEN(f->others))
		f->others[f->others_n++] = *v;
}

static void found_add(struct found *f, const json_t *item, const struct spec_view *v)
{
	if (f->is_there && !counts_more(v, &f->now)) {
		other_add(f, v);
		return;
	}
	if (f->is_there)
		other_add(f, &f->now);
	json_decref(f->labels);
	f->labels = json_incref(json_object_get(item, "Labels"));
	f->now = *v;
	f->is_there = true;
}

int found_look(struct op *op, struct found *ret, struct pst_err *err)
{
	char filter[FILTER_SIZE];
	struct spec_view v;
	json_t *list, *item;
	size_t i;

	memset(ret, 0, sizeof(*ret));
	if (spec_filter(filter, sizeof(filter), op->c->instance, op->desktop) < 0)
		return pst_err_set(err, PST_ELIMIT, "too long a filter");
	list = engine_list(&op->engine, filter, err);
	if (!list)
		return err->code;
	json_array_foreach(list, i, item)
	{
		if (spec_view(item, op->c->instance, &v) && strcmp(v.desktop, op->desktop) == 0)
			found_add(ret, item, &v);
	}
	json_decref(list);
	return 0;
}

void found_finish(struct found *f)
{
	json_decref(f->labels);
	f->labels = NULL;
}

int found_tidy(struct op *op, struct found *f, struct pst_err *err)
{
	for (size_t i = 0; i < f->others_n; i++) {
		if (engine_remove(&op->engine, f->others[i].id, err) < 0)
			return err->code;
	}
	f->others_n = 0;
	return 0;
}

int64_t container_booted_ms(void)
{
	long long seconds = 0;
	char line[256];
	FILE *f = fopen("/proc/stat", "re");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "btime %lld", &seconds) == 1)
			break;
	}
	if (f)
		fclose(f);
	return seconds * 1000;
}

/* Of one that has ended: why. */
static void ended_explain(struct op *op, const struct spec_view *v, int64_t booted_ms, struct machine *m)
{
	struct pst_err err = PST_ERR_INIT;
	json_t *o = engine_inspect(&op->engine, v->id, &err);
	char tail[300];

	if (!o) {
		snprintf(m->reason, sizeof(m->reason), "it has ended, and the engine does not say why (%.200s)", err.text);
		return;
	}
	engine_log(&op->engine, v->id, tail, sizeof(tail));
	if (spec_ended(o, booted_ms, tail, m->reason))
		m->state = MACHINE_STOPPED;
	json_decref(o);
}

static void state_fill(struct op *op, const struct spec_view *v, int64_t booted_ms, struct machine *m)
{
	m->state = MACHINE_FAILED;
	if (v->next)
		pst_strlcpy(m->reason, sizeof(m->reason), "its refresh was interrupted");
	else if (v->phase == SPEC_RUNNING)
		m->state = MACHINE_RUNNING;
	else if (v->phase == SPEC_MADE && !v->off)
		pst_strlcpy(m->reason, sizeof(m->reason), "its creation was interrupted");
	else if (v->off)
		m->state = MACHINE_STOPPED;
	else if (v->phase == SPEC_PAUSED)
		pst_strlcpy(m->reason, sizeof(m->reason), "it is paused at the engine: unpause it there, or restart the desktop");
	else
		ended_explain(op, v, booted_ms, m);
}

static int machine_fill(struct op *op, const struct spec_view *v, int64_t booted_ms, struct machine *m, struct pst_err *err)
{
	memset(m, 0, sizeof(*m));
	pst_strlcpy(m->desktop, sizeof(m->desktop), v->desktop);
	pst_strlcpy(m->task, sizeof(m->task), v->task);
	pst_strlcpy(m->image, sizeof(m->image), v->image);
	m->uid = v->uid;
	m->endpoint.kind = ENDPOINT_UNIX;
	state_fill(op, v, booted_ms, m);
	return dirs_path(op->c, v->desktop, "run/display.sock", m->endpoint.address, err);
}

/* Those of one desktop together, and first the one that counts. */
static int view_compare(const void *a, const void *b)
{
	const struct spec_view *x = a, *y = b;
	int order = strcmp(x->desktop, y->desktop);

	if (order != 0)
		return order;
	return counts_more(x, y) ? -1 : counts_more(y, x) ? 1 : strcmp(x->id, y->id);
}

static size_t views_read(const struct container *c, const json_t *list, struct spec_view *views)
{
	json_t *item;
	size_t i, n = 0;

	json_array_foreach(list, i, item)
	{
		if (spec_view(item, c->instance, &views[n]))
			n++;
	}
	qsort(views, n, sizeof(*views), view_compare);
	return n;
}

static int views_visit(struct op *op, uint64_t moment, const struct spec_view *views, size_t n, driver_visit_cb visit, void *arg, struct pst_err *err)
{
	int64_t booted_ms = container_booted_ms();
	struct machine m;

	for (size_t i = 0; i < n; i++) {
		if (i > 0 && strcmp(views[i].desktop, views[i - 1].desktop) == 0)
			continue;
		if (machine_fill(op, &views[i], booted_ms, &m, err) < 0)
			return err->code;
		if (m.state == MACHINE_RUNNING)
			watches_see(op->c->watches, m.desktop, moment);
		visit(&m, arg);
	}
	return 0;
}

int container_list(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err)
{
	struct container *c = container_of(d);
	uint64_t moment = watches_now(c->watches);
	struct spec_view *views;
	char filter[FILTER_SIZE];
	json_t *list = NULL;
	struct op op;
	int rc;

	op_begin(&op, c, "");
	rc = spec_filter(filter, sizeof(filter), c->instance, NULL);
	if (rc == 0)
		list = engine_list(&op.engine, filter, err);
	views = list ? pst_zalloc(json_array_size(list) + 1, sizeof(*views)) : NULL;
	if (!list)
		rc = err->code;
	else if (!views)
		rc = pst_err_set(err, PST_ENOMEM, "no memory");
	else
		rc = views_visit(&op, moment, views, views_read(c, list, views), visit, arg, err);
	json_decref(list);
	free(views);
	op_end(&op);
	return rc;
}
