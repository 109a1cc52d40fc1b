/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who hears of which end. */
#include "broker/hypervisor/watches.h"

#include "base/loop.h"
#include "base/text.h"

#include <criterion/criterion.h>
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
	cr_assert_eq(a.n, 1);
	cr_assert_str_eq(a.words, "gone");
	cr_assert_eq(b.n, 0);
	watches_missing(w, watches_now(w), is_listed, (void *)two, "gone");
	turn(&loop);
	cr_assert_eq(b.n, 0);
	watches_destroy(w);
	pst_loop_drain(&loop);
}
