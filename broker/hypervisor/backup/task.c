/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A task's thread and what is known of it; the work itself is work.c. */
#include "broker/hypervisor/backup/task.h"

#include "base/mem.h"
#include "base/unixsock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#define STACK_SIZE (4u << 20)

struct backup_task {
	struct backup_order o; /* constant, as the next lines up to the lock */
	struct stores *set;
	struct driver *driver;
	int cancel_fd;
	void (*changed)(void *arg);
	void *arg;
	pthread_t thread;
	bool has_begun;       /* the owner's */
	pthread_mutex_t lock; /* guards what follows */
	const char *step, *why;
	unsigned percent;
	bool is_over, is_interrupted;
	struct backup_result result;
	int rc; /* with its words in err */
	struct pst_err err;
	const char *told_step; /* NULL: nothing yet */
	unsigned told_percent;
	bool told_over;
};

static void step_tell(void *arg, const char *step, unsigned percent)
{
	struct backup_task *t = arg;
	bool is_new;

	pthread_mutex_lock(&t->lock);
	is_new = t->step != step || t->percent != percent;
	t->step = step;
	t->percent = percent;
	pthread_mutex_unlock(&t->lock);
	if (is_new)
		t->changed(t->arg);
}

static void *work(void *arg)
{
	struct backup_task *t = arg;
	struct backup_work w = { .set = t->set, .driver = t->driver, .o = &t->o, .cancel_fd = t->cancel_fd, .tell = step_tell, .arg = t };
	struct backup_result *result = pst_zalloc(1, sizeof(*result));
	struct pst_err err = PST_ERR_INIT;
	int rc = result ? backup_work_run(&w, result, &err) : pst_err_set(&err, PST_ENOMEM, "no memory");

	pthread_mutex_lock(&t->lock);
	if (result)
		t->result = *result;
	/* Whatever it stumbled over: it was told to stop. */
	if (rc < 0 && t->is_interrupted)
		rc = pst_err_set(&err, t->why ? PST_EBUSY : PST_ECLOSED, "%s", t->why ? t->why : "it was cancelled");
	t->rc = rc;
	t->err = err;
	t->is_over = true;
	pthread_mutex_unlock(&t->lock);
	free(result);
	t->changed(t->arg);
	return NULL;
}

struct backup_task *backup_task_create(struct stores *set, struct driver *driver, const struct backup_order *o, void (*changed)(void *arg),
	void *arg)
{
	struct backup_task *t = pst_zalloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->o = *o;
	t->set = set;
	t->driver = driver;
	t->changed = changed;
	t->arg = arg;
	t->step = "waiting";
	pthread_mutex_init(&t->lock, NULL);
	t->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (t->cancel_fd >= 0)
		return t;
	pthread_mutex_destroy(&t->lock);
	free(t);
	return NULL;
}

bool backup_task_start(struct backup_task *t)
{
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	t->has_begun = pthread_create(&t->thread, &attr, work, t) == 0;
	pthread_attr_destroy(&attr);
	return t->has_begun;
}

const struct backup_order *backup_task_order(const struct backup_task *t)
{
	return &t->o;
}

bool backup_task_has_begun(const struct backup_task *t)
{
	return t->has_begun;
}

bool backup_task_is_over(struct backup_task *t)
{
	bool is_over;

	pthread_mutex_lock(&t->lock);
	is_over = t->is_over;
	pthread_mutex_unlock(&t->lock);
	return is_over;
}

void backup_task_cancel(struct backup_task *t, const char *why)
{
	pthread_mutex_lock(&t->lock);
	if (!t->is_interrupted)
		t->why = why;
	t->is_interrupted = true;
	/* One that has not had its turn never gets it. */
	if (!t->has_begun && !t->is_over) {
		t->rc = pst_err_set(&t->err, why ? PST_EBUSY : PST_ECLOSED, "%s", why ? why : "it was cancelled");
		t->is_over = true;
	}
	pthread_mutex_unlock(&t->lock);
	eventfd_write(t->cancel_fd, 1);
	t->changed(t->arg);
}

static json_t *made_json(const struct note *n)
{
	char id[NOTE_ID_SIZE], parent[NOTE_ID_SIZE] = "";

	if (!n->id)
		return json_null();
	note_id_text(n->id, id);
	if (n->parent)
		note_id_text(n->parent, parent);
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:s}", "id", id, "parent", parent, "kind", n->parent ? "incremental" : "full", "reason",
		n->reason, "made_ms", (json_int_t)n->made_ms, "disk_size", (json_int_t)n->disk_size, "bytes", (json_int_t)n->bytes, "sha256",
		n->sha256);
}

static json_t *removed_json(const struct backup_result *r)
{
	json_t *list = json_array();
	char id[NOTE_ID_SIZE];

	for (size_t i = 0; i < r->removed_n; i++) {
		note_id_text(r->removed[i], id);
		json_array_append_new(list, json_string(id));
	}
	return list;
}

/* With the lock. */
static json_t *task_json(const struct backup_task *t)
{
	if (!t->is_over)
		return json_pack("{s:s, s:s, s:s, s:s, s:i}", "op", "backup", "task", t->o.task, "state", "running", "step", t->step, "percent",
			(int)t->percent);
	if (t->rc < 0)
		return json_pack("{s:s, s:s, s:s, s:{s:s, s:s}}", "op", "backup", "task", t->o.task, "state", "failed", "error", "code",
			pst_code_word(t->rc), "title", t->err.text);
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "op", "backup", "task", t->o.task, "state", "done", "datastore", t->result.datastore,
		"removed", removed_json(&t->result), "made", made_json(&t->result.note));
}

bool backup_task_news(struct backup_task *t, json_t **ret)
{
	bool is_news;

	pthread_mutex_lock(&t->lock);
	is_news = !t->told_over && (t->is_over || t->told_step != t->step || t->told_percent != t->percent);
	if (is_news) {
		*ret = task_json(t);
		t->told_step = t->step;
		t->told_percent = t->percent;
		t->told_over = t->is_over;
	}
	pthread_mutex_unlock(&t->lock);
	return is_news;
}

void backup_task_forget_told(struct backup_task *t)
{
	pthread_mutex_lock(&t->lock);
	t->told_step = NULL;
	t->told_over = false;
	pthread_mutex_unlock(&t->lock);
}

void backup_task_destroy(struct backup_task *t)
{
	if (!t)
		return;
	eventfd_write(t->cancel_fd, 1);
	if (t->has_begun)
		pthread_join(t->thread, NULL);
	pst_fd_close(&t->cancel_fd);
	pthread_mutex_destroy(&t->lock);
	free(t);
}
