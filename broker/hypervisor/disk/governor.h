/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How many jobs work on one datastore at once, and whose turn it is. Tokens are a ceiling; a
 * heavy job (a full copy) takes several. The queue is fair between owners (pools): each gets
 * its share whatever the others have queued, and nobody is passed over for ever. The order is
 * that of start-time fair queueing. State only: no clock, no threads, one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GOVERNOR_JOBS_MAX 16384 /* at work or waiting */

struct governor;

/* tokens: 1 to 1024. Returns owned; NULL on no memory. */
struct governor *governor_create(uint32_t tokens);
void governor_destroy(struct governor *g);

/* Jobs at work keep their tokens; fewer tokens than they have only delays the next ones. */
void governor_set_tokens(struct governor *g, uint32_t tokens);

/*
 * Queues a job. weight is at least 1; more than there are tokens means all of them.
 * PST_ECONFLICT for an id that is there already, PST_ELIMIT above the ceiling, PST_ENOMEM.
 */
int governor_add(struct governor *g, uint64_t id, uint64_t owner, uint32_t weight);

/* The next job that may begin now has begun: true, with its id. Call until false. */
bool governor_next(struct governor *g, uint64_t *ret_id);

/* A job has ended, or is not wanted any more. PST_ENOTFOUND. */
int governor_end(struct governor *g, uint64_t id);

/* How many begin before this one if none is added; 0 also when it is at work. PST_ENOTFOUND. */
int governor_ahead(const struct governor *g, uint64_t id, size_t *ret_n);

uint32_t governor_working(const struct governor *g); /* jobs */
uint32_t governor_waiting(const struct governor *g); /* jobs */
