/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bounded pool of password threads. */
#include "broker/auth/hasher.h"

#include "base/err.h"
#include "base/loop.h"

#include <criterion/criterion.h>

struct tally {
	int right, wrong;
	char phc[PASSWORD_PHC_SIZE];
};

static void done(const struct hasher_result *r, void *arg)
{
	struct tally *t = arg;

	t->right += r->ok;
	t->wrong += !r->ok;
	if (r->phc)
		snprintf(t->phc, sizeof(t->phc), "%s", r->phc);
}

static void run_until(uv_loop_t *loop, const struct tally *t, int count)
{
	while (t->right + t->wrong < count)
		uv_run(loop, UV_RUN_ONCE);
}

Test(hasher, makes_and_checks_on_its_threads)
{
	uv_loop_t loop;
	struct tally t = {.right = 0};

	uv_loop_init(&loop);
	struct hasher *h = hasher_create(&loop, 2);
	cr_assert_eq(hasher_make(h, "a", "a long one", done, &t), 0);
	run_until(&loop, &t, 1);
	cr_assert_eq(hasher_verify(h, "a", t.phc, "a long one", done, &t), 0);
	cr_assert_eq(hasher_verify(h, "a", t.phc, "a wrong one", done, &t), 0);
	cr_assert_eq(hasher_verify(h, "a", NULL, "a long one", done, &t), 0);
	run_until(&loop, &t, 4);
	cr_expect_eq(t.right, 2);
	cr_expect_eq(t.wrong, 2);
	hasher_destroy(h);
	pst_loop_drain(&loop);
}

Test(hasher, a_source_has_half_of_the_queue_and_the_queue_has_an_end)
{
	uv_loop_t loop;
	struct tally flood = {.right = 0}, other = {.right = 0};
	int accepted = 0;

	uv_loop_init(&loop);
	struct hasher *h = hasher_create(&loop, 1);
	for (int i = 0; i < 200; i++)
		accepted += hasher_verify(h, "flood", NULL, "a long one", done, &flood) == 0;
	cr_expect_leq(accepted, HASHER_QUEUE_MAX / 2 + 8);
	cr_expect_eq(hasher_verify(h, "other", NULL, "a long one", done, &other), 0);
	run_until(&loop, &other, 1);
	cr_expect_lt(flood.wrong, accepted, "sources take turns");
	hasher_cancel(h, &flood);
	hasher_destroy(h);
	pst_loop_drain(&loop);
}
