/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who is logged on: looked at, compared with the broker's word, reported, and ended where it must be. */
#include "agent/windows/agent_priv.h"

#include <string.h>

#include "agent/windows/journal.h"
#include "agent/windows/wts.h"
#include "base/mem.h"
#include "base/text.h"

#define CHANGES_MAX 32
#define LOOK_AGAIN_MS 5000 /* a notification that never came */

bool occupancy_is_in(const struct agent *a)
{
	return a->hold.account[0] && seats_of(&a->seats, a->hold.account);
}

static bool is_occupant(const struct agent *a, const struct seat *seat)
{
	return a->hold.account[0] && strcmp(a->hold.account, seat->account) == 0;
}

/* ---- reports ------------------------------------------------------------------------ */

static void reported_logoff(struct agent *a, const struct seat *seat)
{
	char user[LEASE_USER_MAX + 1];
	struct pst_err err = PST_ERR_INIT;

	pst_strlcpy(user, sizeof(user), a->hold.lease.user);
	if (!hold_logoff(&a->hold, seat)) {
		orders_report(a, "left", "", seat->account, "");
		return;
	}
	a->is_logging_off = false;
	orders_keep(a, &err);
	journal(JOURNAL_INFO, "log-off user=%s account=%s", user, seat->account);
	orders_report(a, "logoff", user, seat->account, "the user logged off");
}

static void reported(struct agent *a, const struct seat_change *change)
{
	static const char *const words[] = {
		[SEAT_LOGON] = "logon",
		[SEAT_CONNECTED] = "occupied",
		[SEAT_DISCONNECTED] = "vacated",
		[SEAT_LOCKED] = "locked",
		[SEAT_UNLOCKED] = "unlocked",
	};
	const struct seat *seat = &change->seat;

	journal(JOURNAL_INFO, "session %lu: %s account=%s %s", (unsigned long)seat->id, seat_event_text(change->event), seat->account,
		seat->is_remote ? "by RDP" : "at the console");
	if (change->event == SEAT_LOGOFF)
		reported_logoff(a, seat);
	else if (is_occupant(a, seat))
		orders_report(a, words[change->event], a->hold.lease.user, seat->account, "");
	else
		orders_report(a, seat->is_remote ? "foreign" : "console", "", seat->account, seat_event_text(change->event));
}

/* ---- the fence ---------------------------------------------------------------------- */

static void foreign_end(struct agent *a, uint32_t id)
{
	const struct seat *seat = seats_find(&a->seats, id);
	struct pst_err err = PST_ERR_INIT;

	journal(JOURNAL_WARN, "session %lu of %s is nobody's whom the broker let in: it is logged off", (unsigned long)id, seat ? seat->account : "?");
	if (wts_logoff(id, &err) < 0)
		journal(JOURNAL_WARN, "session %lu: %s", (unsigned long)id, err.text);
}

static void fence(struct agent *a, uint64_t now_ms)
{
	uint32_t over[SEATS_MAX];
	struct pst_err err = PST_ERR_INIT;
	bool has_changed, may_end = a->settings.fence && talk_is_greeted(a->talk);
	size_t n = guard_look(&a->guard, &a->hold, &a->seats, may_end, now_ms, over, &has_changed);

	if (has_changed) {
		orders_keep(a, &err);
		journal(JOURNAL_INFO, "occupied user=%s account=%s epoch=%llu", a->hold.lease.user, a->hold.account, (unsigned long long)a->hold.lease.epoch);
	}
	for (size_t i = 0; i < n; i++)
		foreign_end(a, over[i]);
}

void occupancy_look(struct agent *a, uint64_t now_ms)
{
	struct seat seen[SEATS_MAX];
	struct seat_change changes[CHANGES_MAX];
	struct pst_err err = PST_ERR_INIT;
	size_t n, n_changes;

	a->look_ms = now_ms + LOOK_AGAIN_MS;
	if (wts_look(seen, SEATS_MAX, &n, &err) < 0) {
		journal(JOURNAL_WARN, "%s", err.text);
		return;
	}
	n_changes = seats_look(&a->seats, seen, n, changes, CHANGES_MAX);
	/* A log-off makes room for whoever came in the same look. */
	for (size_t i = 0; i < n_changes; i++)
		if (changes[i].event == SEAT_LOGOFF)
			reported(a, &changes[i]);
	fence(a, now_ms);
	for (size_t i = 0; i < n_changes; i++)
		if (changes[i].event != SEAT_LOGOFF)
			reported(a, &changes[i]);
}

/* ---- orders ------------------------------------------------------------------------- */

/* Nobody is in whom Windows would have to log off: it is over at once. */
static void logged_off(struct agent *a, const char *reason)
{
	char user[LEASE_USER_MAX + 1];
	struct pst_err err = PST_ERR_INIT;

	pst_strlcpy(user, sizeof(user), a->hold.lease.user[0] ? a->hold.lease.user : a->hold.offered);
	hold_clear(&a->hold);
	orders_keep(a, &err);
	orders_report(a, "logoff", user, "", reason);
}

void occupancy_logoff(struct agent *a, const char *reason)
{
	struct pst_err err = PST_ERR_INIT;
	size_t n = 0;

	for (size_t i = 0; i < a->seats.n; i++) {
		const struct seat *seat = &a->seats.list[i];

		if (!seat->is_remote && !is_occupant(a, seat))
			continue; /* an administrator at the machine's own screen */
		n++;
		journal(JOURNAL_INFO, "session %lu of %s is logged off: %s", (unsigned long)seat->id, seat->account, reason);
		if (wts_logoff(seat->id, &err) < 0)
			journal(JOURNAL_WARN, "session %lu: %s", (unsigned long)seat->id, err.text);
	}
	a->is_logging_off = n > 0;
	if (n == 0)
		logged_off(a, reason);
	agent_wake(a);
}

void occupancy_message(struct agent *a, const char *text)
{
	struct pst_err err = PST_ERR_INIT;

	for (size_t i = 0; i < a->seats.n; i++) {
		const struct seat *seat = &a->seats.list[i];

		if (seat->is_active && wts_message(seat->id, text, &err) < 0)
			journal(JOURNAL_WARN, "session %lu: %s", (unsigned long)seat->id, err.text);
	}
}
