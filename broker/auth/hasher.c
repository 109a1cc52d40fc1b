/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A fixed set of threads over one short queue; results come back through a uv_async. */
#include "broker/auth/hasher.h"

#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct job {
	struct job *next;
	char source[HASHER_SOURCE_SIZE];
	char phc[PASSWORD_PHC_SIZE];
	char password[PASSWORD_MAX_BYTES + 2]; /* one too long stays too long */
	bool is_make, is_known;
	bool ok, rehash;
	hasher_done_cb done; /* NULL: cancelled */
	void *arg;
};

/* The lock guards both lists, busy, last_source and stop; jobs belong to one list or thread. */
struct hasher {
	uv_async_t wake;
	uv_mutex_t lock;
	uv_cond_t work;
	struct job *queue, *finished;
	size_t queued;
	struct job *busy[HASHER_THREADS_MAX];
	char last_source[HASHER_SOURCE_SIZE];
	uv_thread_t threads[HASHER_THREADS_MAX];
	unsigned thread_count, thread_next;
	bool stop;
};

static void job_free(struct job *j)
{
	pst_wipe(j, sizeof(*j));
	free(j);
}

/* The oldest job of another source than the last one served; else the oldest. */
static struct job *queue_take(struct hasher *h)
{
	struct job **at = &h->queue;

	while (*at && strcmp((*at)->source, h->last_source) == 0)
		at = &(*at)->next;
	if (!*at)
		at = &h->queue;
	struct job *j = *at;
	*at = j->next;
	j->next = NULL;
	h->queued--;
	memcpy(h->last_source, j->source, sizeof(h->last_source));
	return j;
}

static void job_run(struct job *j)
{
	if (j->is_make) {
		j->ok = password_hash(j->password, j->phc) == 0;
		return;
	}
	j->ok = password_verify(j->is_known ? j->phc : NULL, j->password, &j->rehash);
}

static void thread_main(void *arg)
{
	struct hasher *h = arg;

	uv_mutex_lock(&h->lock);
	unsigned self = h->thread_next++;
	for (;;) {
		while (!h->queue && !h->stop)
			uv_cond_wait(&h->work, &h->lock);
		if (h->stop)
			break;
		struct job *j = h->busy[self] = queue_take(h);
		uv_mutex_unlock(&h->lock);
		job_run(j);
		uv_mutex_lock(&h->lock);
		h->busy[self] = NULL;
		j->next = h->finished;
		h->finished = j;
		uv_async_send(&h->wake);
	}
	uv_mutex_unlock(&h->lock);
}

static void wake_cb(uv_async_t *wake)
{
	struct hasher *h = wake->data;

	uv_mutex_lock(&h->lock);
	struct job *list = h->finished;
	h->finished = NULL;
	uv_mutex_unlock(&h->lock);
	while (list) {
		struct job *j = list;
		struct hasher_result r = {
			.ok = j->ok, .rehash = j->rehash, .phc = j->is_make && j->ok ? j->phc : NULL };

		list = j->next;
		if (j->done)
			j->done(&r, j->arg);
		job_free(j);
	}
}

static unsigned core_count(void)
{
	uv_cpu_info_t *cpus;
	int n = 0;

	if (uv_cpu_info(&cpus, &n) == 0)
		uv_free_cpu_info(cpus, n);
	return n > 0 ? (unsigned)n : 1;
}

struct hasher *hasher_create(uv_loop_t *loop, unsigned threads)
{
	struct hasher *h = pst_zalloc(1, sizeof(*h));

	if (!h)
		return NULL;
	threads = PST_CLAMP(threads ? threads : core_count(), 1u, (unsigned)HASHER_THREADS_MAX);
	uv_mutex_init(&h->lock);
	uv_cond_init(&h->work);
	uv_async_init(loop, &h->wake, wake_cb);
	h->wake.data = h;
	for (; h->thread_count < threads; h->thread_count++) {
		if (uv_thread_create(&h->threads[h->thread_count], thread_main, h) < 0)
			break;
	}
	if (h->thread_count == 0) {
		hasher_destroy(h);
		return NULL;
	}
	return h;
}

static void list_free(struct job *list)
{
	while (list) {
		struct job *next = list->next;

		job_free(list);
		list = next;
	}
}

static void closed_cb(uv_handle_t *wake)
{
	struct hasher *h = wake->data;

	list_free(h->queue);
	list_free(h->finished);
	uv_cond_destroy(&h->work);
	uv_mutex_destroy(&h->lock);
	free(h);
}

void hasher_destroy(struct hasher *h)
{
	if (!h)
		return;
	uv_mutex_lock(&h->lock);
	h->stop = true;
	uv_cond_broadcast(&h->work);
	uv_mutex_unlock(&h->lock);
	for (unsigned i = 0; i < h->thread_count; i++)
		uv_thread_join(&h->threads[i]);
	uv_close((uv_handle_t *)&h->wake, closed_cb);
}

/* Called with the lock. */
static bool has_room(const struct hasher *h, const char *source)
{
	size_t mine = 0;

	if (h->queued >= HASHER_QUEUE_MAX)
		return false;
	for (const struct job *j = h->queue; j; j = j->next)
		mine += strcmp(j->source, source) == 0;
	return mine < HASHER_QUEUE_MAX / 2;
}

static int submit(struct hasher *h, struct job *j, const char *source, const char *password)
{
	pst_strlcpy(j->source, sizeof(j->source), source);
	pst_strlcpy(j->password, sizeof(j->password), password);
	uv_mutex_lock(&h->lock);
	bool ok = has_room(h, j->source);
	if (ok) {
		struct job **at = &h->queue;

		while (*at)
			at = &(*at)->next;
		*at = j;
		h->queued++;
		uv_cond_signal(&h->work);
	}
	uv_mutex_unlock(&h->lock);
	if (!ok)
		job_free(j);
	return ok ? 0 : PST_EBUSY;
}

int hasher_verify(struct hasher *h, const char *source, const char *phc, const char *password,
	hasher_done_cb done, void *arg)
{
	struct job *j = pst_zalloc(1, sizeof(*j));

	if (!j)
		return PST_ENOMEM;
	j->done = done;
	j->arg = arg;
	j->is_known = phc && pst_strlcpy(j->phc, sizeof(j->phc), phc) == 0;
	return submit(h, j, source, password);
}

int hasher_make(struct hasher *h, const char *source, const char *password, hasher_done_cb done,
	void *arg)
{
	struct job *j = pst_zalloc(1, sizeof(*j));

	if (!j)
		return PST_ENOMEM;
	j->done = done;
	j->arg = arg;
	j->is_make = true;
	return submit(h, j, source, password);
}

static void list_cancel(struct job *j, const void *arg)
{
	for (; j; j = j->next) {
		if (j->arg == arg)
			j->done = NULL;
	}
}

void hasher_cancel(struct hasher *h, void *arg)
{
	uv_mutex_lock(&h->lock);
	list_cancel(h->queue, arg);
	list_cancel(h->finished, arg);
	for (unsigned i = 0; i < h->thread_count; i++)
		list_cancel(h->busy[i], arg);
	uv_mutex_unlock(&h->lock);
}
