/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The simulated path. */
#include "path.h"

#include <criterion/criterion.h>

static uint64_t jitter(struct path *p)
{
	p->seed = p->seed * 1664525u + 1013904223u;
	return p->jitter_ns * (p->seed >> 24) / 255;
}

uint64_t path_send(struct path *p, const struct path_unit *unit)
{
	struct path_unit *u = &p->units[(p->first + p->len++) % PATH_UNITS_MAX];
	uint64_t full_ns = unit->sent_ns - p->burst * 1000000000 / p->bytes_per_s, start = p->free_ns > full_ns ? p->free_ns : full_ns;

	cr_assert_lt(p->len, PATH_UNITS_MAX);
	*u = *unit;
	p->free_ns = start + u->bytes * 1000000000 / p->bytes_per_s;
	u->shown_ns = (p->free_ns > u->sent_ns ? p->free_ns : u->sent_ns) + p->delay_ns + (u->has_video && p->video_ns ? p->video_ns : p->client_ns) + jitter(p);
	if (!p->video_ns) /* else decoded beside */
		u->shown_ns = u->shown_ns > p->shown_ns ? u->shown_ns : p->shown_ns;
	p->shown_ns = u->shown_ns;
	return u->shown_ns;
}

uint64_t path_queued(const struct path *p, uint64_t now_ns)
{
	return p->free_ns > now_ns ? (p->free_ns - now_ns) * (p->bytes_per_s / 1000) / 1000000 : 0;
}

bool path_ack(struct path *p, uint64_t now_ns, uint64_t *ret_sequence)
{
	while (p->len && p->units[p->first].shown_ns + p->delay_ns <= now_ns) {
		const struct path_unit *u = &p->units[p->first];

		p->first = (p->first + 1) % PATH_UNITS_MAX;
		p->len--;
		*ret_sequence = u->sequence;
		if (!u->is_quiet)
			return true;
	}
	return false;
}

uint64_t path_next_ack(const struct path *p)
{
	return p->len ? p->units[p->first].shown_ns + p->delay_ns : UINT64_MAX;
}
