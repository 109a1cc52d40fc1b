/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists, and compares with what is known. */
#include "broker/hypervisor/poller.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CANCEL_MS 20
#define SOON_MS 1000

struct poller {
	struct driver *driver;
	struct watches *watches;
	uint64_t every_ms;
	int (*list)(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err);
	pthread_mutex_t lock; /* guards closing */
	pthread_cond_t woken;
	pthread_t thread;
	bool closing;
};

struct look {
	struct poller *p;
	uint64_t moment;
	char (*desktops)[PST_UUID_SIZE];
	size_t n;
};

static void on_machine(const struct machine *m, void *arg)
{
	struct look *l = arg;

	if (l->n < WATCHES_MAX)
		memcpy(l->desktops[l->n++], m->desktop, PST_UUID_SIZE);
	if (m->state == MACHINE_RUNNING)
		watches_see(l->p->watches, m->desktop, l->moment);
	else if (m->state != MACHINE_UNKNOWN)
		watches_tell(l->p->watches, m->desktop, l->moment, m->reason[0] ? m->reason : "it was switched off at the host");
}

static int desktop_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool is_listed(const char *desktop, void *arg)
{
	const struct look *l = arg;

	/* What does not fit was seen, too. */
	return l->n == WATCHES_MAX || bsearch(desktop, l->desktops, l->n, PST_UUID_SIZE, desktop_compare) != NULL;
}

/* True when the next list is to come soon. */
static bool look(struct poller *p)
{
	struct pst_err ignored = PST_ERR_INIT;
	struct look l = { .p = p, .moment = watches_now(p->watches) };
	bool is_soon = false;

	l.desktops = pst_zalloc(WATCHES_MAX, PST_UUID_SIZE);
	if (!l.desktops)
		return false;
	if (p->list(p->driver, on_machine, &l, &ignored) == 0) {
		qsort(l.desktops, l.n, PST_UUID_SIZE, desktop_compare);
		is_soon = watches_missing(p->watches, l.moment, is_listed, &l, "it was removed at the host");
	}
	free(l.desktops);
	return is_soon;
}

/* False when the driver is to be closed. */
static bool wait(struct poller *p, uint64_t ms)
{
	uint64_t until_ms = pst_mono_ms() + ms;
	struct timespec until = { .tv_sec = (time_t)(until_ms / 1000), .tv_nsec = (long)(until_ms % 1000) * 1000000 };
	bool closing;

	pthread_mutex_lock(&p->lock);
	while (!p->closing && pthread_cond_timedwait(&p->woken, &p->lock, &until) == 0)
		;
	closing = p->closing;
	pthread_mutex_unlock(&p->lock);
	return !closing;
}

static void *poller_main(void *arg)
{
	struct poller *p = arg;
	bool is_soon = false;

	while (wait(p, is_soon ? PST_MIN(p->every_ms, (uint64_t)SOON_MS) : p->every_ms))
		is_soon = watches_any(p->watches) && look(p);
	return NULL;
}

struct poller *poller_create(struct driver *d, struct watches *w, uint64_t every_ms,
	int (*list)(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err), struct pst_err *err)
{
	struct poller *p = pst_zalloc(1, sizeof(*p));
	pthread_condattr_t attr;

	if (!p) {
		pst_err_set(err, PST_ENOMEM, "no memory");
		return NULL;
	}
	*p = (struct poller){ .driver = d, .watches = w, .every_ms = every_ms, .list = list };
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->woken, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&p->thread, NULL, poller_main, p) == 0)
		return p;
	pthread_cond_destroy(&p->woken);
	pthread_mutex_destroy(&p->lock);
	free(p);
	pst_err_set(err, PST_ENOMEM, "no thread to watch machines");
	return NULL;
}

void poller_destroy(struct poller *p, void (*cancel)(void *arg), void *arg)
{
	struct timespec until;

	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->closing = true;
	pthread_cond_signal(&p->woken);
	pthread_mutex_unlock(&p->lock);
	do {
		/* Again: a list may have begun since. */
		cancel(arg);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += CANCEL_MS * 1000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
	} while (pthread_timedjoin_np(p->thread, NULL, &until) != 0);
	pthread_cond_destroy(&p->woken);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
