/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A host's connection, opened and opened again by its keeper: a thread that does nothing
 * else, so that an address which swallows packets holds up nobody.
 *
 *   none ──opened──► stands ──lost──► none, with the reason
 *     ▲                                │
 *     └──────── 1, 2, 4 … 15 s ◄───────┘   (at once when a call wants it)
 */
#include "broker/hypervisor/libvirt/known.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BACKOFF_MAX_MS 15000

static void on_freed(void *arg)
{
	struct lv_host *h = arg;

	lv_unref(h->lv);
}

static void on_closed(virConnectPtr conn, int reason, void *arg)
{
	static const char *const words[] = { "an error broke it", "the daemon ended it", "the daemon is silent", "we ended it" };
	struct lv_host *h = arg;

	lv_host_lost(h, (size_t)reason < PST_ARRAY_LEN(words) ? words[reason] : "it was closed");
}

static int on_lifecycle(virConnectPtr conn, virDomainPtr d, int event, int detail, void *arg)
{
	struct lv_host *h = arg;
	char uuid[VIR_UUID_STRING_BUFLEN];

	if (event != VIR_DOMAIN_EVENT_STARTED && event != VIR_DOMAIN_EVENT_RESUMED && virDomainGetUUIDString(d, uuid) == 0)
		lv_watch_suspect(h->lv, uuid);
	return 0;
}

/* The registration holds lv until libvirt calls on_freed. */
static bool events_register(struct lv_host *h, virConnectPtr conn)
{
	int id;

	/* Drivers without it take no notice and would never free anything: discard_thread holds lv for this one. */
	(void)virConnectRegisterCloseCallback(conn, on_closed, h, NULL);
	lv_ref(h->lv);
	id = virConnectDomainEventRegisterAny(conn, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle), h,
		on_freed);
	if (id < 0)
		lv_unref(h->lv);
	h->event_id = id;
	return id >= 0;
}

struct discarded {
	struct libvirt *lv;
	virConnectPtr conn;
	int event_id;
};

/* Says good-bye, which may take as long as the daemon likes. */
static void *discard_thread(void *arg)
{
	struct discarded *d = arg;

	if (d->event_id >= 0)
		virConnectDomainEventDeregisterAny(d->conn, d->event_id);
	virConnectUnregisterCloseCallback(d->conn, on_closed);
	virConnectClose(d->conn);
	lv_unref(d->lv);
	free(d);
	return NULL;
}

/* What cannot be discarded stays as it is, with its lv: better than a keeper that hangs. */
static void discard(struct lv_host *h, virConnectPtr conn, bool wait)
{
	struct discarded *d = pst_zalloc(1, sizeof(*d));
	pthread_t thread;

	lv_ref(h->lv);
	if (!d)
		return;
	d->lv = h->lv;
	d->conn = conn;
	d->event_id = h->event_id;
	if (pthread_create(&thread, NULL, discard_thread, d) != 0) {
		free(d);
		return;
	}
	if (wait)
		pthread_join(thread, NULL);
	else
		pthread_detach(thread);
}

/* Without the lock on entry and on return. */
static void attempt(struct lv_host *h)
{
	struct lv_nature nature;
	char reason[LV_REASON_SIZE] = "";
	virConnectPtr conn = lv_opening_run(h, &nature, reason);
	bool has_events = conn && events_register(h, conn);

	pthread_mutex_lock(&h->lv->lock);
	h->attempts++;
	h->is_wanted = false;
	if (conn) {
		h->conn = conn;
		h->is_lost = false;
		h->has_events = has_events;
		/* Calls read it without the lock: it is written when the host has become another one only. */
		if (memcmp(&h->nature, &nature, sizeof(nature)) != 0)
			h->nature = nature;
		h->reason[0] = '\0';
		h->lv->is_news = true; /* what happened in the meantime? */
	} else {
		pst_strlcpy(h->reason, sizeof(h->reason), reason);
	}
	pthread_cond_broadcast(&h->lv->changed);
	pthread_mutex_unlock(&h->lv->lock);
}

