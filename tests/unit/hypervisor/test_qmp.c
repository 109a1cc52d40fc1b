/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Covers: broker/hypervisor/qemu/instant.c broker/hypervisor/qemu/line.c broker/hypervisor/qemu/qmp_message.c
 */
/* QEMU's monitor and the seed's port, with a QEMU that follows a script: what it must hear, what it then
 * says. */
#include "broker/hypervisor/qemu/instant.h"
#include "broker/hypervisor/qemu/line.h"
#include "broker/hypervisor/qemu/qmp_message.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/unixsock.h"
#include "tests/unit/base/util.h"
#include "tests/unit/fine.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n"
#define OPENED                                                        \
	{ NULL, GREETING },                                           \
	{                                                             \
		"qmp_capabilities", "{\"return\": {}, \"id\": 1}\r\n" \
	}

struct step {
	const char *hears; /* a part of the next line, NULL: nothing */
	const char *says;
};

struct fake {
	const struct step *steps;
	size_t n;
	int listener;
	int fds; /* descriptors that came */
	char dir[64], path[100];
	pthread_t thread;
	const char *failed; /* what was awaited and did not come */
};

static bool hears(struct fake *f, int conn, const char *want)
{
	char text[8192] = "";
	size_t len = 0;

	while (!strchr(text, '\n')) {
		int fds[PST_FD_MAX];
		size_t n_fds = 0;
		struct pollfd p = { .fd = conn, .events = POLLIN };
		if (poll(&p, 1, 10000) <= 0)
			return false;
		ssize_t n = pst_fd_recv(conn, text + len, 1, fds, PST_FD_MAX, &n_fds);
		if (n <= 0)
			return false;
		len += (size_t)n;
		f->fds += (int)n_fds;
		for (size_t i = 0; i < n_fds; i++)
			close(fds[i]);
	}
	return strstr(text, want);
}

static void *fake_run(void *arg)
{
	struct fake *f = arg;
	struct pollfd p = { .fd = f->listener, .events = POLLIN };
	int conn = poll(&p, 1, 10000) > 0 ? pst_unix_accept(f->listener) : -1;

	for (size_t i = 0; i < f->n && conn >= 0 && !f->failed; i++) {
		if (f->steps[i].hears && !hears(f, conn, f->steps[i].hears))
			f->failed = f->steps[i].hears;
		else if (f->steps[i].says &&
			 send(conn, f->steps[i].says, strlen(f->steps[i].says), MSG_NOSIGNAL) < 0)
			f->failed = f->steps[i].says;
	}
	pst_fd_close(&conn);
	return NULL;
}

static void fake_start(struct fake *f, const struct step *steps, size_t n)
{
	struct pst_err err = PST_ERR_INIT;

	memset(f, 0, sizeof(*f));
	f->steps = steps;
	f->n = n;
	temp_dir_make(f->dir);
	snprintf(f->path, sizeof(f->path), "%s/s", f->dir);
	f->listener = pst_unix_listen(f->path, 0600, 1, &err);
	cr_assert(f->listener >= 0, "%s", err.text);
	pthread_create(&f->thread, NULL, fake_run, f);
}

static void fake_end(struct fake *f)
{
	pthread_join(f->thread, NULL);
	cr_assert_null(f->failed, "it did not hear %s", f->failed);
	close(f->listener);
	temp_dir_remove(f->dir);
}

static uint64_t soon(void)
{
	return pst_mono_ms() + 10000;
}

Test(qmp, test_messages_are_told_apart)
{
	static const struct {
		const char *line;
		int rc;
		enum qmp_kind kind;
		int64_t id;
		const char *text;
	} cases[] = {
		{ "{\"QMP\": {}}", 0, QMP_GREETING, -1, "" },
		{ "{\"return\": {}, \"id\": 7}", 0, QMP_RETURN, 7, "" },
		{ "{\"return\": [1], \"id\": \"x\"}", 0, QMP_RETURN, -1, "" },
		{ "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}, \"id\": 2}", 0, QMP_ERROR, 2,
			"no" },
		{ "{\"event\": \"STOP\", \"timestamp\": {}}", 0, QMP_EVENT, -1, "STOP" },
		{ "{\"event\": \"MIGRATION\", \"data\": {\"status\": \"completed\"}}", 0, QMP_EVENT, -1,
			"MIGRATION" },
		{ "", PST_EPROTO, 0, 0, "" },
		{ "[]", PST_EPROTO, 0, 0, "" },
		{ "{}", PST_EPROTO, 0, 0, "" },
		{ "{\"QMP\": 1}", PST_EPROTO, 0, 0, "" },
		{ "{\"error\": \"no\"}", PST_EPROTO, 0, 0, "" },
		{ "{\"event\": 5}", PST_EPROTO, 0, 0, "" },
		{ "{\"event\": \"STOP\", \"data\": 5}", PST_EPROTO, 0, 0, "" },
		{ "{\"return\": [[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]}", PST_EPROTO, 0, 0,
			"" },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct pst_err err = PST_ERR_INIT;
		struct qmp_message m;
		cr_assert_eq(qmp_message_read(cases[i].line, strlen(cases[i].line), &m, &err), cases[i].rc,
			"%s", cases[i].line);
		if (cases[i].rc == 0)
			cr_assert(m.kind == cases[i].kind && m.id == cases[i].id &&
					  strcmp(m.text, cases[i].text) == 0,
				"%s", cases[i].line);
		qmp_message_finish(&m);
	}
}

