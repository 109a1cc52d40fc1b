/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands that are at work: their steps, their deadlines, their ends before time. */
#include "broker/hypervisor/qemu/parent.h"
#include "broker/hypervisor/qemu/qemu_priv.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

int qm_op_begin(struct qm_op *op, struct qemu *q, const char *desktop, struct pst_err *err)
{
	memset(op, 0, sizeof(*op));
	op->q = q;
	op->end_ms = pst_mono_ms() + q->set.deadline_ms;
	pst_strlcpy(op->desktop, sizeof(op->desktop), desktop);
	op->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (op->cancel_fd < 0)
		return pst_err_sys(err, PST_ELIMIT, errno, "eventfd");
	watches_hold(q->watches, desktop);
	pthread_mutex_lock(&q->lock);
	op->next = q->ops;
	q->ops = op;
	pthread_mutex_unlock(&q->lock);
	return 0;
}

void qm_op_end(struct qm_op *op)
{
	struct qemu *q = op->q;
	struct qm_op **p;

	qm_op_monitor_close(op);
	pthread_mutex_lock(&q->lock);
	for (p = &q->ops; *p != op; p = &(*p)->next)
		;
	*p = op->next;
	pthread_mutex_unlock(&q->lock);
	pst_fd_close(&op->cancel_fd);
	watches_release(q->watches, op->desktop);
	/* What ended meanwhile was nobody's news while we had our hands on it. */
	qm_keeper_look(q, op->desktop);
}

void qm_op_cancel(struct qemu *q, const char *desktop)
{
	const uint64_t one = 1;

	pthread_mutex_lock(&q->lock);
	for (struct qm_op *op = q->ops; op; op = op->next) {
		if (strcmp(op->desktop, desktop) != 0)
			continue;
		atomic_store(&op->is_cancelled, true);
		if (write(op->cancel_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
			continue;
		if (op->qmp)
			qmp_cancel(op->qmp);
	}
	pthread_mutex_unlock(&q->lock);
	qm_parents_wake(q->parents);
}

int qm_op_step(struct qm_op *op, struct pst_err *err, const char *fmt, ...)
{
	va_list ap;

	pthread_mutex_lock(&op->q->lock);
	va_start(ap, fmt);
	vsnprintf(op->step, sizeof(op->step), fmt, ap);
	va_end(ap);
	pthread_mutex_unlock(&op->q->lock);
	if (atomic_load(&op->is_cancelled))
		return pst_err_set(err, PST_ECLOSED, "desktop %s: given up before %s", op->desktop, op->step);
	if (pst_mono_ms() >= op->end_ms)
		return pst_err_set(err, PST_ETIMEOUT, "desktop %s: no time is left for %s", op->desktop, op->step);
	return 0;
}

bool qm_op_words(struct qemu *q, const char *desktop, char out[QM_STEP_SIZE])
{
	bool is_there = false;

	pthread_mutex_lock(&q->lock);
	for (const struct qm_op *op = q->ops; op && !is_there; op = op->next) {
		is_there = strcmp(op->desktop, desktop) == 0 && op->step[0];
		if (is_there)
			pst_strlcpy(out, QM_STEP_SIZE, op->step);
	}
	pthread_mutex_unlock(&q->lock);
	return is_there;
}

static void monitor_set(struct qm_op *op, struct qmp *qmp)
{
	pthread_mutex_lock(&op->q->lock);
	op->qmp = qmp;
	pthread_mutex_unlock(&op->q->lock);
}

int qm_op_monitor(struct qm_op *op, struct pst_err *err)
{
	char path[PATH_MAX];
	struct qmp *qmp;

	qm_op_monitor_close(op);
	if (qm_path(op->q, op->desktop, "qmp", path, err) < 0)
		return err->code;
	qmp = qmp_open(path, op->end_ms, err);
	if (!qmp)
		return err->code;
	monitor_set(op, qmp);
	return qm_op_step(op, err, "%s", op->step);
}

void qm_op_monitor_close(struct qm_op *op)
{
	struct qmp *qmp = op->qmp;

	monitor_set(op, NULL);
	qmp_close(qmp);
}

int qm_op_await(struct qm_op *op, int pidfd, uint64_t until_ms, struct pst_err *err)
{
	struct pollfd fds[2] = { { .fd = pidfd, .events = POLLIN }, { .fd = op->cancel_fd, .events = POLLIN } };
	uint64_t now;

	while ((now = pst_mono_ms()) < until_ms) {
		if (poll(fds, 2, (int)PST_MIN(until_ms - now, (uint64_t)60000)) < 0 && errno != EINTR)
			return pst_err_sys(err, PST_EIO, errno, "poll");
		if (fds[0].revents)
			return 0;
		if (fds[1].revents)
			return pst_err_set(err, PST_ECLOSED, "desktop %s: given up", op->desktop);
	}
	return pst_err_set(err, PST_ETIMEOUT, "desktop %s: its QEMU does not end", op->desktop);
}
