/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The queue of orders about back-ups. */
#include "broker/hypervisor/backup/backups.h"

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "broker/hypervisor/backup/task.h"

#include <stdlib.h>
#include <string.h>

struct backups {
	struct backups_params p;
	struct pst_ctl *ctl; /* NULL while there is none */
	uv_async_t woken;
	struct backup_task *tasks[BACKUPS_KEPT]; /* in the order in which they came */
	size_t n;
	unsigned at_work;
	bool is_closing;
	void (*closed)(void *arg);
	void *closed_arg;
};

static struct backup_task *find(const struct backups *b, const char *task)
{
	for (size_t i = 0; i < b->n; i++) {
		if (strcmp(backup_task_order(b->tasks[i])->task, task) == 0)
			return b->tasks[i];
	}
	return NULL;
}

static bool is_at_work(struct backup_task *t)
{
	return backup_task_has_begun(t) && !backup_task_is_over(t);
}

/* Two for one desktop come one after the other. */
static bool may_start(const struct backups *b, size_t index)
{
	const struct backup_order *o = backup_task_order(b->tasks[index]);
	const char *desktop = o->desktop;

	if (backup_task_has_begun(b->tasks[index]) || backup_task_is_over(b->tasks[index]) ||
		(o->kind != WORK_REMOVE && b->p.is_busy(b->p.arg, desktop)))
		return false;
	for (size_t i = 0; i < b->n; i++) {
		if (i != index && is_at_work(b->tasks[i]) && strcmp(backup_task_order(b->tasks[i])->desktop, desktop) == 0)
			return false;
	}
	return true;
}

static void pump(struct backups *b)
{
	unsigned at_work = 0;

	for (size_t i = 0; i < b->n; i++)
		at_work += is_at_work(b->tasks[i]);
	/* Before another one takes its turn: a command waits for the desktop that it has left. */
	if (at_work < b->at_work)
		b->p.over(b->p.arg);
	for (size_t i = 0; i < b->n && at_work < b->p.at_once && !b->is_closing; i++) {
		if (may_start(b, i) && backup_task_start(b->tasks[i]))
			at_work++;
	}
	b->at_work = at_work;
}

static void on_woken(uv_async_t *async)
{
	struct backups *b = async->data;

	if (b->is_closing)
		return;
	pump(b);
	for (size_t i = 0; i < b->n && b->ctl; i++) {
		json_t *news = NULL;

		if (backup_task_news(b->tasks[i], &news) && news)
			pst_ctl_send(b->ctl, news);
	}
}

static void wake(void *arg)
{
	struct backups *b = arg;

	uv_async_send(&b->woken);
}

static void drop(struct backups *b, size_t i)
{
	backup_task_destroy(b->tasks[i]);
	memmove(&b->tasks[i], &b->tasks[i + 1], (--b->n - i) * sizeof(b->tasks[0]));
}

/* The oldest that is over goes. */
static bool room_make(struct backups *b)
{
	for (size_t i = 0; b->n == BACKUPS_KEPT && i < b->n; i++) {
		if (backup_task_is_over(b->tasks[i]))
			drop(b, i);
	}
	return b->n < BACKUPS_KEPT;
}

static int begin(struct backups *b, const struct backup_order *o, struct pst_err *err)
{
	struct driver *d = o->kind == WORK_REMOVE ? NULL : b->p.find(b->p.arg, o->provider);
	struct backup_task *t;

	if (!d && o->kind != WORK_REMOVE)
		return pst_err_set(err, PST_EINVAL, "no provider \"%s\" is configured; see provisioner.conf", o->provider);
	if (!room_make(b))
		return pst_err_set(err, PST_EBUSY, "%d orders about back-ups wait: try again later", BACKUPS_KEPT);
	t = backup_task_create(b->p.set, d, o, wake, b);
	if (!t)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	b->tasks[b->n++] = t;
	pst_info("back-up task=%s desktop=%s begins or waits", o->task, o->desktop);
	return 0;
}

static int take_order(struct backups *b, const json_t *msg, struct pst_err *err)
{
	struct backup_order *o = pst_zalloc(1, sizeof(*o));
	struct backup_task *known;
	int rc = o ? backup_order_parse(msg, o, err) : pst_err_set(err, PST_ENOMEM, "no memory");

	known = rc == 0 ? find(b, o->task) : NULL;
	if (known)
		backup_task_forget_told(known);
	else if (rc == 0)
		rc = begin(b, o, err);
	free(o);
	wake(b);
	return rc;
}

static int take_cancel(struct backups *b, const json_t *msg, struct pst_err *err)
{
	struct backup_task *t;
	const char *task;

	if (pst_json_need_str(msg, "task", PST_UUID_SIZE - 1, &task, err) < 0)
		return err->code;
	t = find(b, task);
	if (!t)
		return pst_err_set(err, PST_ENOTFOUND, "no such back-up is at work");
	backup_task_cancel(t, NULL);
	return 0;
}

bool backups_take(struct backups *b, struct pst_ctl *ctl, json_t *msg)
{
	const char *op = pst_json_str(msg, "op", 32);
	struct pst_err err = PST_ERR_INIT;
	int rc;

	if (op && strcmp(op, "backup") == 0)
		rc = take_order(b, msg, &err);
	else if (op && strcmp(op, "backup_cancel") == 0)
		rc = take_cancel(b, msg, &err);
	else
		return false;
	if (rc < 0)
		pst_ctl_reply_err(ctl, msg, &err);
	else
		pst_ctl_reply(ctl, msg, NULL);
	return true;
}

bool backups_hold(struct backups *b, const char *desktop)
{
	bool is_held = false;

	for (size_t i = 0; i < b->n; i++) {
		const struct backup_order *o = backup_task_order(b->tasks[i]);

		if (o->kind == WORK_REMOVE || strcmp(o->desktop, desktop) != 0 || !is_at_work(b->tasks[i]))
			continue;
		backup_task_cancel(b->tasks[i], "a command for the desktop came, and goes first");
		is_held = true;
	}
	return is_held;
}

void backups_go_on(struct backups *b)
{
	wake(b);
}

void backups_connect(struct backups *b, struct pst_ctl *ctl)
{
	b->ctl = ctl;
	for (size_t i = 0; i < b->n; i++)
		backup_task_forget_told(b->tasks[i]);
	wake(b);
}

void backups_disconnect(struct backups *b)
{
	b->ctl = NULL;
}

struct backups *backups_create(const struct backups_params *p)
{
	struct backups *b = pst_zalloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->p = *p;
	if (uv_async_init(p->loop, &b->woken, on_woken) < 0) {
		free(b);
		return NULL;
	}
	b->woken.data = b;
	return b;
}

static void freed(uv_handle_t *handle)
{
	struct backups *b = handle->data;

	if (b->closed)
		b->closed(b->closed_arg);
	free(b);
}

void backups_close(struct backups *b, void (*closed)(void *arg), void *arg)
{
	if (!b)
		return;
	b->is_closing = true;
	b->ctl = NULL;
	b->closed = closed;
	b->closed_arg = arg;
	while (b->n > 0)
		drop(b, b->n - 1);
	uv_close((uv_handle_t *)&b->woken, freed);
}
