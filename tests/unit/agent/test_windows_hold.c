/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who sits in a desktop with Windows, and who may. Covers: agent/windows/seats.c agent/windows/hold.c agent/windows/guard.c */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "agent/windows/guard.h"
#include "base/buf.h"
#include "base/text.h"

static struct seat seat(uint32_t id, const char *account, bool is_active, bool is_remote)
{
	struct seat s = { .id = id, .is_active = is_active, .is_remote = is_remote };

	pst_strlcpy(s.account, sizeof(s.account), account);
	return s;
}

/* Looks, and compares with words like "logon2 connected2". */
static void look(struct seats *s, const struct seat *seen, size_t n, const char *want)
{
	struct seat_change out[32];
	char text[400] = "";
	size_t made = seats_look(s, seen, n, out, 32);

	for (size_t i = 0; i < made; i++) {
		char word[40];

		snprintf(word, sizeof(word), "%s%s%u", i ? " " : "", seat_event_text(out[i].event), out[i].seat.id);
		strcat(text, word);
	}
	cr_assert_str_eq(text, want);
}

Test(windows_seats, differences_of_two_looks)
{
	struct seats s = { .n = 0 };
	struct seat now[3] = { seat(1, "LAB\\root", true, false), seat(2, "LAB\\ana", true, true) };

	look(&s, now, 2, "logon1 connected1 logon2 connected2");
	look(&s, now, 2, "");
	now[1].is_locked = true;
	look(&s, now, 2, "locked2");
	/* Windows forgets the protocol of a session that is disconnected; we do not. */
	now[1] = seat(2, "LAB\\ana", false, false);
	look(&s, now, 2, "disconnected2 unlocked2");
	cr_assert(seats_find(&s, 2)->is_remote);
	now[1] = seat(2, "LAB\\ana", true, true);
	look(&s, now, 2, "connected2");
	/* Its number given to another account is another session. */
	now[1] = seat(2, "LAB\\eva", true, true);
	look(&s, now, 2, "logoff2 logon2 connected2");
	look(&s, now, 1, "logoff2");
	cr_assert_null(seats_of(&s, "LAB\\eva"));
	look(&s, NULL, 0, "logoff1");
}

Test(windows_seats, what_does_not_fit_comes_with_the_next_look)
{
	struct seats s = { .n = 0 };
	struct seat now[SEATS_MAX + 4];
	struct seat_change out[8];
	size_t logons = 0;

	for (uint32_t i = 0; i < SEATS_MAX + 4; i++)
		now[i] = seat(i + 1, "LAB\\ana", true, true);
	for (int k = 0; k < 40; k++) {
		size_t n = seats_look(&s, now, SEATS_MAX + 4, out, 8);

		cr_assert_leq(n, 8);
		for (size_t i = 0; i < n; i++)
			logons += out[i].event == SEAT_LOGON;
	}
	cr_assert_eq(logons, SEATS_MAX);
	cr_assert_eq(s.n, SEATS_MAX);
}

Test(windows_hold, epochs_only_rise_and_one_user_is_in)
{
	struct pst_err err = PST_ERR_INIT;
	struct hold h = { .account = "" };
	const struct seat ana = seat(2, "LAB\\ana", true, true), eva = seat(3, "LAB\\eva", true, true), root = seat(1, "LAB\\root", true, false);
	bool changed;

	cr_assert(!hold_admit(&h, &ana, &changed), "nobody has it");
	cr_assert(hold_admit(&h, &root, &changed) && !changed, "the machine's own screen");
	cr_assert_eq(hold_lease(&h, "ana", 7, &changed, &err), 0);
	cr_assert(changed);
	cr_assert_eq(hold_lease(&h, "ana", 7, &changed, &err), 0);
	cr_assert(!changed);
	cr_assert_eq(hold_lease(&h, "eva", 6, &changed, &err), PST_EDENIED);
	cr_assert_eq(hold_lease(&h, "eva", 0, &changed, &err), PST_EDENIED);
	cr_assert(hold_admit(&h, &ana, &changed) && changed);
	cr_assert_str_eq(h.lease.user, "ana");
	cr_assert(!hold_admit(&h, &eva, &changed), "a second occupant");
	cr_assert(hold_admit(&h, &ana, &changed) && !changed);
	/* A lease of somebody else's raises the epoch and changes nobody. */
	cr_assert_eq(hold_lease(&h, "eva", 9, &changed, &err), PST_ECONFLICT);
	cr_assert(changed && h.lease.epoch == 9);
	cr_assert(!hold_logoff(&h, &eva));
	cr_assert(hold_logoff(&h, &ana) && !h.lease.user[0] && !h.offered[0]);
	cr_assert(!hold_admit(&h, &ana, &changed), "it is over");
	cr_assert_eq(hold_lease(&h, "eva", 9, &changed, &err), 0);
	cr_assert(hold_admit(&h, &eva, &changed));
	cr_assert(hold_clear(&h) && !hold_clear(&h));
}

