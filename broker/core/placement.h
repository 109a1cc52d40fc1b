/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which of several hosts a desktop goes to: filters, then scores, both in words. A pure
 * function of what is known of the hosts; nothing is remembered here.
 *
 *	filters   not reported or away, maintenance, the host it is on, no memory, no place
 *	scores    60  memory that stays free
 *	          30  fewer desktops of the same pool than on the others
 *	          10  fewer desktops of the same user
 *	         -50  the last move there failed
 */
#pragma once

#include "broker/core/axes.h"

#define PLACEMENT_HOSTS_MAX 64 /* of one provider that are weighed; more are left out, the last by name */

struct placement_host {
	const char *name;
	bool usable, maintenance;
	bool excluded; /* it is there already */
	bool failed;   /* the last move there */
	int memory_mb, free_mb; /* memory 0: not known, not weighed */
	int machines, capacity; /* capacity 0: no limit */
	int of_pool, of_user;   /* desktops */
};

struct placement {
	int index; /* into the hosts; -1: none can take it */
	char en[CORE_TEXT_SIZE], es[CORE_TEXT_SIZE]; /* the choice, or why there is none */
};

void placement_choose(const struct placement_host *hosts, size_t count, int memory_mb, struct placement *ret);
/* For tests and the curious. Only of a host that passes the filters: placement_choose() tells. */
int placement_score(const struct placement_host *h, int memory_mb, int pool_total, int user_total);