Test(qmp, test_commands_events_and_refusals)
{
	static const struct step steps[] = { OPENED,
		{ "\"execute\":\"query-status\"",
			"{\"event\": \"RESUME\"}\r\n{\"return\": {\"late\": 1}, \"id\": 1}\r\n{\"return\": "
			"{\"status\": \"running\"}, \"id\": 2}\r\n" },
		{ "\"arguments\":{\"a\":1}", "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"never "
					     "heard\"}, \"id\": 3}\r\n" },
		{ "getfd", "{\"return\": {}, \"id\": 4}\r\n{\"event\": \"STOP\"}\r\n" } };
	struct pst_err err = PST_ERR_INIT;
	json_t *answer = NULL;
	struct fake f;

	fake_start(&f, steps, PST_ARRAY_LEN(steps));
	struct qmp *q = qmp_open(f.path, soon(), &err);
	cr_assert_not_null(q, "%s", err.text);
	cr_assert_eq(qmp_call(q, "query-status", NULL, &answer, soon(), &err), 0, "%s", err.text);
	cr_assert_str_eq(pst_json_str(answer, "status", 20), "running");
	json_decref(answer);
	cr_assert_eq(qmp_wait(q, "RESUME", soon(), &err), 0, "an event that came before is not lost");
	cr_assert_eq(qmp_call(q, "x", json_pack("{s:i}", "a", 1), NULL, soon(), &err), PST_ECONFLICT);
	cr_assert(strstr(err.text, "never heard"));
	cr_assert_eq(qmp_lend(q, "n", 0, soon(), &err), 0, "%s", err.text);
	cr_assert_eq(qmp_wait(q, "STOP", soon(), &err), 0, "%s", err.text);
	cr_assert_eq(qmp_wait(q, "STOP", soon(), &err), PST_ECLOSED, "each event is waited for once");
	fake_end(&f);
	cr_assert_eq(f.fds, 1);
	qmp_close(q);
	qmp_close(NULL);
}

Test(qmp, test_who_quits_may_be_gone_before_the_answer)
{
	static const struct step steps[] = { OPENED, { "\"execute\":\"quit\"", NULL } };
	struct pst_err err = PST_ERR_INIT;
	struct fake f;

	fake_start(&f, steps, PST_ARRAY_LEN(steps));
	struct qmp *q = qmp_open(f.path, soon(), &err);
	cr_assert_not_null(q, "%s", err.text);
	cr_assert_eq(qmp_quit(q, soon(), &err), 0, "%s", err.text);
	qmp_close(q);
	fake_end(&f);
}

static void *cancel_main(void *arg)
{
	qmp_cancel(arg);
	return NULL;
}

Test(qmp, test_a_wait_can_be_cancelled)
{
	static const struct step steps[] = { OPENED, { "never said", NULL } };
	struct pst_err err = PST_ERR_INIT;
	pthread_t other;
	struct fake f;

	fake_start(&f, steps, 2);
	struct qmp *q = qmp_open(f.path, soon(), &err);
	cr_assert_not_null(q, "%s", err.text);
	cr_assert_eq(pthread_create(&other, NULL, cancel_main, q), 0);
	cr_assert_eq(qmp_wait(q, "STOP", soon(), &err), PST_ECLOSED, "%s", err.text);
	cr_assert_eq(qmp_call(q, "cont", NULL, NULL, soon(), &err), PST_ECLOSED, "and what comes after it");
	pthread_join(other, NULL);
	qmp_close(q);
	fake_end(&f);
}

Test(qmp, test_who_does_not_speak_qmp)
{
	static const struct step words[][1] = { { { NULL, "SSH-2.0\r\n" } },
		{ { NULL, "{\"event\": \"STOP\"}\r\n" } }, { { NULL, "{\"QMP\": {}}" } },
		{ { NULL, NULL } } };
	struct pst_err err = PST_ERR_INIT;
	struct fake f;

	for (size_t i = 0; i < PST_ARRAY_LEN(words); i++) {
		fake_start(&f, words[i], 1);
		cr_assert_null(qmp_open(f.path, soon(), &err), "%zu", i);
		fake_end(&f);
	}
	cr_assert_null(qmp_open("/tmp/puesto-no-such-socket", soon(), &err));
}

Test(qmp, test_silence_ends_at_the_deadline)
{
	static const struct step steps[] = { OPENED, { "stop", NULL }, { "\n", NULL } };
	struct pst_err err = PST_ERR_INIT;
	struct fake f;

	fake_start(&f, steps, PST_ARRAY_LEN(steps) - 1);
	struct qmp *q = qmp_open(f.path, soon(), &err);
	cr_assert_not_null(q, "%s", err.text);
	cr_assert_eq(qmp_call(q, "stop", NULL, NULL, pst_mono_ms(), &err), PST_ETIMEOUT);
	int rc = qmp_call(q, "stop", NULL, NULL, soon(), &err);
	cr_assert(rc == PST_ECLOSED, "%d %s", rc, err.text);
	qmp_close(q);
	fake_end(&f);
}

