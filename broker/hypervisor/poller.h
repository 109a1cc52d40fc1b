/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A thread that lists a driver's machines from time to time, for those that tell no events, and says which
 * have ended by themselves. A list that fails is no news of anybody.
 */
#pragma once

#include "broker/hypervisor/driver.h"
#include "broker/hypervisor/watches.h"

struct poller;

/* d and w are borrowed. list is the driver's slot. Returns owned, NULL with err. */
struct poller *poller_create(struct driver *d, struct watches *w, uint64_t every_ms,
	int (*list)(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err), struct pst_err *err);

/* Waits for its last list, and has cancel called from time to time, so that this ends soon. Accepts NULL. */
void poller_destroy(struct poller *p, void (*cancel)(void *arg), void *arg);
