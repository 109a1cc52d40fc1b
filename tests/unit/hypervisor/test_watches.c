/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who hears of which end. */
#include "broker/hypervisor/watches.h"

#include "base/loop.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const char *const one = "1b4e28ba-2fa1-41d2-883f-0016d3cca427", *const two = "2b4e28ba-2fa1-41d2-883f-0016d3cca427";

struct heard {
	unsigned n;
	char words[128];
};

static void on_ended(const char *desktop, const char *reason, void *arg)
{
	struct heard *h = arg;

	h->n++;
	pst_strlcpy(h->words, sizeof(h->words), reason);
}

static void turn(uv_loop_t *loop)
{
	uv_run(loop, UV_RUN_NOWAIT);
}

Test(watches, an_end_is_told_once_and_to_the_last_who_asked)
{
	struct pst_err err = PST_ERR_INIT;
	struct heard a = { .n = 0 }, b = { .n = 0 };
	uv_loop_t loop;

	uv_loop_init(&loop);
	struct watches *w = watches_create(&loop);
	cr_assert_eq(watches_add(w, one, on_ended, &a, &err), PST_ENOTFOUND);
	watches_know(w, one);
	watches_know(w, two);
	cr_assert(watches_any(w));
	cr_assert_eq(watches_add(w, one, on_ended, &a, &err), 0);
	cr_assert_eq(watches_add(w, one, on_ended, &b, &err), 0);
	watches_tell(w, one, watches_now(w), "first");
	watches_tell(w, one, watches_now(w), "second");
	watches_tell(w, two, watches_now(w), "nobody listens");
	cr_assert_eq(b.n, 0, "only on the loop");
	turn(&loop);
	cr_assert_eq(a.n, 0);
	cr_assert_eq(b.n, 1);
	cr_assert_str_eq(b.words, "first");
	cr_assert(!watches_any(w));
	/* Who asks late hears it, too. */
	cr_assert_eq(watches_add(w, one, on_ended, &a, &err), 0);
	turn(&loop);
	cr_assert_eq(a.n, 1);
	watches_destroy(w);
	pst_loop_drain(&loop);
}

Test(watches, what_a_command_does_is_no_news)
{
	struct pst_err err = PST_ERR_INIT;
	struct heard a = { .n = 0 };
	uint64_t before;
	uv_loop_t loop;

	uv_loop_init(&loop);
	struct watches *w = watches_create(&loop);
	watches_know(w, one);
	watches_add(w, one, on_ended, &a, &err);
	before = watches_now(w);
	watches_hold(w, one);
	watches_tell(w, one, watches_now(w), "it is being restarted");
	watches_know(w, one);
	watches_release(w, one);
	watches_tell(w, one, before, "it was looked at before");
	turn(&loop);
	cr_assert_eq(a.n, 0);
	watches_tell(w, one, watches_now(w), "now it is");
	turn(&loop);
	cr_assert_eq(a.n, 1);
	watches_know(w, one);
	watches_add(w, one, on_ended, &a, &err);
	watches_hold(w, one);
	watches_forget(w, one);
	watches_release(w, one);
	watches_tell(w, one, watches_now(w), "it was destroyed");
	turn(&loop);
	cr_assert_eq(a.n, 1);
	cr_assert_eq(watches_add(w, one, on_ended, &a, &err), PST_ENOTFOUND);
	watches_see(w, one, before);
	cr_assert_eq(watches_add(w, one, on_ended, &a, &err), PST_ENOTFOUND, "a list of before does not bring it back");
	watches_see(w, one, watches_now(w));
	cr_assert_eq(watches_add(w, one, on_ended, &a, &err), 0);
	watches_destroy(w);
	pst_loop_drain(&loop);
}

static bool is_listed(const char *desktop, void *arg)
{
	return strcmp(desktop, arg) == 0;
}

Test(watches, what_is_not_listed_any_more_has_ended)
{
	struct pst_err err = PST_ERR_INIT;
	struct heard a = { .n = 0 }, b = { .n = 0 };
	uint64_t moment;
	uv_loop_t loop;

	uv_loop_init(&loop);
	struct watches *w = watches_create(&loop);
	watches_know(w, one);
	watches_add(w, one, on_ended, &a, &err);
	moment = watches_now(w);
	watches_hold(w, two); /* made while somebody looks */
	watches_know(w, two);
	watches_release(w, two);
	watches_add(w, two, on_ended, &b, &err);
	watches_missing(w, moment, is_listed, "nothing", "gone");
	turn(&loop);
	cr_assert_eq(a.n, 0, "one list is no proof");
	watches_missing(w, moment, is_listed, "nothing", "gone");
	turn(&loop);
	cr_assert_eq(a.n, 1);
	cr_assert_str_eq(a.words, "gone");
	cr_assert_eq(b.n, 0);
	watches_missing(w, watches_now(w), is_listed, "nothing", "gone");
	watches_missing(w, watches_now(w), is_listed, (void *)two, "gone");
	watches_missing(w, watches_now(w), is_listed, "nothing", "gone");
	turn(&loop);
	cr_assert_eq(b.n, 0, "two lists in a row");
	watches_destroy(w);
	pst_loop_drain(&loop);
}

struct crowd {
	char desktops[60][PST_UUID_SIZE];
	unsigned gone; /* the first ones */
};

static bool crowd_is_listed(const char *desktop, void *arg)
{
	const struct crowd *c = arg;

	for (unsigned i = 0; i < c->gone; i++) {
		if (strcmp(c->desktops[i], desktop) == 0)
			return false;
	}
	return true;
}

/* A hypervisor that lists nothing for a while would end everybody's session. */
Test(watches, many_that_are_not_listed_at_once_are_no_news)
{
	static const struct {
		unsigned all, gone, told;
	} cases[] = { { 60, 60, 0 }, { 60, 7, 0 }, { 60, 6, 6 }, { 20, 5, 5 }, { 3, 3, 0 }, { 3, 2, 2 }, { 1, 1, 1 } };
	struct pst_err err = PST_ERR_INIT;
	struct crowd c;
	uv_loop_t loop;

	uv_loop_init(&loop);
	for (size_t i = 0; i < 60; i++)
		snprintf(c.desktops[i], PST_UUID_SIZE, "1b4e28ba-2fa1-41d2-883f-0016d3cc%04zu", i);
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		struct heard a = { .n = 0 };
		struct watches *w = watches_create(&loop);

		for (unsigned i = 0; i < cases[n].all; i++) {
			watches_know(w, c.desktops[i]);
			watches_add(w, c.desktops[i], on_ended, &a, &err);
		}
		c.gone = cases[n].gone;
		for (int i = 0; i < 4; i++)
			watches_missing(w, watches_now(w), crowd_is_listed, &c, "gone");
		turn(&loop);
		cr_expect_eq(a.n, cases[n].told, "%u of %u: %u", cases[n].gone, cases[n].all, a.n);
		watches_destroy(w);
	}
	pst_loop_drain(&loop);
}
