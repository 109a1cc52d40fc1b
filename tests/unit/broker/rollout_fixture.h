/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The small world of the core's tests, with one image whose versions are published.
 */
#pragma once

#include "broker/core/core_priv.h"
#include "tests/unit/broker/core_fixture.h"

extern struct fixture f;
extern struct rollout_plan plan; /* of the next publish() */

/* A pool of that size with version 1, and a plan without canaries. */
void world(int min, int max, int spare);
void finish(void);
int publish(const char *version, bool verified); /* both give the round's code */
int act(enum rollout_act what);

struct core_rollout *now(void);
const char *published(void);
const char *why(void);                  /* the code of its reason */
struct core_desktop *probe(void);       /* NULL: there is none that is not on its way out */
int count(const char *version);         /* desktops of the pool, but for those on their way out */
struct core_desktop *busy(void);        /* one with a task */
void fail_task(struct core_desktop *d); /* for good */
/* One task after another succeeds, until there is none. The fewest ready desktops that there were. */
int settle_watching(void);