#define READY                                                           \
	OPENED, { "x-ignore-shared", "{\"return\": {}, \"id\": 2}\n" }, \
		{ "max-bandwidth", "{\"return\": {}, \"id\": 3}\n" },   \
	{                                                               \
		"getfd", "{\"return\": {}, \"id\": 4}\n"                \
	}

Test(instant, test_a_child_is_loaded_given_a_card_and_runs)
{
	static const struct step steps[] = { READY,
		{ "\"uri\":\"fd:puesto-state\"", "{\"return\": {}, \"id\": 5}\n" },
		{ "query-migrate", "{\"return\": {\"status\": \"active\"}, \"id\": 6}\n{\"event\": "
				   "\"MIGRATION\", \"data\": {}}\n" },
		{ "query-migrate", "{\"return\": {\"status\": \"completed\"}, \"id\": 7}\n" },
		{ "\"type\":\"user\"", "{\"return\": {}, \"id\": 8}\n" },
		{ "\"mac\":\"52:54:00:00:00:01\"", "{\"return\": {}, \"id\": 9}\n" },
		{ "cont", "{\"return\": {}, \"id\": 10}\n" } };
	struct pst_err err = PST_ERR_INIT;
	json_t *netdev = json_pack("{s:s}", "type", "user");
	const struct instant_card card = { .bus = "rp0", .mac = "52:54:00:00:00:01", .netdev = netdev };
	struct fake f;

	fake_start(&f, steps, PST_ARRAY_LEN(steps));
	struct qmp *q = qmp_open(f.path, soon(), &err);
	cr_assert_eq(instant_resume(q, 0, &card, soon(), &err), 0, "%s", err.text);
	fake_end(&f);
	cr_assert_null(json_object_get(netdev, "id"), "the caller's is not changed");
	qmp_close(q);
	json_decref(netdev);
}

Test(instant, test_a_state_that_does_not_fit_is_told)
{
	static const struct step steps[] = { READY, { "migrate-incoming", "{\"return\": {}, \"id\": 5}\n" },
		{ "query-migrate", "{\"return\": {\"status\": \"failed\", \"error-desc\": \"another "
				   "machine\"}, \"id\": 6}\n" } };
	struct pst_err err = PST_ERR_INIT;
	struct fake f;

	fake_start(&f, steps, PST_ARRAY_LEN(steps));
	struct qmp *q = qmp_open(f.path, soon(), &err);
	cr_assert_eq(instant_resume(q, 0, NULL, soon(), &err), PST_EIO);
	cr_assert(strstr(err.text, "another machine"), "%s", err.text);
	fake_end(&f);
	qmp_close(q);
}

Test(instant, test_the_words_on_the_port)
{
	static const struct step waits[] = { { NULL, "{\"seed\":\"waiting\"}\n" } },
				 takes[] = { { NULL, "{\"seed\":\"waiting\"}\n" },
					 { "\"desktop\":\"d\"", "{\"seed\":\"applied\"}\n" } },
				 refuses[] = { { "desktop",
					 "{\"seed\":\"refused\",\"reason\":\"no UUID\"}\n" } },
				 babbles[] = { { "desktop", "what?\n" } }, leaves[] = { { "desktop", NULL } };
	static const struct {
		const struct step *steps;
		size_t n;
		int rc;
	} cases[] = { { takes, 2, 0 }, { refuses, 1, PST_EINVAL }, { babbles, 1, PST_EPROTO },
		{ leaves, 1, PST_ECLOSED } };
	json_t *seed = json_pack("{s:s}", "desktop", "d");
	struct pst_err err = PST_ERR_INIT;
	struct fake f;

	fake_start(&f, waits, 1);
	FINE(instant_await_parent(f.path, soon(), &err));
	fake_end(&f);
	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		fake_start(&f, cases[i].steps, cases[i].n);
		err = (struct pst_err)STALE; /* a machine that is told who it is does not hear of what was before */
		cr_assert_eq(instant_seed(f.path, seed, soon(), &err), cases[i].rc, "%zu: %s", i, err.text);
		fake_end(&f);
	}
	json_decref(seed);
}

Test(line, test_a_line_has_a_ceiling)
{
	struct pst_err err = PST_ERR_INIT;
	static char flood[70000];
	const struct step steps[] = { { NULL, flood }, { NULL, flood } };
	struct line_conn c;
	struct fake f;
	char *text;
	size_t len;

	memset(flood, 'x', sizeof(flood) - 1);
	fake_start(&f, steps, PST_ARRAY_LEN(steps));
	cr_assert_eq(line_open(&c, f.path, 1000, &err), 0, "%s", err.text);
	cr_assert_eq(line_receive(&c, soon(), &text, &len, &err), PST_EPROTO);
	line_close(&c);
	pthread_join(f.thread, NULL);
	close(f.listener);
	temp_dir_remove(f.dir);
}
