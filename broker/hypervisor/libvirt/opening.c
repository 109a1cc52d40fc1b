/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opening a connection, with a deadline: a host that vanished in the middle of it would keep
 * its keeper for as long as TCP is patient. Each attempt has a thread, which is left behind
 * when it takes too long, and closes what it may still get.
 */
#include "broker/hypervisor/libvirt/libvirt_priv.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN_MS 20000
#define OPENINGS_MAX 4 /* of a host that have been left and have not come back */
#define KEEPALIVE_S 5  /* silence of 3 × 5 s ends a connection */
#define KEEPALIVE_N 3

struct opening {
	struct lv_host *h;
	virConnectPtr conn;
	struct lv_nature nature;
	char reason[LV_REASON_SIZE];
	bool is_done, is_left; /* by the lock of lv */
};

/* Opens and looks at it; libvirt's words on failure. */
static void connection_open(struct opening *o)
{
	struct pst_err err = PST_ERR_INIT;

	o->conn = virConnectOpen(o->h->uri);
	if (!o->conn) {
		pst_strlcpy(o->reason, sizeof(o->reason), virGetLastErrorMessage());
		return;
	}
	/* Not for in-process drivers: nothing to keep alive there. */
	(void)virConnectSetKeepAlive(o->conn, KEEPALIVE_S, KEEPALIVE_N);
	if (lv_nature_find(&o->nature, o->conn, o->h->lv->set.accel, &err) == 0)
		return;
	pst_strlcpy(o->reason, sizeof(o->reason), err.text);
	virConnectClose(o->conn);
	o->conn = NULL;
}

static void *opening_thread(void *arg)
{
	struct opening *o = arg;
	struct libvirt *lv = o->h->lv;
	bool is_left;

	connection_open(o);
	pthread_mutex_lock(&lv->lock);
	o->is_done = true;
	is_left = o->is_left;
	if (is_left)
		o->h->openings--;
	pthread_cond_broadcast(&lv->changed);
	pthread_mutex_unlock(&lv->lock);
	if (is_left) {
		if (o->conn)
			virConnectClose(o->conn);
		free(o);
	}
	lv_unref(lv);
	return NULL;
}

/* Waits for it; true when it is the caller's again. */
static bool opening_wait(struct opening *o)
{
	struct libvirt *lv = o->h->lv;
	struct timespec until = lv_until(pst_mono_ms() + PST_MIN(lv->set.deadline_ms, (uint64_t)OPEN_MS));
	bool is_done;

	pthread_mutex_lock(&lv->lock);
	while (!o->is_done && !lv->is_closing && pthread_cond_timedwait(&lv->changed, &lv->lock, &until) != ETIMEDOUT)
		;
	is_done = o->is_done;
	if (!is_done) {
		o->is_left = true;
		o->h->openings++;
	}
	pthread_mutex_unlock(&lv->lock);
	return is_done;
}

/* NULL with the reason: no memory, no thread, or too many that hang. */
static struct opening *opening_start(struct lv_host *h, char reason[LV_REASON_SIZE])
{
	struct opening *o = h->openings < OPENINGS_MAX ? pst_zalloc(1, sizeof(*o)) : NULL;
	pthread_t thread;

	if (!o) {
		snprintf(reason, LV_REASON_SIZE, "%u attempts to connect hang", h->openings);
		return NULL;
	}
	o->h = h;
	lv_ref(h->lv);
	if (pthread_create(&thread, NULL, opening_thread, o) == 0) {
		pthread_detach(thread);
		return o;
	}
	lv_unref(h->lv);
	free(o);
	pst_strlcpy(reason, LV_REASON_SIZE, "no thread to connect with");
	return NULL;
}

virConnectPtr lv_opening_run(struct lv_host *h, struct lv_nature *ret_nature, char reason[LV_REASON_SIZE])
{
	struct opening *o = opening_start(h, reason);
	virConnectPtr conn;

	if (!o)
		return NULL;
	if (!opening_wait(o)) {
		pst_strlcpy(reason, LV_REASON_SIZE, "it does not answer");
		return NULL;
	}
	conn = o->conn;
	*ret_nature = o->nature;
	pst_strlcpy(reason, LV_REASON_SIZE, o->reason);
	free(o);
	return conn;
}
