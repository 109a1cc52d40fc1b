/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One thread that waits for the ends of all QEMUs, takes their remains from the kernel, and says who ended by itself. */
#include "broker/hypervisor/qemu/qemu_priv.h"

#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVENTS 16

struct kept {
	struct kept *next;
	char desktop[PST_UUID_SIZE];
	int pidfd;
};

struct qm_keeper {
	struct qemu *q;
	int epoll_fd, stop_fd;
	pthread_mutex_t lock; /* guards the list; taken after no other */
	struct kept *first;
	pthread_t thread;
	bool runs;
};

static void kept_remove(struct qm_keeper *k, struct kept *which)
{
	struct kept **p;

	pthread_mutex_lock(&k->lock);
	for (p = &k->first; *p != which; p = &(*p)->next)
		;
	*p = which->next;
	pthread_mutex_unlock(&k->lock);
	epoll_ctl(k->epoll_fd, EPOLL_CTL_DEL, which->pidfd, NULL);
	pst_fd_close(&which->pidfd);
	free(which);
}

static void ended(struct qm_keeper *k, struct kept *e)
{
	char desktop[PST_UUID_SIZE];
	siginfo_t info;

	/* ECHILD: an earlier provisioner started it, and its remains are not ours. */
	while (waitid(P_PIDFD, (id_t)e->pidfd, &info, WEXITED | WNOHANG) < 0 && errno == EINTR)
		;
	pst_strlcpy(desktop, sizeof(desktop), e->desktop);
	kept_remove(k, e);
	qm_keeper_look(k->q, desktop);
}

static void *keeper_main(void *arg)
{
	struct qm_keeper *k = arg;
	struct epoll_event events[EVENTS];

	for (;;) {
		int n = epoll_wait(k->epoll_fd, events, EVENTS, -1);

		if (n < 0 && errno != EINTR)
			return NULL;
		for (int i = 0; i < n; i++) {
			if (!events[i].data.ptr)
				return NULL;
			ended(k, events[i].data.ptr);
		}
	}
}

static int wait_for(struct qm_keeper *k, int fd, struct kept *e)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = e };

	return epoll_ctl(k->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

int qm_keeper_start(struct qemu *q, struct pst_err *err)
{
	struct qm_keeper *k = pst_zalloc(1, sizeof(*k));

	if (!k)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	q->keeper = k;
	k->q = q;
	pthread_mutex_init(&k->lock, NULL);
	k->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	k->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (k->epoll_fd < 0 || k->stop_fd < 0 || wait_for(k, k->stop_fd, NULL) < 0)
		return pst_err_sys(err, PST_ELIMIT, errno, "look after QEMUs");
	k->runs = pthread_create(&k->thread, NULL, keeper_main, k) == 0;
	return k->runs ? 0 : pst_err_set(err, PST_ENOMEM, "no thread to look after QEMUs");
}

void qm_keeper_stop(struct qemu *q)
{
	struct qm_keeper *k = q->keeper;
	const uint64_t one = 1;

	if (!k)
		return;
	if (k->runs && write(k->stop_fd, &one, sizeof(one)) == sizeof(one))
		pthread_join(k->thread, NULL);
	while (k->first)
		kept_remove(k, k->first);
	pst_fd_close(&k->epoll_fd);
	pst_fd_close(&k->stop_fd);
	pthread_mutex_destroy(&k->lock);
	free(k);
	q->keeper = NULL;
}

int qm_keeper_add(struct qemu *q, const char *desktop, int pidfd, struct pst_err *err)
{
	struct qm_keeper *k = q->keeper;
	struct kept *e = pst_zalloc(1, sizeof(*e));

	if (!e) {
		pst_fd_close(&pidfd);
		return pst_err_set(err, PST_ENOMEM, "no memory");
	}
	pst_strlcpy(e->desktop, sizeof(e->desktop), desktop);
	e->pidfd = pidfd;
	pthread_mutex_lock(&k->lock);
	e->next = k->first;
	k->first = e;
	pthread_mutex_unlock(&k->lock);
	if (wait_for(k, pidfd, e) == 0)
		return 0;
	pst_err_sys(err, PST_ELIMIT, errno, "look after a QEMU");
	kept_remove(k, e);
	return err->code;
}

void qm_keeper_look(struct qemu *q, const char *desktop)
{
	uint64_t moment = watches_now(q->watches);
	struct pst_err ignored = PST_ERR_INIT;
	char reason[MACHINE_REASON_SIZE];
	struct qm_record r;
	int pidfd;

	if (qm_record_load(q, desktop, &r, &ignored) < 0 || r.phase != QM_RUNNING)
		return;
	pidfd = qm_machine_open(q, desktop, &ignored);
	if (pidfd >= 0) {
		close(pidfd);
		return;
	}
	qm_machine_reason(q, desktop, reason);
	watches_tell(q->watches, desktop, moment, reason);
}
