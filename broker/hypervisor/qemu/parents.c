/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The parents that are known, and the one thread that makes them: so never more than one boots at a time.
 *
 *	(asked for) --> wanted --> making --> ready --(spoilt, unused)--> gone
 *	                  ^           |
 *	                  |           v
 *	                  '-(a while)-failed
 */
#include "broker/hypervisor/qemu/parent.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/request.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PARENTS_MAX 256
#define AGAIN_MS (30 * 60 * UINT64_C(1000))  /* after a failure */
#define SOON_MS (60 * UINT64_C(1000))        /* after one that disks which stand on it were the reason of */
#define STRIKES_MAX 3                        /* children in a row that could not be resumed, before it is made anew */
#define FORGET_MS (10 * 60 * UINT64_C(1000)) /* an unused one's memory; its files stay */
#define KEEP_S (7 * 24 * 3600)               /* the files of one that nobody stands on */
#define RESERVE_MS 5000                      /* of a command's time, to boot by itself */

struct qm_parents {
	struct qemu *q;
	pthread_mutex_t lock; /* guards all that follows; taken after no other */
	pthread_cond_t changed;
	struct qm_parent *first;
	size_t n;
	int making; /* a pidfd that is borrowed from the maker; -1 */
	bool is_closing;
	pthread_t maker;
	bool runs;
};

static void state_set(struct qm_parents *ps, struct qm_parent *p, enum qm_parent_state state)
{
	p->state = state;
	p->since_ms = pst_mono_ms();
	pthread_cond_broadcast(&ps->changed);
}

static void parent_free(struct qm_parent *p)
{
	pst_fd_close(&p->ram_fd);
	pst_fd_close(&p->state_fd);
	free(p);
}

static void on_making(void *arg, int pidfd)
{
	struct qm_parents *ps = arg;

	pthread_mutex_lock(&ps->lock);
	ps->making = pidfd;
	if (ps->is_closing && pidfd >= 0)
		syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	pthread_mutex_unlock(&ps->lock);
}

/* Read again, or made; one that is not what it was is made anew where nobody stands on it. */
static int bring(struct qm_parents *ps, struct qm_parent *p, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	bool is_bad = p->strikes >= STRIKES_MAX;
	int rc = is_bad ? PST_ECONFLICT : qm_parent_load(ps->q, p, &why);

	if (rc == 0)
		return 0;
	if (rc != PST_ENOTFOUND)
		pst_warn("parent=%s not used: %s", p->key, is_bad ? p->reason : why.text);
	rc = qm_parent_remove(ps->q, p->key, err);
	return rc < 0 ? rc : qm_parent_make(ps->q, p, on_making, ps, err);
}

static void bring_told(struct qm_parents *ps, struct qm_parent *p)
{
	const struct machine_request *r = &p->request;
	uint64_t began = pst_mono_ms();
	struct pst_err err = PST_ERR_INIT;
	int rc = bring(ps, p, &err);

	pthread_mutex_lock(&ps->lock);
	p->is_spoilt = false;
	if (p->strikes >= STRIKES_MAX)
		p->strikes = 0;
	p->again_ms = rc == PST_EBUSY ? SOON_MS : AGAIN_MS;
	pst_strlcpy(p->reason, sizeof(p->reason), err.text);
	state_set(ps, p, rc == 0 ? QM_PARENT_READY : QM_PARENT_FAILED);
	bool is_closing = ps->is_closing;
	pthread_mutex_unlock(&ps->lock);
	if (rc == 0)
		pst_info("parent=%s image=%s:%s ready in %llu ms", p->key, r->image_name, r->image_version,
			(unsigned long long)(pst_mono_ms() - began));
	else if (!is_closing)
		pst_warn("parent=%s image=%s:%s cannot be made, its machines boot by themselves: %s", p->key, r->image_name,
			r->image_version, err.text);
}

static struct qm_parent *wanted_find(struct qm_parents *ps)
{
	struct qm_parent *oldest = NULL;

	for (struct qm_parent *p = ps->first; p; p = p->next) {
		if (p->state == QM_PARENT_WANTED && (!oldest || p->since_ms < oldest->since_ms))
			oldest = p;
	}
	return oldest;
}

