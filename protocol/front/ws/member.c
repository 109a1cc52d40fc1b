/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether a viewer keeps up with the others. */
#include "protocol/front/ws/member.h"

void ws_member_init(struct ws_member *m, uint64_t now_ns)
{
	*m = (struct ws_member){ .behind_ns = now_ns };
}

void ws_member_join(struct ws_member *m, struct window *w, uint64_t sequence, uint64_t bytes, uint64_t now_ns)
{
	*m = (struct ws_member){ .is_in_step = true, .snapshot = sequence, .snapshot_bytes = bytes };
	window_sent(w, sequence, bytes, now_ns);
}

/* The snapshot may be large, and has its own time. */
static bool keeps_up(struct ws_member *m, const struct window *w, uint64_t bytes, uint64_t now_ns)
{
	const struct window_frame *oldest = &w->frames[w->first];
	uint64_t age_max;

	if (w->len == 0 || oldest->sequence > m->snapshot)
		m->snapshot = m->snapshot_bytes = 0;
	if (w->len == 0)
		return true;
	age_max = m->snapshot ? WS_MEMBER_LOST_NS : WS_MEMBER_AGE_MAX_NS;
	return w->len < WINDOW_FRAMES_MAX &&
	       w->in_flight + bytes <= WS_MEMBER_FLIGHT_MAX + m->snapshot_bytes &&
	       now_ns - oldest->sent_ns <= age_max;
}

bool ws_member_take(struct ws_member *m, struct window *w, uint64_t sequence, uint64_t bytes, bool is_quiet,
	uint64_t now_ns)
{
	if (!m->is_in_step)
		return false;
	if (!keeps_up(m, w, bytes, now_ns)) {
		ws_member_fall(m, now_ns);
		return false;
	}
	if (is_quiet)
		window_quiet(w, sequence, bytes);
	else
		window_sent(w, sequence, bytes, now_ns);
	return true;
}

void ws_member_fall(struct ws_member *m, uint64_t now_ns)
{
	if (m->is_in_step)
		*m = (struct ws_member){ .behind_ns = now_ns };
}

bool ws_member_wants_snapshot(const struct ws_member *m, const struct window *w)
{
	return !m->is_in_step && w->len == 0;
}

uint64_t ws_member_lost_at(const struct ws_member *m)
{
	return m->is_in_step ? UINT64_MAX : m->behind_ns + WS_MEMBER_LOST_NS;
}
