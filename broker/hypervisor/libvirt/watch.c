/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ends that nobody ordered. An event of libvirt only makes a machine suspect; so does a look
 * at who runs, from time to time and after each new connection. The watcher then asks the
 * hypervisor about that machine, and what it is sure of goes to the loop by the mailbox.
 */
#include "broker/hypervisor/libvirt/found.h"
#include "broker/hypervisor/libvirt/known.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS 30000      /* with events: against lost ones */
#define LOOK_BLIND_MS 3000 /* without */
#define VERIFY_MS 10000

struct letter {
	struct letter *next;
	char desktop[PST_UUID_SIZE];
	char reason[MACHINE_REASON_SIZE];
	unsigned watch;
};

/* Lives until the loop has closed its handle; lv lives as long. */
struct lv_mailbox {
	struct libvirt *lv;
	uv_async_t async;
	struct letter *first; /* by the lock of lv */
};

static void letter_deliver(struct libvirt *lv, const struct letter *l)
{
	driver_ended_cb ended = NULL;
	struct lv_known *k;
	void *arg = NULL;

	pthread_mutex_lock(&lv->lock);
	k = lv_known_find(lv, l->desktop);
	if (k && k->ended && k->watch == l->watch) {
		ended = k->ended;
		arg = k->arg;
		k->ended = NULL;
	}
	pthread_mutex_unlock(&lv->lock);
	if (ended)
		ended(l->desktop, l->reason, arg);
}

static void on_letters(uv_async_t *async)
{
	struct lv_mailbox *m = async->data;
	struct letter *l, *next;

	pthread_mutex_lock(&m->lv->lock);
	l = m->first;
	m->first = NULL;
	pthread_mutex_unlock(&m->lv->lock);
	for (; l; l = next) {
		next = l->next;
		letter_deliver(m->lv, l);
		free(l);
	}
}

/* With the lock. */
static void letter_post(struct libvirt *lv, const struct lv_known *k, const char *reason)
{
	struct lv_mailbox *m = lv->mailbox;
	struct letter *l = m ? pst_zalloc(1, sizeof(*l)) : NULL;

	if (!l)
		return; /* the next look finds it again */
	pst_strlcpy(l->desktop, sizeof(l->desktop), k->desktop);
	pst_strlcpy(l->reason, sizeof(l->reason), reason);
	l->watch = k->watch;
	l->next = m->first;
	m->first = l;
	uv_async_send(&m->async);
}

/* Does it run? If not, why. */
static int verify_work(struct lv_call *c, struct pst_err *err)
{
	struct lv_found f;

	if (lv_find(c, &f, err) < 0)
		return err->code;
	c->machine.state = MACHINE_RUNNING;
	if (!f.domain) {
		c->machine.state = MACHINE_FAILED;
		pst_strlcpy(c->machine.reason, sizeof(c->machine.reason), "the hypervisor has no such domain any more");
	} else if (!f.is_active) {
		c->machine.state = lv_rest(f.domain, &f.record, c->machine.reason, sizeof(c->machine.reason));
		if (f.record.phase == LV_STOPPED)
			pst_strlcpy(c->machine.reason, sizeof(c->machine.reason), "it is stopped");
	}
	lv_found_finish(&f);
	return 0;
}

static void verify(struct libvirt *lv, const char *desktop, unsigned watch)
{
	struct lv_call *c = lv_call_create(lv, desktop, verify_work);
	struct pst_err ignored = PST_ERR_INIT;
	struct lv_known *k;

	if (!c)
		return;
	if (lv_call_run(c, VERIFY_MS, &ignored) == 0 && c->machine.state != MACHINE_RUNNING) {
		pthread_mutex_lock(&lv->lock);
		k = lv_known_find(lv, desktop);
		if (k && k->ended && k->watch == watch && !k->is_asleep)
			letter_post(lv, k, c->machine.reason);
		pthread_mutex_unlock(&lv->lock);
	}
	lv_call_unref(c);
}

struct pick {
	char desktop[PST_UUID_SIZE]; /* "" while nothing is picked */
	unsigned watch;
};

static void pick_suspect(struct libvirt *lv, struct lv_known *k, void *arg)
{
	struct pick *p = arg;

	if (p->desktop[0] || !k->is_suspect)
		return;
	k->is_suspect = false;
	if (!k->ended || k->is_asleep)
		return;
	p->watch = k->watch;
	pst_strlcpy(p->desktop, sizeof(p->desktop), k->desktop);
}

static void suspects_verify(struct libvirt *lv)
{
	struct pick p;

	do {
		p.desktop[0] = '\0';
		pthread_mutex_lock(&lv->lock);
		if (!lv->is_closing)
			lv_known_each(lv, pick_suspect, &p);
		pthread_mutex_unlock(&lv->lock);
		if (p.desktop[0])
			verify(lv, p.desktop, p.watch);
	} while (p.desktop[0]);
}

/* One question for each host: who runs there? Everybody else who is watched is suspect. */
static int look_work(struct lv_call *c, struct pst_err *err)
{
	for (size_t i = 0; i < c->lv->hosts_n; i++) {
		struct lv_host *h = &c->lv->hosts[i];
		virConnectPtr conn = lv_host_connection(h, c->deadline_ms, err);
		virDomainPtr *domains = NULL;
		int n = conn ? virConnectListAllDomains(conn, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE) : -1;

		if (conn && n < 0)
			lv_error(err, h, "list domains");
		pthread_mutex_lock(&c->lv->lock);
		for (int j = 0; j < n; j++) {
			char uuid[VIR_UUID_STRING_BUFLEN] = "";
			struct lv_known *k = virDomainGetUUIDString(domains[j], uuid) == 0 ? lv_known_find(c->lv, uuid) : NULL;

			if (k)
				k->is_suspect = false;
		}
		pthread_mutex_unlock(&c->lv->lock);
		for (int j = 0; j < n; j++)
			virDomainFree(domains[j]);
		free(domains);
		if (conn)
			virConnectClose(conn);
		if (n < 0)
			return err->code;
	}
	return 0;
}

