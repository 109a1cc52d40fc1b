/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Programs that end well, badly, too late, or not at all. */
#include "broker/hypervisor/disk/child.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct heard {
	char text[64];
	size_t n, total;
};

static void said(void *arg, const char *text, size_t len)
{
	struct heard *h = arg;

	h->total += len;
	for (size_t i = 0; i < len && h->n + 1 < sizeof(h->text); i++)
		h->text[h->n++] = text[i];
}

static int sh(const char *script, uint32_t timeout_ms, int cancel_fd, struct heard *h, struct pst_err *err)
{
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };
	struct child_params p = { .argv = argv, .timeout_ms = timeout_ms, .cancel_fd = cancel_fd,
		.said = h ? said : NULL, .arg = h };

	return child_run(&p, err);
}

Test(child, its_end_and_its_words_are_told)
{
	static const struct {
		const char *script;
		int code;
		const char *out, *words;
	} cases[] = {
		{ "echo hello", 0, "hello\n", NULL },
		{ "echo a; echo nothing wrong >&2; echo b", 0, "a\nb\n", NULL },
		{ "echo first >&2; echo the reason >&2; exit 3", PST_EIO, "", "the reason" },
		{ "exit 1", PST_EIO, "", "/bin/sh" },
		{ "kill -9 $$", PST_EIO, "", "signal 9" },
		{ "kill -XFSZ $$", PST_ELIMIT, "", "file's size" },
		{ "kill -XCPU $$", PST_ELIMIT, "", "processor time" },
		{ "exec >&- 2>&-; exit 0", 0, "", NULL },
		{ "test -z \"$HOME$PUESTO_SECRET\" && test \"$PATH\"", 0, "", NULL }, /* nothing is inherited */
		{ "read x; test -z \"$x\"", 0, "", NULL },
	};

	setenv("PUESTO_SECRET", "s", 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pst_err err = PST_ERR_INIT;
		struct heard h = { 0 };

		cr_assert_eq(sh(cases[i].script, 30000, -1, &h, &err), cases[i].code, "%s: %s", cases[i].script,
			err.text);
		cr_assert_str_eq(h.text, cases[i].out, "%s", cases[i].script);
		cr_assert(!cases[i].words || strstr(err.text, cases[i].words), "%s: %s", cases[i].script, err.text);
	}
}

Test(child, much_is_heard_and_only_the_end_of_the_errors_is_kept)
{
	struct pst_err err = PST_ERR_INIT;
	struct heard h = { 0 };

	cr_assert_eq(sh("head -c 1000000 /dev/zero; head -c 100000 /dev/zero >&2; echo >&2; echo end >&2; exit 1", 30000,
		-1, &h, &err), PST_EIO);
	cr_assert_eq(h.total, 1000000);
	cr_assert_str_eq(err.text, "end");
}

Test(child, no_descriptor_of_ours_is_inherited)
{
	struct pst_err err = PST_ERR_INIT;
	int fd = dup(0);

	cr_assert_eq(dup2(fd, 77), 77);
	cr_assert_eq(sh("test ! -e /proc/self/fd/77", 30000, -1, NULL, &err), 0, "%s", err.text);
}

Test(child, a_deadline_and_a_cancel_end_it)
{
	struct pst_err err = PST_ERR_INIT;
	int fd = eventfd(0, EFD_CLOEXEC);
	uint64_t one = 1;

	cr_assert_eq(sh("exec sleep 1000", 50, -1, NULL, &err), PST_ETIMEOUT, "%s", err.text);
	cr_assert_eq(sh("exec >&- 2>&-; exec sleep 1000", 50, -1, NULL, &err), PST_ETIMEOUT, "%s", err.text);
	cr_assert_eq(write(fd, &one, sizeof(one)), (ssize_t)sizeof(one));
	cr_assert_eq(sh("exec sleep 1000", 60000, fd, NULL, &err), PST_ECLOSED, "%s", err.text);
	close(fd);
}

/* More than a pipe holds; and stdin stays open, so that its end is that of ours and nothing else. */
Test(child, its_input_is_written_and_stays_open)
{
	static char input[1 << 20];
	const char *const argv[] = { "/bin/sh", "-c", "exec 3<&0; head -c 1048576 | wc -c; (read x <&3; : >stray) >/dev/null 2>&1 & sleep 0.05; test ! -e stray && kill $!", NULL };
	const char *const deaf[] = { "/bin/sh", "-c", "exit 3", NULL };
	struct pst_err err = PST_ERR_INIT;
	struct heard h = { 0 };
	struct child_params p = { .argv = argv, .timeout_ms = 30000, .cancel_fd = -1, .said = said, .arg = &h, .input = input,
		.input_len = sizeof(input) };

	memset(input, 'x', sizeof(input));
	cr_assert_eq(child_run(&p, &err), 0, "%s", err.text);
	cr_assert_str_eq(h.text, "1048576\n");
	p.argv = deaf;
	cr_assert_eq(child_run(&p, &err), PST_EIO, "what it does not read is its own affair: %s", err.text);
}

Test(child, a_program_that_is_not_there_is_told)
{
	const char *const argv[] = { "/nonexistent/program", NULL };
	struct child_params p = { .argv = argv, .timeout_ms = 1000, .cancel_fd = -1 };
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(child_run(&p, &err), PST_ENOTFOUND);
	cr_assert(strstr(err.text, "/nonexistent/program"), "%s", err.text);
}
