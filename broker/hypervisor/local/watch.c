/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tells the loop when a desktop's process 1 ends: a pidfd becomes readable. */
#include "broker/hypervisor/local/local_priv.h"

#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct local_watch {
	struct local *local;
	struct local_watch *next;
	char desktop[PST_UUID_SIZE];
	driver_ended_cb ended;
	void *arg;
	uv_poll_t poll;
	int pidfd;
};

static void on_closed(uv_handle_t *handle)
{
	struct local_watch *w = handle->data;

	close(w->pidfd);
	free(w);
}

static void watch_remove(struct local_watch *w)
{
	struct local_watch **p = &w->local->watches;

	while (*p != w)
		p = &(*p)->next;
	*p = w->next;
	uv_close((uv_handle_t *)&w->poll, on_closed);
}

static void on_ended(uv_poll_t *handle, int status, int events)
{
	struct local_watch *w = handle->data;
	struct pst_err ignored = PST_ERR_INIT;
	char reason[MACHINE_REASON_SIZE];
	struct record r;

	life_reap(w->local, w->desktop);
	watch_remove(w); /* w lives until its closed callback */
	if (record_load(w->local, w->desktop, &r, &ignored) < 0 || r.phase == RECORD_DESTROYING || r.phase == RECORD_STOPPED)
		return; /* our own hand */
	life_reason(w->local, w->desktop, reason);
	w->ended(w->desktop, reason, w->arg);
}

static void watch_replace(struct local *l, const char *desktop)
{
	for (struct local_watch *w = l->watches; w; w = w->next) {
		if (strcmp(w->desktop, desktop) == 0) {
			watch_remove(w);
			return;
		}
	}
}

/* The news of a desktop that was already dead when somebody wanted to watch it. */
struct late {
	char desktop[PST_UUID_SIZE];
	char reason[MACHINE_REASON_SIZE];
	driver_ended_cb ended;
	void *arg;
};

static void late_tell(void *arg)
{
	struct late *late = arg;

	late->ended(late->desktop, late->reason, late->arg);
	free(late);
}

static int late_post(struct local *l, const char *desktop, driver_ended_cb ended, void *arg,
	struct pst_err *err)
{
	struct late *late = pst_zalloc(1, sizeof(*late));

	if (!late)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	pst_strlcpy(late->desktop, sizeof(late->desktop), desktop);
	life_reason(l, desktop, late->reason);
	late->ended = ended;
	late->arg = arg;
	if (pst_defer(l->loop, late_tell, late) == 0)
		return 0;
	free(late);
	return pst_err_set(err, PST_ENOMEM, "no memory");
}

int local_watch(struct driver *d, const char *desktop, driver_ended_cb ended, void *arg,
	struct pst_err *err)
{
	struct local *l = pst_container_of(d, struct local, base);
	struct pst_err why = PST_ERR_INIT;
	struct local_watch *w;
	struct record r;
	int pidfd;

	watch_replace(l, desktop);
	if (record_load(l, desktop, &r, err) < 0)
		return err->code;
	pidfd = life_open(l, desktop, &why);
	if (pidfd == PST_ENOTFOUND)
		return late_post(l, desktop, ended, arg, err);
	if (pidfd < 0)
		return pst_err_pass(err, pidfd, &why);
	w = pst_zalloc(1, sizeof(*w));
	if (!w || uv_poll_init(l->loop, &w->poll, pidfd) < 0) {
		free(w);
		close(pidfd);
		return pst_err_set(err, PST_ENOMEM, "cannot watch desktop %s", desktop);
	}
	w->local = l;
	w->pidfd = pidfd;
	w->ended = ended;
	w->arg = arg;
	w->poll.data = w;
	pst_strlcpy(w->desktop, sizeof(w->desktop), desktop);
	w->next = l->watches;
	l->watches = w;
	uv_poll_start(&w->poll, UV_READABLE, on_ended);
	return 0;
}

void local_watches_close(struct local *l)
{
	while (l->watches)
		watch_remove(l->watches);
}