static void *maker_main(void *arg)
{
	struct qm_parents *ps = arg;

	pthread_mutex_lock(&ps->lock);
	while (!ps->is_closing) {
		struct qm_parent *p = wanted_find(ps);

		if (!p) {
			pthread_cond_wait(&ps->changed, &ps->lock);
			continue;
		}
		state_set(ps, p, QM_PARENT_MAKING);
		pthread_mutex_unlock(&ps->lock);
		bring_told(ps, p);
		pthread_mutex_lock(&ps->lock);
	}
	pthread_mutex_unlock(&ps->lock);
	return NULL;
}

int qm_parents_start(struct qemu *q, struct pst_err *err)
{
	struct qm_parents *ps = pst_zalloc(1, sizeof(*ps));
	pthread_condattr_t attr;

	if (!ps)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	ps->q = q;
	ps->making = -1;
	pthread_mutex_init(&ps->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&ps->changed, &attr);
	pthread_condattr_destroy(&attr);
	q->parents = ps;
	ps->runs = pthread_create(&ps->maker, NULL, maker_main, ps) == 0;
	return ps->runs ? 0 : pst_err_set(err, PST_ENOMEM, "no thread to make parents");
}

void qm_parents_stop(struct qemu *q)
{
	struct qm_parents *ps = q->parents;

	if (!ps)
		return;
	pthread_mutex_lock(&ps->lock);
	ps->is_closing = true;
	if (ps->making >= 0)
		syscall(SYS_pidfd_send_signal, ps->making, SIGKILL, NULL, 0);
	pthread_cond_broadcast(&ps->changed);
	pthread_mutex_unlock(&ps->lock);
	if (ps->runs)
		pthread_join(ps->maker, NULL);
	while (ps->first) {
		struct qm_parent *p = ps->first;

		ps->first = p->next;
		parent_free(p);
	}
	pthread_cond_destroy(&ps->changed);
	pthread_mutex_destroy(&ps->lock);
	free(ps);
	q->parents = NULL;
}

void qm_parents_wake(struct qm_parents *ps)
{
	pthread_mutex_lock(&ps->lock);
	pthread_cond_broadcast(&ps->changed);
	pthread_mutex_unlock(&ps->lock);
}

/* With the lock. */
static struct qm_parent *find_or_want(struct qm_parents *ps, const char *key, const struct machine_request *r)
{
	struct qm_parent *p;

	for (p = ps->first; p && strcmp(p->key, key) != 0; p = p->next)
		;
	if (!p && ps->n < PARENTS_MAX && (p = pst_zalloc(1, sizeof(*p)))) {
		pst_strlcpy(p->key, sizeof(p->key), key);
		p->ram_fd = p->state_fd = -1;
		p->request = *r;
		memset(p->request.enrol_token, 0, sizeof(p->request.enrol_token));
		p->next = ps->first;
		ps->first = p;
		ps->n++;
		state_set(ps, p, QM_PARENT_WANTED);
	}
	if (p && p->state == QM_PARENT_FAILED && p->users == 0 && pst_mono_ms() - p->since_ms > p->again_ms)
		state_set(ps, p, QM_PARENT_WANTED);
	return p;
}

static bool is_coming(const struct qm_parent *p)
{
	return p->state == QM_PARENT_WANTED || p->state == QM_PARENT_MAKING;
}

/* With the lock, which is let go meanwhile. */
static void await(struct qm_op *op, struct qm_parents *ps, const struct qm_parent *p)
{
	uint64_t end_ms = PST_MIN(pst_mono_ms() + ps->q->set.parent_wait_ms, op->end_ms - PST_MIN(op->end_ms, (uint64_t)RESERVE_MS));
	struct timespec until = { .tv_sec = (time_t)(end_ms / 1000), .tv_nsec = (long)(end_ms % 1000 * 1000000) };

	while (is_coming(p) && !ps->is_closing && !atomic_load(&op->is_cancelled) &&
		pthread_cond_timedwait(&ps->changed, &ps->lock, &until) == 0)
		;
}

/* A parent that is wanted is not swept soon. */
static void touch(const struct qemu *q, const char *key)
{
	char path[PATH_MAX];

	if (qm_parent_path(q, key, "parent.json", path, NULL) == 0)
		(void)utimensat(AT_FDCWD, path, NULL, 0);
}