Test(windows_hold, what_is_kept_is_read)
{
	struct pst_err err = PST_ERR_INIT;
	struct hold h = { .offered = "ana", .account = "LAB\\ana", .enrolled = "ab" }, back;
	struct pst_buf b;

	strcpy(h.lease.desktop, "6f0c0b52-4a29-4d2c-9f43-0a7f1f6d1d11");
	strcpy(h.lease.user, "ana \"q\"");
	memset(h.lease.key, 7, sizeof(h.lease.key));
	h.lease.has_key = h.lease.is_used = true;
	h.lease.epoch = 1234567890123;
	pst_buf_init(&b, HOLD_TEXT_MAX);
	cr_assert_eq(hold_write(&h, &b), 0);
	cr_assert_eq(hold_read((char *)b.data, b.len, &back, &err), 0, "%s", err.text);
	cr_assert(memcmp(&h, &back, sizeof(h)) == 0);
	/* A byte less, anywhere: an error, never another epoch. */
	for (size_t i = 0; i < b.len; i++)
		cr_expect(hold_read((char *)b.data, i, &back, &err) < 0 && back.lease.epoch == 0, "%zu", i);
	pst_buf_finish(&b);
}

Test(windows_guard, who_is_nobody_s_is_ended_in_time)
{
	struct pst_err err = PST_ERR_INIT;
	struct hold h = { .account = "" };
	struct seats s = { .n = 2, .list = { seat(2, "LAB\\eva", true, true), seat(1, "LAB\\root", true, false) } };
	struct guard g = { .n = 0 };
	uint32_t over[SEATS_MAX];
	bool changed;

	cr_assert_eq(guard_look(&g, &h, &s, true, 1000, over, &changed), 0);
	cr_assert_eq(guard_next_ms(&g), 1000 + HOLD_FENCE_MS);
	/* While the broker cannot be heard its word may be on the way. */
	cr_assert_eq(guard_look(&g, &h, &s, false, 1000 + HOLD_FENCE_MS, over, &changed), 0);
	cr_assert_eq(guard_look(&g, &h, &s, true, 1000 + HOLD_FENCE_MS, over, &changed), 1);
	cr_assert_eq(over[0], 2);
	cr_assert_eq(guard_look(&g, &h, &s, true, 1001 + HOLD_FENCE_MS, over, &changed), 0, "once in that time");
	/* The word comes: whoever sits there is the occupant, and a second one is not. */
	cr_assert_eq(hold_lease(&h, "eva", 5, &changed, &err), 0);
	s.list[s.n++] = seat(3, "LAB\\ana", true, true);
	cr_assert_eq(guard_look(&g, &h, &s, true, 40000, over, &changed), 0);
	cr_assert(changed && strcmp(h.account, "LAB\\eva") == 0);
	cr_assert_eq(guard_look(&g, &h, &s, true, 40000 + HOLD_FENCE_MS, over, &changed), 1);
	cr_assert_eq(over[0], 3);
	/* Who has gone is forgotten. */
	s.n = 1;
	guard_look(&g, &h, &s, true, 90000, over, &changed);
	cr_assert_eq(guard_next_ms(&g), UINT64_MAX);
}
