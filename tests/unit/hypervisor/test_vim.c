/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The client against a server that answers from a script: log-in, lost sessions, pages, updates, tasks.
 * Covers: broker/hypervisor/vsphere/property.c broker/hypervisor/vsphere/task.c
 */
#include "broker/hypervisor/vsphere/vim.h"

#include "base/clock.h"
#include "base/file.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/vsphere/property.h"
#include "broker/hypervisor/vsphere/task.h"
#include "tests/unit/hypervisor/http_peer.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BODY(body) "<Envelope xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><Body>" body "</Body></Envelope>"
#define FAULT(type) BODY("<Fault><faultstring>words</faultstring><detail><f xsi:type=\"" type "\"/></detail></Fault>")
#define CONTENT                                                                                                       \
	BODY("<Response><returnval><rootFolder type=\"Folder\">root</rootFolder><propertyCollector "                         \
	     "type=\"PropertyCollector\">pc</propertyCollector>"                                                      \
	     "<about><name>Double</name><version>8</version><apiType>VirtualCenter</apiType></about><sessionManager " \
	     "type=\"SessionManager\">sm</sessionManager>"                                                            \
	     "<searchIndex type=\"SearchIndex\">si</searchIndex></returnval></Response>")
#define EMPTY BODY("<Response/>")
#define REF(type, id) BODY("<Response><returnval type=\"" type "\">" id "</returnval></Response>")

/* The method, and what it is answered; in this order. */
struct line {
	const char *method;
	int status;
	const char *body;
};

struct stage {
	struct http_peer peer;
	const struct line *lines;
	size_t lines_n;
	const char *wrong; /* what was asked instead */
	char dir[64], password[128];
	struct vim *vim;
	struct vim_op op;
};

static bool serve(struct http_peer *p, unsigned n, int fd)
{
	struct stage *s = p->arg;
	const struct line *l = n < s->lines_n ? &s->lines[n] : NULL;
	char method[64];

	if (l)
		snprintf(method, sizeof(method), "<%s xmlns", l->method);
	if (!l || !strstr(p->request, method)) {
		s->wrong = p->request;
		return false;
	}
	if (l->status)
		http_peer_answer(fd, l->status,
			strcmp(l->method, "Login") == 0 ? "Set-Cookie: vmware_soap_session=\"a-b\"; Path=/; HttpOnly\r\n" : "", l->body);
	return false;
}

static void stage_begin(struct stage *s, const struct line *lines, size_t n)
{
	struct vim_params params = { .user = "me & <you>", .timeout_ms = 20000, .connect_ms = 5000 };
	struct pst_err err = PST_ERR_INIT;

	memset(s, 0, sizeof(*s));
	s->lines = lines;
	s->lines_n = n;
	snprintf(s->dir, sizeof(s->dir), "/tmp/puesto-vim-XXXXXX");
	cr_assert_not_null(mkdtemp(s->dir));
	s->peer.serve = serve;
	s->peer.arg = s;
	http_peer_start(&s->peer, s->dir);
	snprintf(s->password, sizeof(s->password), "%s/password", s->dir);
	cr_assert_eq(pst_file_write(s->password, "se<cret\n", 8, 0600, &err), 0);
	params.socket = s->peer.socket;
	params.password_file = s->password;
	s->vim = vim_create(&params, &err);
	cr_assert_not_null(s->vim, "%s", err.text);
	s->op = (struct vim_op){ .vim = s->vim, .owner = "desktop", .end_ms = pst_mono_ms() + 20000 };
}

/* The log-out at the end finds nobody to answer it. */
static void stage_end(struct stage *s, unsigned served)
{
	struct pst_err ignored = PST_ERR_INIT;

	cr_assert_null(s->wrong, "%s", s->wrong);
	cr_assert_eq(s->peer.served, served, "%u calls", s->peer.served);
	http_peer_stop(&s->peer);
	vim_destroy(s->vim);
	tree_remove(s->dir, &ignored);
}

#define STAGE(s, lines) stage_begin(s, lines, sizeof(lines) / sizeof((lines)[0]))
#define LOGIN                                          \
	{ "RetrieveServiceContent", 200, CONTENT },    \
	{                                              \
		"Login", 200, BODY("<LoginResponse/>") \
	}

static const struct vim_ref vm = { "VirtualMachine", "vm-1" };

static int call(struct stage *s, const char *method, struct pst_err *err)
{
	struct soap *answer = vim_call(&s->op, &(struct vim_call){ .method = method, .self = &vm }, err);
	int rc = answer ? 0 : err->code;

	soap_destroy(answer);
	return rc;
}