int qm_parent_take(struct qm_op *op, const struct machine_request *r, struct qm_parent **ret, struct pst_err *err)
{
	struct qm_parents *ps = op->q->parents;
	char key[QM_KEY_SIZE];
	struct qm_parent *p;

	*ret = NULL;
	/* Whoever has no agent for the display has nobody inside who would take another name. */
	if (!op->q->set.is_instant || request_speaks_rdp(r))
		return 0;
	if (qm_parent_key(op->q, r, key, err) < 0 ||
		qm_op_step(op, err, "the booted parent of image %s:%s, which is made once", r->image_name, r->image_version) < 0)
		return err->code;
	pthread_mutex_lock(&ps->lock);
	p = find_or_want(ps, key, r);
	if (p) {
		p->users++;
		await(op, ps, p);
		if (p->state == QM_PARENT_READY && !p->is_spoilt)
			*ret = p;
		else
			p->users--;
	}
	pthread_mutex_unlock(&ps->lock);
	if (*ret)
		touch(op->q, key);
	return 0;
}

void qm_parent_give(struct qemu *q, struct qm_parent *p)
{
	struct qm_parents *ps = q->parents;

	pthread_mutex_lock(&ps->lock);
	p->users--;
	p->since_ms = pst_mono_ms();
	if (!p->is_spoilt)
		p->strikes = 0;
	if (p->users == 0 && p->is_spoilt && p->state == QM_PARENT_READY) {
		pst_fd_close(&p->ram_fd);
		pst_fd_close(&p->state_fd);
		state_set(ps, p, QM_PARENT_WANTED);
	}
	pthread_mutex_unlock(&ps->lock);
}

void qm_parent_spoil(struct qemu *q, struct qm_parent *p, const char *reason)
{
	pthread_mutex_lock(&q->parents->lock);
	p->is_spoilt = true;
	p->strikes++;
	pst_strlcpy(p->reason, sizeof(p->reason), reason);
	pthread_mutex_unlock(&q->parents->lock);
}

/* One that is known and could be wanted is kept; true: its files may go. With the lock. */
static bool may_go(struct qm_parents *ps, const char *key, bool is_old)
{
	for (struct qm_parent **at = &ps->first; *at; at = &(*at)->next) {
		struct qm_parent *p = *at;

		if (strcmp(p->key, key) != 0)
			continue;
		if (p->users > 0 || is_coming(p) || !is_old)
			return false;
		*at = p->next;
		ps->n--;
		parent_free(p);
		return true;
	}
	return is_old;
}

/* The golden disk that it was made from is another one now, or gone; or nobody has wanted it for long. */
static bool is_outdated(const struct qemu *q, const char *key)
{
	char path[PATH_MAX];
	struct stat st;

	if (qm_parent_path(q, key, "parent.json", path, NULL) < 0 || stat(path, &st) < 0)
		return true;
	return time(NULL) - st.st_mtim.tv_sec > KEEP_S || !qm_parent_is_current(q, key);
}

static void memory_forget(struct qm_parents *ps)
{
	for (struct qm_parent **at = &ps->first; *at;) {
		struct qm_parent *p = *at;

		if (p->users == 0 && p->state == QM_PARENT_READY && pst_mono_ms() - p->since_ms > FORGET_MS) {
			*at = p->next;
			ps->n--;
			parent_free(p);
		} else {
			at = &p->next;
		}
	}
}

static void sweep_one(struct qemu *q, const char *key)
{
	struct pst_err err = PST_ERR_INIT;
	bool is_old = is_outdated(q, key), goes;

	pthread_mutex_lock(&q->parents->lock);
	goes = may_go(q->parents, key, is_old);
	/* Under the lock: nobody begins to want it while it goes. */
	if (goes && qm_parent_remove(q, key, &err) == 0)
		pst_info("parent=%s removed: nobody stands on it, and its image is not wanted any more", key);
	pthread_mutex_unlock(&q->parents->lock);
}

void qm_parents_sweep(struct qemu *q)
{
	char path[PATH_MAX];
	struct dirent *e;
	DIR *dir;

	if (qm_parent_path(q, "", NULL, path, NULL) < 0)
		return;
	dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		if (strlen(e->d_name) == QM_KEY_SIZE - 1)
			sweep_one(q, e->d_name);
	}
	if (dir)
		closedir(dir);
	pthread_mutex_lock(&q->parents->lock);
	memory_forget(q->parents);
	pthread_mutex_unlock(&q->parents->lock);
}
