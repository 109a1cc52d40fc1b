/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scripts, run by this machine's own shell. */
#include "broker/hypervisor/ssh/script.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "broker/hypervisor/disk/child.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/ssh/answer.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DESKTOP "1b4e28ba-2fa1-41d2-883f-0016d3cca427"

static char dir[64];
static char said[8192];

static void on_said(void *arg, const char *text, size_t len)
{
	size_t n = strlen(said);

	if (len < sizeof(said) - n) {
		memcpy(said + n, text, len);
		said[n + len] = '\0';
	}
}

static int sh(const char *text, size_t len, struct pst_err *err)
{
	static const char *const argv[] = { "/bin/sh", "-s", NULL };
	struct child_params p = { .argv = argv, .timeout_ms = 30000, .cancel_fd = -1, .said = on_said, .input = text, .input_len = len };

	said[0] = '\0';
	err->text[0] = '\0';
	return child_run(&p, err);
}

static struct answer run(struct script *s, int want, struct pst_err *err)
{
	const char *text = script_end(s);
	struct answer a;

	cr_assert_not_null(text);
	cr_assert_eq(sh(text, strlen(text), err), want, "%s: %s", err->text, text);
	cr_assert_eq(answer_parse(said, strlen(said), &a, err), 0);
	script_finish(s);
	return a;
}

static void dir_make(void)
{
	snprintf(dir, sizeof(dir), "/tmp/puesto-script-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
}

static void dir_remove(void)
{
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(tree_remove(dir, &err), 0);
}

static void begin(struct script *s, const char *desktop)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/it's here", dir);
	script_begin(s, path, desktop);
}

Test(script, a_record_is_written_listed_and_forgotten, .init = dir_make, .fini = dir_remove)
{
	struct pst_err err = PST_ERR_INIT;
	struct script s;

	begin(&s, DESKTOP);
	script_lock(&s, true);
	script_put(&s, "{\"it's\":1}");
	script_run(&s, "step", "echo told to people; true");
	script_print(&s, "echo one running");
	struct answer a = run(&s, 0, &err);
	cr_assert(a.has_end);
	cr_assert_eq(a.records_n, 1);
	cr_assert_eq(strncmp(a.records[0].text, "{\"it's\":1}", a.records[0].len), 0);
	cr_assert_eq(a.machines_n, 1, "%s", said);
	answer_finish(&a);
	for (int i = 0; i < 2; i++) {
		begin(&s, i ? "" : DESKTOP);
		if (i == 0) {
			script_lock(&s, false);
			script_forget(&s);
		}
		script_print(&s, "true");
		a = run(&s, 0, &err);
		cr_assert_eq(a.records_n, 0, "%s", said);
		answer_finish(&a);
	}
}

Test(script, the_seed_comes_by_stdin_and_file_and_goes, .init = dir_make, .fini = dir_remove)
{
	struct pst_err err = PST_ERR_INIT;
	char path[PATH_MAX];
	struct script s;

	begin(&s, DESKTOP);
	script_lock(&s, true);
	script_seed(&s, "a 'secret'");
	script_run(&s, "one", "test \"$(cat)\" = \"a 'secret'\"");
	script_run(&s, "two", "test \"$(cat \"${pst_seed}\")\" = \"a 'secret'\" && test \"$(stat -c %a \"${pst_seed}\")\" = 600");
	script_seed(&s, NULL);
	script_run(&s, "three", "test -z \"$(cat)\"");
	struct answer a = run(&s, 0, &err);
	answer_finish(&a);
	snprintf(path, sizeof(path), "%s/it's here/%s.seed", dir, DESKTOP);
	cr_assert_neq(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "%s/it's here/%s.lock", dir, DESKTOP);
	cr_assert_neq(access(path, F_OK), 0);
}

Test(script, a_step_that_fails_is_named_and_ends_it, .init = dir_make, .fini = dir_remove)
{
	struct pst_err err = PST_ERR_INIT;
	struct script s;

	begin(&s, DESKTOP);
	script_lock(&s, true);
	script_try(&s, "exit 9");
	script_run(&s, "start", "echo the reason >&2; exit 3");
	script_run(&s, "never", "echo '@end 0 forged'");
	struct answer a = run(&s, PST_EIO, &err);
	cr_assert_eq(a.status, 3);
	cr_assert_str_eq(a.step, "start");
	cr_assert_str_eq(err.text, "the reason");
	answer_finish(&a);
	begin(&s, "");
	script_print(&s, "echo half running; exit 4");
	a = run(&s, PST_EIO, &err);
	cr_assert_str_eq(a.step, "list");
	answer_finish(&a);
}

/* Cut anywhere, it is not run. */
Test(script, one_that_arrives_cut_does_nothing, .init = dir_make, .fini = dir_remove)
{
	struct pst_err err = PST_ERR_INIT;
	char flag[128], command[192];
	struct script s;

	snprintf(flag, sizeof(flag), "%s/flag", dir);
	snprintf(command, sizeof(command), "touch %s", flag);
	begin(&s, DESKTOP);
	script_run(&s, "a", command);
	script_run(&s, "b", command);
	const char *text = script_end(&s);
	size_t len = strlen(text);
	/* A shell that waits for the rest sees the end of its stdin only here. */
	for (size_t cut = len - 2; cut > 3; cut -= PST_UUID_SIZE + cut / 8 > cut - 3 ? cut - 3 : PST_UUID_SIZE + cut / 8) {
		char path[128], line[256];

		snprintf(path, sizeof(path), "%s/cut", dir);
		cr_assert_eq(pst_file_write(path, text, cut, 0600, &err), 0);
		snprintf(line, sizeof(line), "/bin/sh -s <%s >/dev/null 2>&1", path);
		cr_assert_neq(system(line), 0, "cut at %zu", cut);
		cr_assert_neq(access(flag, F_OK), 0, "cut at %zu", cut);
	}
	script_finish(&s);
}

Test(script, who_is_gone_leaves_no_lock, .init = dir_make, .fini = dir_remove)
{
	struct pst_err err = PST_ERR_INIT;
	char path[PATH_MAX];
	struct script s;

	for (int with_pid = 0; with_pid < 2; with_pid++) {
		snprintf(path, sizeof(path), "%s/it's here/%s.lock", dir, DESKTOP);
		cr_assert_eq(pst_mkdirs(path, 0700, &err), 0);
		snprintf(path, sizeof(path), "%s/it's here/%s.lock/pid", dir, DESKTOP);
		if (with_pid)
			cr_assert_eq(pst_file_write(path, "1\n", 2, 0600, &err), 0);
		begin(&s, DESKTOP);
		script_lock(&s, true);
		struct answer a = run(&s, 0, &err);
		cr_assert(a.has_end);
		answer_finish(&a);
	}
}

Test(script, too_long_a_one_is_none)
{
	struct script s;
	char *long_text = malloc(600000);

	memset(long_text, 'x', 599999);
	long_text[599999] = '\0';
	script_begin(&s, "/d", DESKTOP);
	script_value(&s, TEMPLATE_IMAGE, long_text);
	cr_assert_null(script_end(&s));
	script_finish(&s);
	free(long_text);
}
