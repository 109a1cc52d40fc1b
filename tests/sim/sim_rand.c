/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Chance from the seed, the queue of messages, and the trace.
 */
#include "tests/sim/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

uint64_t sim_random(struct world *w)
{
	/* splitmix64 */
	uint64_t z = (w->rand += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

int sim_below(struct world *w, int n)
{
	return (int)(sim_random(w) % (uint64_t)n);
}

int64_t sim_between(struct world *w, int64_t low, int64_t high)
{
	return low + (int64_t)(sim_random(w) % (uint64_t)(high - low + 1));
}

bool sim_chance(struct world *w, int per_mille)
{
	return !w->calm && sim_below(w, 1000) < per_mille;
}

void sim_uuid(struct world *w, char ret[CORE_ID_SIZE])
{
	uint64_t a = sim_random(w), b = sim_random(w);

	snprintf(ret, CORE_ID_SIZE, "%08x-%04x-4%03x-8%03x-%012llx", (unsigned)(a >> 32), (unsigned)(a >> 16 & 0xffff),
	         (unsigned)(a & 0xfff), (unsigned)(b >> 52), (unsigned long long)(b & 0xffffffffffff));
}

void sim_trace(struct world *w, const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	for (int i = 0; i < n && i < (int)sizeof(line) - 1; i++)
		w->hash = (w->hash ^ (unsigned char)line[i]) * 1099511628211u;
	w->hash = (w->hash ^ (uint64_t)w->now) * 1099511628211u;
	if (w->verbose)
		printf("%10lld %s\n", (long long)w->now, line);
}

void sim_violation(struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (w->violation[0])
		return; /* the first one is the one to look at */
	va_start(ap, fmt);
	vsnprintf(w->violation, sizeof(w->violation), fmt, ap);
	va_end(ap);
}

struct message *sim_post(struct world *w, enum what what, int64_t delay)
{
	static struct message spare;
	struct message *m;

	if (w->queued == MESSAGES_MAX) {
		sim_violation(w, "the queue of the simulator is full: something sends without end");
		return &spare;
	}
	m = &w->queue[w->queued++];
	*m = (struct message){ .at = w->now + delay, .seq = w->seq++, .what = what, .broker = -1, .provisioner = -1 };
	return m;
}

bool sim_take(struct world *w, struct message *ret)
{
	int best = 0;

	if (!w->queued)
		return false;
	for (int i = 1; i < w->queued; i++)
		if (w->queue[i].at < w->queue[best].at ||
		    (w->queue[i].at == w->queue[best].at && w->queue[i].seq < w->queue[best].seq))
			best = i;
	*ret = w->queue[best];
	w->queue[best] = w->queue[--w->queued];
	return true;
}