Test(vim, logs_in_once_and_shows_its_session)
{
	static const struct line lines[] = { LOGIN, { "A", 200, EMPTY }, { "B", 200, EMPTY } };
	struct pst_err err = PST_ERR_INIT;
	struct vim_service service;
	struct stage s;

	STAGE(&s, lines);
	cr_assert_eq(vim_service(&s.op, &service, &err), 0, "%s", err.text);
	cr_assert_not_null(
		strstr(s.peer.request, "<userName>me &amp; &lt;you&gt;</userName><password>se&lt;cret</password>"), "%s", s.peer.request);
	cr_assert_str_eq(service.collector.id, "pc");
	cr_assert(service.is_vcenter);
	cr_assert_str_eq(service.words, "Double 8");
	cr_assert_eq(call(&s, "A", &err), 0, "%s", err.text);
	cr_assert_not_null(strstr(s.peer.request, "Cookie: vmware_soap_session=\"a-b\"\r\n"), "%s", s.peer.request);
	cr_assert_not_null(strstr(s.peer.request, "SOAPAction: \"urn:vim25/6.5\"\r\n"), "%s", s.peer.request);
	cr_assert_eq(call(&s, "B", &err), 0, "%s", err.text);
	stage_end(&s, 4);
}

Test(vim, opens_a_session_that_was_forgotten)
{
	static const struct line lines[] = { LOGIN, { "A", 500, FAULT("NotAuthenticated") }, LOGIN, { "A", 200, EMPTY },
		{ "B", 200, BODY("<Response><missingSet><fault xsi:type=\"NotAuthenticated\"/></missingSet></Response>") }, LOGIN,
		{ "B", 500, FAULT("NotAuthenticated") } };
	struct pst_err err = PST_ERR_INIT;
	struct stage s;

	STAGE(&s, lines);
	cr_assert_eq(call(&s, "A", &err), 0, "%s", err.text);
	cr_assert_eq(call(&s, "B", &err), PST_EAUTH, "once, and not for ever");
	stage_end(&s, 10);
}

Test(vim, a_refused_log_in_is_not_repeated)
{
	static const struct line lines[] = { { "RetrieveServiceContent", 200, CONTENT }, { "Login", 500, FAULT("InvalidLogin") } };
	struct pst_err err = PST_ERR_INIT;
	struct stage s;

	STAGE(&s, lines);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(call(&s, "A", &err), PST_EAUTH, "%s", err.text);
		cr_assert_not_null(strstr(err.text, "InvalidLogin"), "%s", err.text);
		cr_assert_null(strstr(err.text, "cret"));
	}
	stage_end(&s, 2);
}

/* Every answer after the log-in comes twice, the second time when the next question is there; it names who was asked for. */
static bool serve_twice(struct http_peer *p, unsigned n, int fd)
{
	char body[256];

	if (n < 2) {
		http_peer_answer(fd, 200, n ? "Set-Cookie: s=1\r\n" : "", n ? BODY("<LoginResponse/>") : CONTENT);
		return true;
	}
	snprintf(body, sizeof(body), BODY("<Response><returnval>%s</returnval></Response>"), strstr(p->request, "vm-2") ? "vm-2" : "vm-1");
	http_peer_answer(fd, 200, "", body);
	poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 2000);
	http_peer_answer(fd, 200, "", body);
	return true;
}

Test(vim, an_answer_that_comes_twice_is_not_the_next_ones)
{
	static const struct vim_ref both[] = { { "VirtualMachine", "vm-1" }, { "VirtualMachine", "vm-2" } };
	static const struct line none[] = { { "", 0, NULL } };
	struct pst_err err = PST_ERR_INIT;
	struct stage s;

	signal(SIGPIPE, SIG_IGN); /* the second answer finds nobody */
	STAGE(&s, none);
	s.peer.serve = serve_twice;
	for (int i = 0; i < 6; i++) {
		struct vim_call c = { .method = "Read", .self = &both[i % 2], .repeatable = true };
		struct soap *answer = vim_call(&s.op, &c, &err);

		cr_assert_not_null(answer, "%s", err.text);
		cr_assert_str_eq(soap_text(soap_body(answer), "returnval"), both[i % 2].id, "%d", i);
		soap_destroy(answer);
	}
	http_peer_stop(&s.peer);
	vim_destroy(s.vim);
	tree_remove(s.dir, &err);
}

Test(vim, what_changes_is_sent_once)
{
	static const struct line lines[] = { LOGIN, { "A", 200, EMPTY }, { "B", 0, NULL } };
	struct pst_err err = PST_ERR_INIT;
	struct stage s;

	STAGE(&s, lines);
	cr_assert_eq(call(&s, "A", &err), 0, "%s", err.text);
	cr_assert_eq(call(&s, "B", &err), PST_ECLOSED, "its answer is lost: %s", err.text);
	stage_end(&s, 4);
}

