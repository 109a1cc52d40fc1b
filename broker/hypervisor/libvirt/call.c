/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Calls with a deadline. libvirt's functions have none: each command runs on a thread of its
 * own, and whoever asked goes when the time is over. What is left behind begins no further
 * step, holds its desktop until libvirt lets it go, and is counted.
 */
#include "broker/hypervisor/libvirt/call.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/unixsock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STACK_SIZE (1u << 20)

struct timespec lv_until(uint64_t mono_ms)
{
	return (struct timespec){ .tv_sec = (time_t)(mono_ms / 1000), .tv_nsec = (long)(mono_ms % 1000) * 1000000 };
}

struct lv_call *lv_call_create(struct libvirt *lv, const char *desktop, int (*work)(struct lv_call *c, struct pst_err *err))
{
	struct lv_call *c = pst_zalloc(1, sizeof(*c));

	if (!c)
		return NULL;
	lv_ref(lv);
	c->lv = lv;
	c->work = work;
	c->refs = 1;
	c->fd = c->screen.fd = -1;
	c->step = "waiting for its turn";
	if (desktop)
		pst_strlcpy(c->desktop, sizeof(c->desktop), desktop);
	return c;
}

void lv_call_unref(struct lv_call *c)
{
	struct libvirt *lv = c->lv;
	bool last;

	pthread_mutex_lock(&lv->lock);
	last = --c->refs == 0;
	pthread_mutex_unlock(&lv->lock);
	if (!last)
		return;
	pst_wipe(c->request.enrol_token, sizeof(c->request.enrol_token));
	json_decref(c->commands);
	json_decref(c->returned);
	pst_fd_close(&c->fd);
	pst_fd_close(&c->screen.fd);
	free(c->items);
	free(c->hosts);
	free(c);
	lv_unref(lv);
}

int lv_call_step(struct lv_call *c, struct lv_host *h, const char *step, struct pst_err *err)
{
	pthread_mutex_lock(&c->lv->lock);
	c->step = step;
	c->host = h;
	pthread_mutex_unlock(&c->lv->lock);
	if (!atomic_load(&c->stop))
		return 0;
	return pst_err_set(err, PST_ECLOSED, "given up before %s", step);
}

void lv_call_job(struct lv_call *c, bool has_job)
{
	pthread_mutex_lock(&c->lv->lock);
	c->has_job = has_job;
	pthread_mutex_unlock(&c->lv->lock);
}

/* With the lock. */
static bool desktop_is_busy(const struct libvirt *lv, const char *desktop)
{
	for (const struct lv_call *c = lv->calls; c && desktop[0]; c = c->next) {
		if (c->is_running && strcmp(c->desktop, desktop) == 0)
			return true;
	}
	return false;
}

static void enlist(struct lv_call *c)
{
	c->next = c->lv->calls;
	c->lv->calls = c;
}

static void unlist(struct lv_call *c)
{
	struct lv_call **at = &c->lv->calls;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
}

static void *call_thread(void *arg)
{
	struct lv_call *c = arg;
	struct libvirt *lv = c->lv;
	struct pst_err err = PST_ERR_INIT;
	int rc = lv_can_check(c, &err);

	if (rc == 0)
		rc = c->work(c, &err);
	pthread_mutex_lock(&lv->lock);
	c->rc = rc;
	c->err = err;
	c->is_done = true;
	if (atomic_load(&c->stop))
		lv->stuck--;
	unlist(c);
	pthread_cond_broadcast(&lv->changed);
	pthread_mutex_unlock(&lv->lock);
	lv_call_unref(c);
	return NULL;
}

/* With the lock. c is listed; its thread takes it off. */
static int call_spawn(struct lv_call *c, struct pst_err *err)
{
	pthread_attr_t attr;
	pthread_t thread;
	int rc;

	if (c->lv->stuck >= LV_STUCK_MAX)
		return pst_err_set(err, PST_EBUSY, "%u commands hang in libvirt: look at its daemon, and restart it", c->lv->stuck);
	c->is_running = true;
	c->refs++;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	rc = pthread_create(&thread, &attr, call_thread, c);
	pthread_attr_destroy(&attr);
	if (rc == 0)
		return 0;
	c->refs--;
	c->is_running = false;
	return pst_err_sys(err, PST_EBUSY, rc, "start a thread");
}

