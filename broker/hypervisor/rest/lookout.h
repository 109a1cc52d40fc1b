/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A thread that looks for machines that ended by themselves, by a driver's own list. What tells of news (a
 * stream of events, or the passing of time) only says when to look, so that lost and doubled news do no harm.
 */
#pragma once

#include "broker/hypervisor/driver.h"
#include "broker/hypervisor/rest/rest.h"

#define LOOKOUT_MACHINES_MAX 16384

struct lookout;

struct lookout_params {
	struct driver *driver;
	struct rest *rest;
	uint64_t poll_ms; /* between two looks, without news */
	int (*list)(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err);
	/*
	 * Returns when there may be news, or when op has ended or is cancelled. PST_EUNSUPPORTED: the time alone
	 * tells; after other errors it is asked again soon. NULL: there are no news.
	 */
	int (*await)(struct driver *d, struct rest_op *op, struct pst_err *err);
};

/* Loop thread; all is borrowed. Returns owned; NULL with err. */
struct lookout *lookout_create(const struct lookout_params *p, struct pst_err *err);
/* Loop thread; after rest_shut. Accepts NULL. */
void lookout_destroy(struct lookout *l);