Test(vim, other_statuses_are_somebody_before_it)
{
	static const struct line lines[] = { LOGIN, { "A", 404, "<html>" }, { "A", 200, "<html>" } };
	struct pst_err err = PST_ERR_INIT;
	struct stage s;

	STAGE(&s, lines);
	cr_assert_eq(call(&s, "A", &err), PST_EIO, "that an object is gone is vSphere's to say");
	cr_assert_not_null(strstr(err.text, "url"), "%s", err.text);
	cr_assert_eq(call(&s, "A", &err), PST_EPROTO, "%s", err.text);
	stage_end(&s, 4);
}

Test(vim, an_operation_ends_as_a_whole)
{
	static const struct line lines[] = { LOGIN };
	struct pst_err err = PST_ERR_INIT;
	struct stage s;

	STAGE(&s, lines);
	s.op.end_ms = 0;
	cr_assert_eq(call(&s, "A", &err), PST_ETIMEOUT);
	s.op.end_ms = pst_mono_ms() + 20000;
	atomic_store(&s.op.cancelled, true);
	cr_assert_eq(call(&s, "A", &err), PST_ECLOSED);
	cr_assert_eq(vim_op_pause(&s.op, 20000, &err), PST_ECLOSED);
	stage_end(&s, 0);
}

#define OBJECT(id) "<objects><obj type=\"VirtualMachine\">" id "</obj><propSet><name>name</name><val>n" id "</val></propSet></objects>"

static int join(const struct vim_ref *object, const struct soap_node *content, void *arg, struct pst_err *err)
{
	strcat(arg, object->id);
	strcat(arg, property_of(content, "name")->text);
	return 0;
}

static const char *const paths[] = { "name", NULL };
static const struct vim_ref folder = { "Folder", "f" };
static const struct property_set children = { .object = &folder, .children = "VirtualMachine", .paths = paths };

Test(vim, pages_are_read_to_the_last)
{
	static const struct line lines[] = { LOGIN,
		{ "RetrievePropertiesEx", 200, BODY("<Response><returnval><token>t&amp;1</token>" OBJECT("1") OBJECT("2") "</returnval></Response>") },
		{ "ContinueRetrievePropertiesEx", 200, BODY("<Response><returnval><token>2</token>" OBJECT("3") "</returnval></Response>") },
		{ "ContinueRetrievePropertiesEx", 200, BODY("<Response><returnval>" OBJECT("4") "</returnval></Response>") },
		{ "RetrievePropertiesEx", 200, BODY("<Response/>") } };
	struct pst_err err = PST_ERR_INIT;
	char seen[256] = "";
	struct stage s;

	STAGE(&s, lines);
	cr_assert_eq(property_each(&s.op, &children, join, seen, &err), 0, "%s", err.text);
	cr_assert_str_eq(seen, "1n12n23n34n4");
	cr_assert_eq(property_each(&s.op, &children, join, seen, &err), 0, "an empty folder: %s", err.text);
	stage_end(&s, 6);
}

Test(vim, pages_that_lead_nowhere_end)
{
	static const struct line lines[] = { LOGIN, { "RetrievePropertiesEx", 200, BODY("<Response><returnval><token>1</token></returnval></Response>") },
		{ "RetrievePropertiesEx", 200, BODY("<Response><returnval><token>1</token>" OBJECT("1") "</returnval></Response>") },
		{ "ContinueRetrievePropertiesEx", 500, FAULT("InvalidProperty") },
		{ "RetrievePropertiesEx", 200, BODY("<Response><returnval><objects><obj>1</obj></objects></returnval></Response>") },
		{ "RetrievePropertiesEx", 200, BODY("<Response><returnval></returnval></Response>") } };
	struct pst_err err = PST_ERR_INIT;
	const struct soap_node *object;
	char seen[256] = "";
	struct stage s;

	STAGE(&s, lines);
	cr_assert_eq(property_each(&s.op, &children, join, seen, &err), PST_EPROTO, "%s", err.text);
	cr_assert_eq(property_each(&s.op, &children, join, seen, &err), PST_EINVAL, "%s", err.text);
	cr_assert_eq(property_each(&s.op, &children, join, seen, &err), PST_EPROTO, "%s", err.text);
	cr_assert_null(property_get(&s.op, &(struct property_set){ .object = &vm, .paths = paths }, &object, &err));
	cr_assert_eq(err.code, PST_ENOTFOUND);
	stage_end(&s, 7);
}

#define TASK(state, more)                                                                                                           \
	BODY("<Response><returnval><objects><obj type=\"Task\">t</obj><propSet><name>info.state</name><val>" state "</val></propSet>" more \
	     "</objects></returnval></Response>")