/* A job of libvirt is ended from another thread: that call may hang as well. */
static int abort_work(struct lv_call *a, struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;
	virConnectPtr conn = lv_host_connection(a->host, a->deadline_ms, &ignored);
	virDomainPtr d = conn ? virDomainLookupByUUIDString(conn, a->name) : NULL;

	if (d) {
		virDomainAbortJob(d);
		virDomainFree(d);
	}
	if (conn)
		virConnectClose(conn);
	return 0;
}

static void job_abort(struct lv_call *c)
{
	struct lv_call *a = lv_call_create(c->lv, NULL, abort_work);
	struct pst_err ignored = PST_ERR_INIT;

	if (!a)
		return;
	pst_strlcpy(a->name, sizeof(a->name), c->desktop);
	a->deadline_ms = pst_mono_ms() + c->lv->set.deadline_ms;
	pthread_mutex_lock(&c->lv->lock);
	a->host = c->host;
	enlist(a);
	if (call_spawn(a, &ignored) < 0)
		unlist(a);
	pthread_mutex_unlock(&c->lv->lock);
	lv_call_unref(a);
}

/* With the lock, which is let go: nobody waits for c from now on. */
static int give_up(struct lv_call *c, struct pst_err *err)
{
	struct lv_host *h = c->host;
	const char *step = c->step;
	bool is_cancelled = c->is_cancelled, has_job = c->has_job;
	char reason[200];

	atomic_store(&c->stop, true);
	c->lv->stuck++;
	pthread_mutex_unlock(&c->lv->lock);
	if (has_job)
		job_abort(c);
	if (is_cancelled)
		return pst_err_set(err, PST_ECLOSED, "cancelled while %s", step);
	snprintf(reason, sizeof(reason), "no answer while %s", step);
	if (h)
		lv_host_lost(h, reason);
	return pst_err_set(err, PST_ETIMEOUT, "libvirt%s%s did not answer in time while %s", h && h->name[0] ? " of host " : "",
		h ? h->name : "", step);
}

/* With the lock. An earlier command may still hang. */
static int turn_wait(struct lv_call *c, struct pst_err *err)
{
	struct timespec until = lv_until(c->deadline_ms);

	while (desktop_is_busy(c->lv, c->desktop)) {
		if (c->is_cancelled)
			return pst_err_set(err, PST_ECLOSED, "cancelled while %s", c->step);
		if (pthread_cond_timedwait(&c->lv->changed, &c->lv->lock, &until) == ETIMEDOUT)
			return pst_err_set(err, PST_EBUSY, "an earlier command for desktop %s still hangs in libvirt", c->desktop);
	}
	return call_spawn(c, err);
}

int lv_call_run(struct lv_call *c, uint64_t timeout_ms, struct pst_err *err)
{
	struct libvirt *lv = c->lv;
	struct timespec until;
	int rc;

	c->deadline_ms = pst_mono_ms() + (timeout_ms ? timeout_ms : lv->set.deadline_ms);
	until = lv_until(c->deadline_ms);
	pthread_mutex_lock(&lv->lock);
	enlist(c);
	rc = turn_wait(c, err);
	if (rc < 0)
		unlist(c);
	while (rc == 0 && !c->is_done && !c->is_cancelled && pthread_cond_timedwait(&lv->changed, &lv->lock, &until) != ETIMEDOUT)
		;
	if (rc == 0 && !c->is_done)
		return give_up(c, err);
	pthread_mutex_unlock(&lv->lock);
	return rc == 0 ? pst_err_pass(err, PST_MIN(c->rc, 0), &c->err) : rc;
}

int lv_call_finish(struct lv_call *c, struct pst_err *err)
{
	int rc = lv_call_run(c, 0, err);

	lv_call_unref(c);
	return rc;
}

void lv_call_cancel(struct libvirt *lv, const char *desktop)
{
	pthread_mutex_lock(&lv->lock);
	for (struct lv_call *c = lv->calls; c; c = c->next) {
		if (strcmp(c->desktop, desktop) == 0)
			c->is_cancelled = true;
	}
	pthread_cond_broadcast(&lv->changed);
	pthread_mutex_unlock(&lv->lock);
}
