/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs libvirt's default event loop. */
#include "broker/hypervisor/libvirt/events.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

static struct {
	pthread_mutex_t lock; /* guards the three below */
	unsigned users;
	bool is_registered;
	pthread_t thread;
	atomic_bool stop;
} events = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* libvirt prints what goes wrong unless somebody else takes it; each error reaches its caller anyway. */
static void on_error(void *arg, virErrorPtr e)
{
}

static void on_wake(int timer, void *arg)
{
	virEventRemoveTimeout(timer);
}

static void *events_thread(void *arg)
{
	while (!atomic_load(&events.stop)) {
		if (virEventRunDefaultImpl() < 0)
			break;
	}
	return NULL;
}

/* With the lock. */
static int events_begin(struct pst_err *err)
{
	int rc;

	if (!events.is_registered) {
		virSetErrorFunc(NULL, on_error);
		if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0)
			return pst_err_set(err, PST_EINTERNAL, "libvirt's event loop cannot be made: %s", virGetLastErrorMessage());
		events.is_registered = true;
	}
	atomic_store(&events.stop, false);
	rc = pthread_create(&events.thread, NULL, events_thread, NULL);
	return rc ? pst_err_sys(err, PST_EBUSY, rc, "start the thread of libvirt's events") : 0;
}

int lv_events_start(struct pst_err *err)
{
	int rc = 0;

	pthread_mutex_lock(&events.lock);
	if (events.users == 0)
		rc = events_begin(err);
	if (rc == 0)
		events.users++;
	pthread_mutex_unlock(&events.lock);
	return rc;
}

void lv_events_stop(void)
{
	pthread_mutex_lock(&events.lock);
	if (--events.users == 0) {
		atomic_store(&events.stop, true);
		virEventAddTimeout(0, on_wake, NULL, NULL);
		pthread_join(events.thread, NULL);
	}
	pthread_mutex_unlock(&events.lock);
}
