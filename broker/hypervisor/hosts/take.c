/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a free seat to a lent one, and back. Seats are tried from a place that follows from the desktop: first those that
 * are thought to answer, then the others, which are woken.
 */
#include "broker/hypervisor/hosts/hosts_priv.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

struct search {
	struct hosts_op *op;
	const struct machine_request *request;
	bool wakes;
	size_t lent;
	char last[160]; /* why the last one was not taken */
};

/* A dirty seat changes hands under the lock; of a free one the file system knows. */
static int dirty_take(struct hosts *h, const struct lease *l, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	struct lease now;
	int rc;

	pthread_mutex_lock(&h->lock);
	rc = lease_load(h->folder, l->seat, &now, &why);
	if (rc == 0 && now.phase != LEASE_DIRTY)
		rc = pst_err_set(&why, PST_ECONFLICT, "somebody has the seat %s", l->seat);
	if (rc == 0)
		rc = lease_save(h->folder, l, &why);
	pthread_mutex_unlock(&h->lock);
	return rc == PST_ENOTFOUND ? lease_take(h->folder, l, err) : pst_err_pass(err, rc, &why);
}

/* Not now: as it was before, and others first for a while. */
static int seat_release(struct search *f, struct lease *l, bool was_dirty, struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;
	struct hosts *h = f->op->h;

	if (err->code == PST_ECLOSED)
		return err->code; /* as after a crash */
	hosts_fault_set(h, l->seat, err->text);
	pst_strlcpy(f->last, sizeof(f->last), err->text);
	l->phase = LEASE_DIRTY;
	if (was_dirty)
		(void)lease_save(h->folder, l, &ignored);
	else
		(void)lease_drop(h->folder, l->seat, &ignored);
	return pst_err_set(err, PST_EAGAIN, "%s", f->last);
}

static int seat_prepare(struct search *f, const struct seat *s, bool was_dirty, struct pst_err *err)
{
	struct hosts_op *op = f->op;
	uint64_t now = pst_mono_ms();
	char reason[96];

	if (f->wakes && hosts_await(op, s, true, now + op->h->wake_ms, err) < 0)
		return err->code;
	if (!f->wakes && !hosts_answers(op, s, reason))
		return call_is_cancelled(&op->call) ? pst_err_set(err, PST_ECLOSED, "cancelled while asking the seat %s", s->name) :
			pst_err_set(err, PST_EAGAIN, "the seat %s (%s) does not answer: %s", s->name, s->address, reason);
	if (was_dirty && hosts_command(op, s, HOSTS_REFRESH, f->request, NULL, err) < 0)
		return err->code;
	return hosts_seed(op, s, f->request, err);
}

/* 0, PST_ECONFLICT (another has it), PST_EAGAIN (not now), or what ends the search. */
static int seat_try(struct search *f, const struct seat *s, bool was_dirty, struct lease *ret, struct pst_err *err)
{
	struct lease *l = ret;
	int rc;

	*l = (struct lease){ .phase = LEASE_TAKING, .request = *f->request };
	memcpy(l->seat, s->name, sizeof(l->seat));
	rc = was_dirty ? dirty_take(f->op->h, l, err) : lease_take(f->op->h->folder, l, err);
	if (rc < 0)
		return rc;
	if (seat_prepare(f, s, was_dirty, err) < 0)
		return seat_release(f, l, was_dirty, err);
	hosts_fault_clear(f->op->h, s->name);
	l->phase = LEASE_LENT;
	return lease_save(f->op->h->folder, l, err);
}

/* PST_EAGAIN, without words in err: none of them now. */
static int search(struct search *f, struct lease *ret, const struct seat **ret_seat, struct pst_err *err)
{
	const struct seats *all = &f->op->seats;
	uint8_t sum[PST_SHA256_LEN];
	size_t first;

	pst_sha256(f->request->desktop, strlen(f->request->desktop), sum);
	first = all->n ? ((size_t)sum[0] << 8 | sum[1]) % all->n : 0;
	f->lent = 0;
	for (size_t i = 0; i < all->n; i++) {
		const struct seat *s = &all->list[(first + i) % all->n];
		const struct lease *l = leases_seat(&f->op->leases, s->name);
		struct pst_err why = PST_ERR_INIT;
		int rc;

		f->lent += l && l->phase != LEASE_DIRTY;
		if ((l && l->phase != LEASE_DIRTY) || !hosts_lends(f->op->h, s) || (!f->wakes && hosts_fault_is(f->op->h, s->name, pst_mono_ms())))
			continue;
		rc = seat_try(f, s, l != NULL, ret, &why);
		if (rc == 0)
			*ret_seat = s;
		if (rc != PST_ECONFLICT && rc != PST_EAGAIN)
			return pst_err_pass(err, rc, &why);
	}
	return PST_EAGAIN;
}

int hosts_take(struct hosts_op *op, const struct machine_request *r, struct lease *ret, const struct seat **ret_seat, struct pst_err *err)
{
	struct search f = { .op = op, .request = r };
	int rc = search(&f, ret, ret_seat, err);

	if (rc == PST_EAGAIN) {
		f.wakes = true;
		rc = search(&f, ret, ret_seat, err);
	}
	if (rc != PST_EAGAIN)
		return rc;
	return pst_err_set(err, PST_EBUSY, "no seat is free: %zu of %zu are lent%s%s", f.lent, op->seats.n, f.last[0] ? "; " : "", f.last);
}

int hosts_return(struct hosts_op *op, struct lease *l, struct pst_err *err)
{
	const struct seat *s = seats_find(&op->seats, l->seat);
	struct hosts *h = op->h;
	struct pst_err why = PST_ERR_INIT;
	char reason[96];

	l->phase = LEASE_RETURNING;
	if (lease_save(h->folder, l, err) < 0)
		return err->code;
	if (!h->commands[HOSTS_REFRESH])
		return lease_drop(h->folder, l->seat, err);
	if (s && hosts_answers(op, s, reason) && hosts_command(op, s, HOSTS_REFRESH, &l->request, NULL, &why) == 0)
		return lease_drop(h->folder, l->seat, err);
	if (call_is_cancelled(&op->call))
		return pst_err_set(err, PST_ECLOSED, "cancelled while cleaning the seat %s", l->seat);
	hosts_fault_set(h, l->seat, why.code < 0 ? why.text : "it has to be cleaned, and does not answer");
	l->phase = LEASE_DIRTY;
	return lease_save(h->folder, l, err);
}
