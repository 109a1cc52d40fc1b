/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A list of commands under a lock. */
#include "broker/hypervisor/calls.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/unixsock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

void calls_init(struct calls *l)
{
	pthread_mutex_init(&l->lock, NULL);
	l->first = NULL;
}

void calls_finish(struct calls *l)
{
	pthread_mutex_destroy(&l->lock);
}

int call_begin(struct calls *l, struct call *c, const char *desktop, uint64_t timeout_ms, struct pst_err *err)
{
	pst_strlcpy(c->desktop, sizeof(c->desktop), desktop);
	c->end_ms = pst_mono_ms() + timeout_ms;
	c->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->cancel_fd < 0)
		return pst_err_sys(err, PST_EIO, errno, "eventfd");
	pthread_mutex_lock(&l->lock);
	c->next = l->first;
	l->first = c;
	pthread_mutex_unlock(&l->lock);
	return 0;
}

void call_end(struct calls *l, struct call *c)
{
	struct call **p;

	pthread_mutex_lock(&l->lock);
	for (p = &l->first; *p != c; p = &(*p)->next)
		;
	*p = c->next;
	pthread_mutex_unlock(&l->lock);
	pst_fd_close(&c->cancel_fd);
}

void calls_cancel(struct calls *l, const char *desktop)
{
	pthread_mutex_lock(&l->lock);
	for (struct call *c = l->first; c; c = c->next) {
		if (!desktop || strcmp(c->desktop, desktop) == 0)
			eventfd_write(c->cancel_fd, 1);
	}
	pthread_mutex_unlock(&l->lock);
}

bool call_is_cancelled(const struct call *c)
{
	struct pollfd p = { .fd = c->cancel_fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}
