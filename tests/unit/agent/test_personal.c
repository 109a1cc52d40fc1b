/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The user's files, as the agent sees them come and go: with a helper of root's, and without one. */
#include "agent/personal.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ctl_server.h"
#include "base/json.h"
#include "base/loop.h"

struct said {
	char word[32], reason[200];
	int n;
};

static void on_done(void *arg, const char *word, const char *reason)
{
	struct said *s = arg;

	snprintf(s->word, sizeof(s->word), "%s", word);
	snprintf(s->reason, sizeof(s->reason), "%s", reason);
	s->n++;
}

Test(personal_agent, without_a_helper_the_home_itself_tells)
{
	struct said s = { .n = 0 };
	uv_loop_t loop;

	uv_loop_init(&loop);
	/* "/" and "/proc" are mounts of their own, this test's folder is none. */
	struct personal *p = personal_create(&loop, "/nowhere/socket", "/proc", on_done, &s);
	personal_mount(p);
	cr_assert_str_eq(s.word, "mounted");
	personal_unmount(p);
	cr_assert_str_eq(s.word, "unmounted", "whoever brought it takes it away");
	personal_close(p);
	p = personal_create(&loop, "/nowhere/socket", "/usr/bin", on_done, &s);
	personal_mount(p);
	cr_assert_str_eq(s.word, "unmountable");
	cr_assert(strstr(s.reason, "image"), "%s", s.reason);
	personal_close(p);
	pst_loop_drain(&loop);
}

/* A helper that says yes to "mount" and no to "unmount". */
static void on_message(struct pst_ctl *ctl, json_t *msg, int fd, void *arg)
{
	struct pst_err err = PST_ERR_INIT;
	const char *op = pst_json_str(msg, "op", 16);

	if (op && strcmp(op, "mount") == 0) {
		pst_ctl_reply(ctl, msg, NULL);
		return;
	}
	pst_err_set(&err, PST_EBUSY, "a program still uses them");
	pst_ctl_reply_err(ctl, msg, &err);
}

static void on_accept(struct pst_ctl *ctl, void *arg)
{
	static const struct pst_ctl_events events = { .message = on_message };

	pst_ctl_set_events(ctl, &events, arg);
}

Test(personal_agent, a_helper_is_asked_and_its_words_are_handed_on)
{
	char path[] = "/tmp/puesto-personal-test-XXXXXX", socket[64];
	struct pst_err err = PST_ERR_INIT;
	struct said s = { .n = 0 };
	uv_loop_t loop;

	uv_loop_init(&loop);
	cr_assert_not_null(mkdtemp(path));
	snprintf(socket, sizeof(socket), "%s/s", path);
	struct pst_ctl_server *server = pst_ctl_listen(&loop, socket, 0600, 4, on_accept, NULL, &err);
	cr_assert_not_null(server, "%s", err.text);
	struct personal *p = personal_create(&loop, socket, "/usr", on_done, &s);
	personal_mount(p);
	while (s.n == 0)
		uv_run(&loop, UV_RUN_ONCE);
	cr_assert_str_eq(s.word, "mounted");
	personal_unmount(p);
	while (s.n == 1)
		uv_run(&loop, UV_RUN_ONCE);
	cr_assert_str_eq(s.word, "");
	cr_assert(strstr(s.reason, "still uses"), "%s", s.reason);
	/* A newer question takes the place of an older one, which is answered no more. */
	personal_unmount(p);
	personal_mount(p);
	while (s.n == 2)
		uv_run(&loop, UV_RUN_ONCE);
	cr_assert_str_eq(s.word, "mounted");
	cr_assert_eq(s.n, 3);
	personal_close(p);
	pst_ctl_server_close(server);
	pst_loop_drain(&loop);
	rmdir(path);
}