#define UPDATE(v) BODY("<Response><returnval><version>" v "</version><filterSet/></returnval></Response>")

static int run_task(struct stage *s, struct vim_ref *ret, struct pst_err *err)
{
	return task_run(&s->op, &(struct vim_call){ .method = "X_Task", .self = &vm }, "doing it", ret, err);
}

Test(vim, tasks_are_followed_to_their_end)
{
	static const struct line lines[] = { LOGIN, { "X_Task", 200, REF("Task", "t") },
		{ "RetrievePropertiesEx", 200, TASK("queued", "") }, { "CreatePropertyCollector", 200, REF("PropertyCollector", "p") },
		{ "CreateFilter", 200, REF("PropertyFilter", "f") }, { "WaitForUpdatesEx", 200, UPDATE("1") },
		{ "RetrievePropertiesEx", 200, TASK("running", "") }, { "WaitForUpdatesEx", 200, EMPTY },
		{ "RetrievePropertiesEx", 200,
			TASK("success", "<propSet><name>info.result</name><val type=\"VirtualMachine\">vm-9</val></propSet>") },
		{ "DestroyPropertyCollector", 200, EMPTY } };
	struct pst_err err = PST_ERR_INIT;
	struct vim_ref result;
	struct stage s;

	STAGE(&s, lines);
	cr_assert_eq(run_task(&s, &result, &err), 0, "%s", err.text);
	cr_assert_str_eq(result.id, "vm-9");
	stage_end(&s, 11);
}

/* Whoever is to wait for news says at once that there are none. */
static bool serve_hastily(struct http_peer *p, unsigned n, int fd)
{
	static const struct {
		const char *method, *body;
	} answers[] = { { "RetrieveServiceContent", CONTENT }, { "X_Task", REF("Task", "t") }, { "RetrievePropertiesEx", TASK("running", "") },
		{ "CreatePropertyCollector", REF("PropertyCollector", "p") }, { "CreateFilter", REF("PropertyFilter", "f") }, { "", EMPTY } };
	char method[64];
	size_t i = 0;

	(void)n;
	do
		snprintf(method, sizeof(method), "<%s", answers[i].method);
	while (!strstr(p->request, method) && ++i < sizeof(answers) / sizeof(answers[0]) - 1);
	http_peer_answer(fd, 200, strstr(p->request, "<Login ") ? "Set-Cookie: s=1\r\n" : "", answers[i].body);
	return false;
}

Test(vim, a_server_that_does_not_wait_is_not_asked_all_the_time)
{
	static const struct line none[] = { { "", 0, NULL } };
	struct pst_err err = PST_ERR_INIT;
	struct stage s;

	STAGE(&s, none);
	s.peer.serve = serve_hastily;
	s.op.end_ms = pst_mono_ms() + 1500;
	cr_assert_eq(run_task(&s, NULL, &err), PST_ETIMEOUT, "%s", err.text);
	cr_assert_lt(s.peer.served, 30, "%u calls", s.peer.served);
	http_peer_stop(&s.peer);
	vim_destroy(s.vim);
	tree_remove(s.dir, &err);
}

Test(vim, a_task_without_updates_is_asked_again)
{
	static const struct line lines[] = { LOGIN, { "X_Task", 200, REF("Task", "t") },
		{ "RetrievePropertiesEx", 200, TASK("running", "") }, { "CreatePropertyCollector", 500, FAULT("NotSupported") },
		{ "RetrievePropertiesEx", 200,
			TASK("error", "<propSet><name>info.error</name><val><fault xsi:type=\"NoDiskSpace\"/>"
				      "<localizedMessage>full</localizedMessage></val></propSet>") } };
	struct pst_err err = PST_ERR_INIT;
	struct stage s;

	STAGE(&s, lines);
	cr_assert_eq(run_task(&s, NULL, &err), PST_ENOSPC, "%s", err.text);
	cr_assert_not_null(strstr(err.text, "doing it: NoDiskSpace: full"), "%s", err.text);
	stage_end(&s, 6);
}

Test(vim, a_refused_task_says_what_it_was_for)
{
	static const struct line lines[] = { LOGIN, { "X_Task", 500, FAULT("NoPermission") }, { "X_Task", 200, EMPTY } };
	struct pst_err err = PST_ERR_INIT;
	struct stage s;

	STAGE(&s, lines);
	cr_assert_eq(run_task(&s, NULL, &err), PST_EDENIED);
	cr_assert_not_null(strstr(err.text, "doing it: "), "%s", err.text);
	cr_assert_eq(run_task(&s, NULL, &err), PST_EPROTO, "no task at all: %s", err.text);
	stage_end(&s, 4);
}
