/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Start-time fair queueing. Each job has a start tag: where its owner's last job ends in
 * virtual time, or now if the owner has none. The smallest tag is next. An owner with a
 * hundred jobs so spreads them over the future; another one's first job has the tag "now".
 */
#include "broker/hypervisor/disk/governor.h"

#include "base/err.h"
#include "base/mem.h"

#include <stdlib.h>

#define TOKENS_MAX 1024

struct job {
	uint64_t id, owner;
	uint64_t tag;      /* virtual time of its start */
	uint64_t sequence; /* of its arrival, for equal tags */
	uint32_t weight;
	uint32_t taken; /* tokens, while at work */
	bool at_work;
};

struct governor {
	uint32_t tokens, taken;
	uint64_t now; /* the tag of the job that began last */
	uint64_t sequence;
	struct job *jobs; /* in no order */
	size_t n, cap;
	uint32_t working;
};

struct governor *governor_create(uint32_t tokens)
{
	struct governor *g = pst_zalloc(1, sizeof(*g));

	if (g)
		governor_set_tokens(g, tokens);
	return g;
}

void governor_destroy(struct governor *g)
{
	if (!g)
		return;
	free(g->jobs);
	free(g);
}

void governor_set_tokens(struct governor *g, uint32_t tokens)
{
	g->tokens = PST_CLAMP(tokens, 1u, (uint32_t)TOKENS_MAX);
}

static struct job *job_find(const struct governor *g, uint64_t id)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->jobs[i].id == id)
			return &g->jobs[i];
	return NULL;
}

static int room_make(struct governor *g)
{
	size_t cap = g->cap ? 2 * g->cap : 16;
	struct job *jobs;

	if (g->n < g->cap)
		return 0;
	if (g->n >= GOVERNOR_JOBS_MAX)
		return PST_ELIMIT;
	jobs = realloc(g->jobs, cap * sizeof(*jobs));
	if (!jobs)
		return PST_ENOMEM;
	g->jobs = jobs;
	g->cap = cap;
	return 0;
}

static uint64_t tag_for(const struct governor *g, uint64_t owner)
{
	uint64_t tag = g->now;

	for (size_t i = 0; i < g->n; i++)
		if (g->jobs[i].owner == owner)
			tag = PST_MAX(tag, g->jobs[i].tag + g->jobs[i].weight);
	return tag;
}

int governor_add(struct governor *g, uint64_t id, uint64_t owner, uint32_t weight)
{
	int rc = job_find(g, id) ? PST_ECONFLICT : room_make(g);

	if (rc < 0)
		return rc;
	weight = PST_CLAMP(weight, 1u, (uint32_t)TOKENS_MAX);
	uint64_t tag = tag_for(g, owner);
	g->jobs[g->n++] = (struct job){ .id = id, .owner = owner, .tag = tag, .sequence = g->sequence++,
		.weight = weight };
	return 0;
}

static bool is_before(const struct job *a, const struct job *b)
{
	return a->tag != b->tag ? a->tag < b->tag : a->sequence < b->sequence;
}

bool governor_next(struct governor *g, uint64_t *ret_id)
{
	struct job *next = NULL;

	for (size_t i = 0; i < g->n; i++)
		if (!g->jobs[i].at_work && (!next || is_before(&g->jobs[i], next)))
			next = &g->jobs[i];
	if (!next)
		return false;
	uint32_t wanted = PST_MIN(next->weight, g->tokens);
	/* A heavy job at the head is waited for: smaller ones that slipped by could starve it. */
	if (g->taken + wanted > g->tokens)
		return false;
	next->at_work = true;
	next->taken = wanted;
	g->taken += wanted;
	g->working++;
	g->now = PST_MAX(g->now, next->tag);
	*ret_id = next->id;
	return true;
}

int governor_end(struct governor *g, uint64_t id)
{
	struct job *job = job_find(g, id);

	if (!job)
		return PST_ENOTFOUND;
	if (job->at_work) {
		g->taken -= job->taken;
		g->working--;
	}
	*job = g->jobs[--g->n];
	return 0;
}

int governor_ahead(const struct governor *g, uint64_t id, size_t *ret_n)
{
	const struct job *job = job_find(g, id);
	size_t n = 0;

	if (!job)
		return PST_ENOTFOUND;
	/* Tags do not change once given, so the order is known. */
	for (size_t i = 0; i < g->n && !job->at_work; i++)
		n += !g->jobs[i].at_work && is_before(&g->jobs[i], job);
	*ret_n = n;
	return 0;
}

uint32_t governor_working(const struct governor *g)
{
	return g->working;
}

uint32_t governor_waiting(const struct governor *g)
{
	return (uint32_t)g->n - g->working;
}
