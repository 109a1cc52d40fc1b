/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an image says of its own desktop: well, not well and why, nothing at all. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/health.h"

static uv_loop_t loop;
static char path[] = "/tmp/puesto-test-health-XXXXXX";
static int calls;

static void begin(void)
{
	cr_assert_eq(uv_loop_init(&loop), 0);
}

static void end(void)
{
	unlink(path);
	cr_expect_eq(uv_loop_close(&loop), 0, "nothing is left in the loop");
}

TestSuite(health, .init = begin, .fini = end);

static void script(const char *body, mode_t mode)
{
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	cr_assert(f);
	fprintf(f, "#!/bin/sh\n%s\n", body);
	cr_assert_eq(fclose(f), 0);
	cr_assert_eq(chmod(path, mode), 0);
}

static void on_done(void *arg)
{
	calls++;
}

static void finish(struct health *h)
{
	health_close(h);
	uv_run(&loop, UV_RUN_DEFAULT);
}

/* The answer to that script; NULL: it is well. */
static void check(const char *body, const char *want)
{
	struct health *h;

	script(body, 0755);
	h = health_create(&loop, path, on_done, NULL);
	cr_assert_not_null(h);
	cr_expect_not(health_is_known(h), "it is not asked for from within the call");
	while (!health_is_known(h))
		uv_run(&loop, UV_RUN_ONCE);
	cr_expect_eq(calls, 1);
	if (want)
		cr_expect_str_eq(health_fault(h) ? health_fault(h) : "(well)", want);
	else
		cr_expect_null(health_fault(h));
	finish(h);
}

Test(health, an_image_without_a_check_is_well_at_once)
{
	struct health *h = health_create(&loop, "/nowhere/health", on_done, NULL);

	cr_assert_not_null(h);
	cr_expect(health_is_known(h));
	cr_expect_null(health_fault(h));
	finish(h);
	cr_expect_eq(calls, 0);
}

Test(health, what_ends_with_nought_is_well_whatever_it_says)
{
	check("echo all is well; exit 0", NULL);
}

Test(health, the_first_line_is_the_reason)
{
	check("echo; echo no licence server; echo more; exit 3", "no licence server");
}

Test(health, what_is_no_text_for_people_is_not_passed_on)
{
	check("printf 'a\\033[1mb\\tc\\303\\261'; exit 1", "a?[1mb?c??");
}

Test(health, a_flood_is_cut)
{
	char want[HEALTH_TEXT_SIZE];

	memset(want, 'x', sizeof(want) - 1);
	want[sizeof(want) - 1] = '\0';
	check("head -c 300000 /dev/zero | tr '\\0' x; exit 1", want);
}

Test(health, silence_and_signals_have_words_too)
{
	check("exit 7", "it ended with 7");
}

Test(health, a_signal_is_named)
{
	check("kill -TERM $$", "it was ended by signal 15");
}

Test(health, a_check_that_cannot_run_is_a_fault)
{
	struct health *h;

	script("exit 0", 0644);
	h = health_create(&loop, path, on_done, NULL);
	cr_assert_not_null(h);
	cr_expect(health_is_known(h));
	cr_expect_not_null(health_fault(h));
	finish(h);
}

Test(health, whoever_still_runs_goes_with_the_agent)
{
	struct health *h;

	script("sleep 600", 0755);
	h = health_create(&loop, path, on_done, NULL);
	cr_assert_not_null(h);
	finish(h);
	cr_expect_eq(calls, 0);
}
