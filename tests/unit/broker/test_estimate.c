/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How long a place in a queue takes, and what the user is told of it.
 *
 * Covers: broker/core/estimate.c broker/core/wait.c
 */
#include "broker/core/core_priv.h"
#include "broker/core/estimate.h"
#include "tests/unit/broker/core_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct fixture f;

static void finish(void)
{
	fixture_finish(&f);
}

TestSuite(estimate, .fini = finish);

Test(estimate, nothing_is_said_without_an_earlier_desktop)
{
	struct estimate_view v = { .position = 1, .at_once = 2 };

	cr_expect_eq(estimate_seconds(&v), 0);
}

Test(estimate, a_desktop_in_the_making_takes_what_is_left_of_it)
{
	struct estimate_view v = { .position = 2, .prepare_ms = 30000, .at_once = 2, .begun = { 5000, 20000, 1000 }, .begun_count = 3 };

	cr_expect_eq(estimate_seconds(&v), 25, "the second one that will be there began 5 s ago");
	v.position = 1;
	v.begun[0] = v.begun[1] = v.begun[2] = 40000;
	cr_expect_eq(estimate_seconds(&v), 1, "late already: in a moment");
}

Test(estimate, a_place_at_the_provider_is_waited_for)
{
	struct estimate_view v = { .position = 1, .prepare_ms = 10000, .make_ms = 4000, .at_once = 2, .tokens = 100,
		                   .busy = { 1000, 3000 }, .busy_count = 2 };

	cr_expect_eq(estimate_seconds(&v), 11, "1 s until the older one is made");
	v.position = 2;
	cr_expect_eq(estimate_seconds(&v), 13);
	v.position = 5; /* two more rounds, and the older one's place */
	cr_expect_eq(estimate_seconds(&v), 19);
	v.ahead = 1;
	cr_expect_eq(estimate_seconds(&v), 21, "another pool's desktop is made before it");
	v.position = v.ahead = v.busy_count = 1;
	v.ahead = 0;
	cr_expect_eq(estimate_seconds(&v), 10, "a place is free");
}

Test(estimate, the_pace_is_waited_for_by_what_has_no_command_yet)
{
	struct estimate_view v = { .position = 12, .prepare_ms = 1000, .make_ms = 1, .at_once = 4, .tokens = 2 };

	cr_expect_eq(estimate_seconds(&v), 6, "ten more at two in a second");
	v.pending = 10;
	cr_expect_eq(estimate_seconds(&v), 2, "ten of them have their turn already");
}

Test(estimate, odd_views_are_no_trap)
{
	struct estimate_view v = { .position = 2000000000, .prepare_ms = 86400000, .at_once = 1 };

	cr_expect_eq(estimate_seconds(&v), 86400);
	v.at_once = 0;
	cr_expect_eq(estimate_seconds(&v), 0);
	v = (struct estimate_view){ .position = 1, .prepare_ms = 1000, .at_once = 1, .tokens = 1, .busy = { 1, 1, 1 }, .busy_count = 3 };
	cr_expect_eq(estimate_seconds(&v), 2, "more are being made than are allowed now");
}

Test(estimate, words_are_round_and_in_two_languages)
{
	static const struct {
		int seconds;
		const char *en, *es;
	} cases[] = { { 0, "", "" }, { 3, "A few seconds.", "Unos segundos." }, { 12, "About 20 seconds.", "Unos 20 segundos." },
		      { 60, "About a minute.", "Cerca de un minuto." }, { 175, "About 3 minutes.", "Unos 3 minutos." },
		      { 3500, "About an hour.", "Cerca de una hora." }, { 86400, "About 24 hours.", "Unas 24 horas." } };
	char en[CORE_WORD_SIZE], es[CORE_WORD_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		estimate_words(cases[i].seconds, en, es);
		cr_expect_str_eq(en, cases[i].en);
		cr_expect_str_eq(es, cases[i].es);
	}
}

/* ---- in the answer ---- */

/* One desktop was made in 30 s, and somebody has it. */
static void begin(int max)
{
	fixture_init(&f, 1, max, 0);
	f.st.providers[0].max_creates = 1;
	fixture_hello(&f, NULL, 0);
	fixture_tick(&f, 30000);
	fixture_finish_task(&f, f.st.desktops[0]);
	cr_assert_eq(fixture_connect(&f, "first")->state, CONNECT_READY);
}

Test(estimate, a_waiting_user_is_told)
{
	const struct connect_answer *a;

	begin(4);
	a = fixture_connect(&f, "ana");
	cr_expect_eq(a->estimate_s, 30);
	cr_expect(strstr(a->reason.en, "About 30 seconds.") && strstr(a->reason.es, "Unos 30 segundos."), "%s", a->reason.en);
	cr_expect_eq(a->retry_after_ms, 3000, "a tenth of it: many wait at once");
	a = fixture_connect(&f, "eva");
	cr_expect_eq(a->estimate_s, 60, "one is made at a time: %d", a->estimate_s);
	fixture_tick(&f, 20000);
	a = fixture_connect(&f, "ana");
	cr_expect_eq(a->estimate_s, 10);
	cr_expect_eq(a->retry_after_ms, RETRY_AFTER_MS);
}

Test(estimate, asking_again_moves_nothing_and_keeps_the_deadline)
{
	const struct connect_answer *a;
	int64_t wake;
	int estimate;

	begin(4);
	a = fixture_connect(&f, "ana");
	estimate = a->estimate_s;
	wake = f.out.wake_ms;
	f.now.mono_ms += 1;
	a = fixture_connect(&f, "ana");
	cr_expect_eq(a->state, CONNECT_WAITING);
	cr_expect_eq(a->estimate_s, estimate);
	cr_expect_eq(f.out.wake_ms, wake);
	cr_expect(!f.out.change_count && !f.out.touched_count);
	fixture_settle(&f);
	cr_expect_eq(fixture_connect(&f, "ana")->state, CONNECT_READY, "what has become ready is not missed");
}

Test(estimate, who_waits_for_others_to_log_off_is_told_no_time)
{
	const struct connect_answer *a;

	begin(1);
	a = fixture_connect(&f, "ana");
	cr_expect_eq(a->state, CONNECT_WAITING);
	cr_expect_eq(a->estimate_s, 0);
	cr_expect_eq(a->retry_after_ms, RETRY_AFTER_MS);
}
