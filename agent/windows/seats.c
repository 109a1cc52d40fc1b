/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Compares two looks at the sessions. */
#include "agent/windows/seats.h"

#include <string.h>

#include "base/mem.h"

#define CHANGES_OF_ONE 3 /* of one seat in one look: logged on, connected, locked */

const char *seat_event_text(enum seat_event event)
{
	static const char *const words[] = {
		[SEAT_LOGON] = "logon",
		[SEAT_CONNECTED] = "connected",
		[SEAT_DISCONNECTED] = "disconnected",
		[SEAT_LOCKED] = "locked",
		[SEAT_UNLOCKED] = "unlocked",
		[SEAT_LOGOFF] = "logoff",
	};

	return words[event];
}

const struct seat *seats_find(const struct seats *s, uint32_t id)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].id == id)
			return &s->list[i];
	return NULL;
}

const struct seat *seats_of(const struct seats *s, const char *account)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->list[i].account, account) == 0)
			return &s->list[i];
	return NULL;
}

static void change_add(struct seat_change *out, size_t *n, enum seat_event event, const struct seat *seat)
{
	out[*n].event = event;
	out[*n].seat = *seat;
	++*n;
}

/* A number that another account has now is another session. */
static const struct seat *seat_same(const struct seat *list, size_t n, const struct seat *wanted)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].id == wanted->id && strcmp(list[i].account, wanted->account) == 0)
			return &list[i];
	return NULL;
}

static void seat_remove(struct seats *s, size_t i)
{
	s->n--;
	memmove(&s->list[i], &s->list[i + 1], (s->n - i) * sizeof(s->list[0]));
}

static void seat_compare(const struct seat *before, const struct seat *now, struct seat_change *out, size_t *n)
{
	if (!before)
		change_add(out, n, SEAT_LOGON, now);
	if (now->is_active && (!before || !before->is_active))
		change_add(out, n, SEAT_CONNECTED, now);
	else if (!now->is_active && before && before->is_active)
		change_add(out, n, SEAT_DISCONNECTED, now);
	if (now->is_locked != (before && before->is_locked))
		change_add(out, n, now->is_locked ? SEAT_LOCKED : SEAT_UNLOCKED, now);
}

/* Windows knows no protocol of a session that is disconnected: it stays what it was. */
static void seat_keep(struct seats *s, const struct seat *now)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->list[i].id == now->id) {
			bool was_remote = s->list[i].is_remote;

			s->list[i] = *now;
			s->list[i].is_remote = now->is_active ? now->is_remote : was_remote || now->is_remote;
			return;
		}
	}
	s->list[s->n++] = *now;
}

size_t seats_look(struct seats *s, const struct seat *seen, size_t n, struct seat_change *out, size_t max)
{
	size_t made = 0;

	for (size_t i = s->n; i-- > 0 && made < max;) {
		if (!seat_same(seen, n, &s->list[i])) {
			change_add(out, &made, SEAT_LOGOFF, &s->list[i]);
			seat_remove(s, i);
		}
	}
	for (size_t i = 0; i < n && made + CHANGES_OF_ONE <= max; i++) {
		const struct seat *before = seats_find(s, seen[i].id);

		if (!seen[i].account[0] || (!before && s->n == SEATS_MAX))
			continue;
		if (before && strcmp(before->account, seen[i].account) != 0)
			continue; /* its log-off did not fit; the next look has it */
		seat_compare(before, &seen[i], out, &made);
		seat_keep(s, &seen[i]);
	}
	return made;
}