/* With the lock, let go for a moment. */
static void connection_drop(struct lv_host *h, bool wait)
{
	virConnectPtr conn = h->conn;

	h->conn = NULL;
	pthread_mutex_unlock(&h->lv->lock);
	if (conn)
		discard(h, conn, wait);
	pthread_mutex_lock(&h->lv->lock);
}

/* With the lock: until there is something to do, or the pause is over. */
static void keeper_wait(struct lv_host *h, uint64_t pause_ms)
{
	struct libvirt *lv = h->lv;
	struct timespec until = lv_until(pst_mono_ms() + pause_ms);

	while (!lv->is_closing && !h->is_lost && !h->is_wanted) {
		if (h->conn)
			pthread_cond_wait(&lv->changed, &lv->lock);
		else if (pause_ms == 0 || pthread_cond_timedwait(&lv->changed, &lv->lock, &until) == ETIMEDOUT)
			return;
	}
}

static void *keeper_thread(void *arg)
{
	struct lv_host *h = arg;
	struct libvirt *lv = h->lv;
	uint64_t pause_ms = 0;

	pthread_mutex_lock(&lv->lock);
	while (!lv->is_closing) {
		if (h->conn && h->is_lost)
			connection_drop(h, false);
		h->is_lost = false;
		if (!h->conn) {
			pthread_mutex_unlock(&lv->lock);
			attempt(h);
			pthread_mutex_lock(&lv->lock);
		}
		pause_ms = h->conn ? 0 : PST_MIN(PST_MAX(2 * pause_ms, (uint64_t)1000), (uint64_t)BACKOFF_MAX_MS);
		if (h->conn)
			h->is_wanted = false;
		keeper_wait(h, pause_ms);
	}
	connection_drop(h, true);
	pthread_mutex_unlock(&lv->lock);
	lv_unref(lv);
	return NULL;
}

int lv_host_start(struct lv_host *h, struct pst_err *err)
{
	pthread_t thread;
	int rc;

	h->event_id = -1;
	lv_ref(h->lv);
	rc = pthread_create(&thread, NULL, keeper_thread, h);
	if (rc == 0) {
		pthread_detach(thread);
		return 0;
	}
	lv_unref(h->lv);
	return pst_err_sys(err, PST_EBUSY, rc, "start a thread");
}

virConnectPtr lv_host_connection(struct lv_host *h, uint64_t until_ms, struct pst_err *err)
{
	struct libvirt *lv = h->lv;
	/* A little before the caller is given up: these words say more. */
	struct timespec until = lv_until(until_ms - PST_MIN(until_ms, (uint64_t)300));
	virConnectPtr conn = NULL;
	unsigned before;
	bool in_time = true;

	pthread_mutex_lock(&lv->lock);
	before = h->attempts;
	while ((!h->conn || h->is_lost) && h->attempts == before && in_time && !lv->is_closing) {
		h->is_wanted = true;
		pthread_cond_broadcast(&lv->changed);
		in_time = pthread_cond_timedwait(&lv->changed, &lv->lock, &until) != ETIMEDOUT;
	}
	if (h->conn && !h->is_lost) {
		conn = h->conn;
		virConnectRef(conn);
	} else {
		pst_err_set(err, in_time ? PST_ECLOSED : PST_ETIMEOUT, "%s%slibvirt at %s cannot be reached: %s", h->name,
			h->name[0] ? ": " : "", h->uri, h->reason[0] ? h->reason : "it does not answer");
	}
	pthread_mutex_unlock(&lv->lock);
	return conn;
}

void lv_host_lost(struct lv_host *h, const char *reason)
{
	pthread_mutex_lock(&h->lv->lock);
	if (h->conn && !h->is_lost) {
		h->is_lost = true;
		snprintf(h->reason, sizeof(h->reason), "%s", reason);
		pthread_cond_broadcast(&h->lv->changed);
	}
	pthread_mutex_unlock(&h->lv->lock);
}
