/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Times beside numbers of sessions. */
#include "agent/windows/guard.h"

#include <string.h>

#include "base/mem.h"

static void forget(struct guard *g, size_t i)
{
	g->n--;
	memmove(&g->list[i], &g->list[i + 1], (g->n - i) * sizeof(g->list[0]));
}

/* Since when it has been foreign; now, the first time. */
static uint64_t *since(struct guard *g, uint32_t id, uint64_t now_ms)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->list[i].id == id)
			return &g->list[i].since_ms;
	if (g->n == SEATS_MAX)
		return NULL;
	g->list[g->n].id = id;
	g->list[g->n].since_ms = now_ms;
	return &g->list[g->n++].since_ms;
}

static void absent_forget(struct guard *g, const struct hold *h, const struct seats *seats)
{
	for (size_t i = g->n; i-- > 0;) {
		const struct seat *seat = seats_find(seats, g->list[i].id);

		if (!seat || (h->account[0] && strcmp(h->account, seat->account) == 0))
			forget(g, i);
	}
}

size_t guard_look(struct guard *g, struct hold *h, const struct seats *seats, bool may_end, uint64_t now_ms, uint32_t out[SEATS_MAX], bool *ret_changed)
{
	bool has_changed = false;
	size_t n = 0;

	*ret_changed = false;
	for (size_t i = 0; i < seats->n; i++) {
		bool is_in = hold_admit(h, &seats->list[i], &has_changed);
		uint64_t *at = is_in ? NULL : since(g, seats->list[i].id, now_ms);

		*ret_changed |= has_changed;
		/* What could not be ended is tried again. */
		if (at && may_end && now_ms - *at >= HOLD_FENCE_MS) {
			out[n++] = seats->list[i].id;
			*at = now_ms;
		}
	}
	absent_forget(g, h, seats);
	return n;
}

uint64_t guard_next_ms(const struct guard *g)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < g->n; i++)
		next = PST_MIN(next, g->list[i].since_ms + HOLD_FENCE_MS);
	return next;
}