static void suspect_mark(struct libvirt *lv, struct lv_known *k, void *arg)
{
	bool *is_suspect = arg;

	k->is_suspect = *is_suspect && k->ended && !k->is_asleep;
}

/* A host that does not answer clears nobody, and accuses nobody either. */
static void look(struct libvirt *lv)
{
	struct lv_call *c = lv_call_create(lv, NULL, look_work);
	struct pst_err ignored = PST_ERR_INIT;
	bool is_suspect = true;

	if (!c)
		return;
	pthread_mutex_lock(&lv->lock);
	lv_known_each(lv, suspect_mark, &is_suspect);
	pthread_mutex_unlock(&lv->lock);
	if (lv_call_run(c, 0, &ignored) < 0) {
		is_suspect = false;
		pthread_mutex_lock(&lv->lock);
		lv_known_each(lv, suspect_mark, &is_suspect);
		pthread_mutex_unlock(&lv->lock);
	}
	lv_call_unref(c);
}

/* With the lock. */
static bool hosts_tell(const struct libvirt *lv)
{
	for (size_t i = 0; i < lv->hosts_n; i++) {
		if (!lv->hosts[i].has_events)
			return false;
	}
	return true;
}

static void *watcher_thread(void *arg)
{
	struct libvirt *lv = arg;
	uint64_t next_ms = pst_mono_ms() + LOOK_BLIND_MS;

	pthread_mutex_lock(&lv->lock);
	while (!lv->is_closing) {
		struct timespec until = lv_until(next_ms);
		bool is_time = false;

		while (!lv->is_closing && !lv->is_news && !lv->is_suspicious && !is_time)
			is_time = pthread_cond_timedwait(&lv->changed, &lv->lock, &until) == ETIMEDOUT;
		is_time |= lv->is_news;
		lv->is_news = lv->is_suspicious = false;
		if (is_time)
			next_ms = pst_mono_ms() + (hosts_tell(lv) ? LOOK_MS : LOOK_BLIND_MS);
		pthread_mutex_unlock(&lv->lock);
		if (is_time)
			look(lv);
		suspects_verify(lv);
		pthread_mutex_lock(&lv->lock);
	}
	pthread_mutex_unlock(&lv->lock);
	lv_unref(lv);
	return NULL;
}

void lv_watch_suspect(struct libvirt *lv, const char *desktop)
{
	struct lv_known *k;

	pthread_mutex_lock(&lv->lock);
	k = lv_known_find(lv, desktop);
	if (k && k->ended && !k->is_asleep) {
		k->is_suspect = lv->is_suspicious = true;
		pthread_cond_broadcast(&lv->changed);
	}
	pthread_mutex_unlock(&lv->lock);
}

void lv_watch_sleep(struct libvirt *lv, const char *desktop, bool is_asleep)
{
	struct lv_known *k;

	pthread_mutex_lock(&lv->lock);
	k = lv_known_add(lv, desktop);
	if (k)
		k->is_asleep = is_asleep;
	pthread_mutex_unlock(&lv->lock);
}

int lv_watch(struct driver *d, const char *desktop, driver_ended_cb ended, void *arg, struct pst_err *err)
{
	struct libvirt *lv = pst_container_of(d, struct libvirt, base);
	struct lv_known *k;

	pthread_mutex_lock(&lv->lock);
	k = lv_known_find(lv, desktop);
	if (k) {
		k->ended = ended;
		k->arg = arg;
		k->watch++;
		k->is_asleep = false;
		lv->is_news = true; /* it may have ended already */
		pthread_cond_broadcast(&lv->changed);
	}
	pthread_mutex_unlock(&lv->lock);
	return k ? 0 : pst_err_set(err, PST_ENOTFOUND, "there is no desktop %s", desktop);
}

int lv_watch_start(struct libvirt *lv, uv_loop_t *loop, struct pst_err *err)
{
	struct lv_mailbox *m = pst_zalloc(1, sizeof(*m));
	pthread_t thread;
	int rc;

	if (!m || uv_async_init(loop, &m->async, on_letters) < 0) {
		free(m);
		return pst_err_set(err, PST_ENOMEM, "no memory");
	}
	m->async.data = m;
	m->lv = lv;
	lv_ref(lv);
	lv->mailbox = m;
	lv_ref(lv);
	rc = pthread_create(&thread, NULL, watcher_thread, lv);
	if (rc == 0) {
		pthread_detach(thread);
		return 0;
	}
	lv_unref(lv);
	return pst_err_sys(err, PST_EBUSY, rc, "start a thread");
}

static void on_closed(uv_handle_t *handle)
{
	struct lv_mailbox *m = handle->data;
	struct letter *l = m->first, *next;

	for (; l; l = next) {
		next = l->next;
		free(l);
	}
	lv_unref(m->lv);
	free(m);
}

void lv_watch_stop(struct libvirt *lv)
{
	struct lv_mailbox *m;

	pthread_mutex_lock(&lv->lock);
	m = lv->mailbox;
	lv->mailbox = NULL;
	pthread_mutex_unlock(&lv->lock);
	if (m)
		uv_close((uv_handle_t *)&m->async, on_closed);
}
