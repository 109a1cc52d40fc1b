/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The calls against an engine that answers as Docker, as Podman, or as nobody should. */
#include "broker/hypervisor/container/engine.h"

#include "base/clock.h"
#include "tests/unit/fine.h"
#include "tests/unit/hypervisor/http_peer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct answer {
	int status;
	const char *body;
};

static char dir[64];

static bool serve(struct http_peer *p, unsigned n, int fd)
{
	const struct answer *answers = p->arg;

	http_peer_answer(fd, answers[n].status, "", answers[n].body);
	return true;
}

struct stage {
	struct http_peer peer;
	struct engine_op op;
};

static void stage_begin(struct stage *s, const struct answer *answers)
{
	struct http_params params = { .timeout_ms = 20000, .connect_ms = 5000 };
	struct pst_err err = PST_ERR_INIT;

	memset(s, 0, sizeof(*s));
	snprintf(dir, sizeof(dir), "/tmp/puesto-engine-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	s->peer.serve = serve;
	s->peer.arg = (void *)answers;
	http_peer_start(&s->peer, dir);
	params.socket = s->peer.socket;
	s->op = (struct engine_op){ .http = http_create(&params, &err), .owner = "desktop", .end_ms = pst_mono_ms() + 20000 };
	cr_assert_not_null(s->op.http, "%s", err.text);
}

static void stage_end(struct stage *s)
{
	http_destroy(s->op.http);
	http_peer_stop(&s->peer);
	rmdir(dir);
}

Test(engine, what_is_so_already_is_done)
{
	static const struct answer answers[] = { { 304, "" }, { 304, "" }, { 404, "{\"message\":\"no such container\"}" },
		{ 404, "{\"message\":\"no such image\"}" }, { 204, "" } };
	struct pst_err err = PST_ERR_INIT;
	struct stage s;

	stage_begin(&s, answers);
	FINE(engine_start(&s.op, "a", &err));
	FINE(engine_stop(&s.op, "a", 3, &err));
	cr_assert_not_null(strstr(s.peer.request, "POST /v1.41/containers/a/stop?t=3 HTTP/1.1"), "%s", s.peer.request);
	FINE(engine_remove(&s.op, "a", &err));
	FINE(engine_image_remove(&s.op, "localhost/x:y", &err));
	cr_assert_null(strstr(s.peer.request, "force"), "force would take a container along");
	cr_assert_eq(engine_rename(&s.op, "a", "b", &err), 0, "%s", err.text);
	stage_end(&s);
}

Test(engine, refusals_are_read_in_both_dialects)
{
	static const struct answer answers[] = {
		{ 409, "{\"message\":\"Conflict. The container name is already in use\"}" },
		{ 500, "{\"cause\":\"that name is already in use\",\"message\":\"the container name \\\"a\\\" is already in use by b\",\"response\":500}" },
		{ 404, "{\"message\":\"No such image: x\"}" },
		{ 500, "{\"message\":\"write /x: no space left on device\"}" },
		{ 400, "{\"message\":\"bad \\u001b[31mparameter\"}" },
		{ 500, "<html>" },
	};
	static const int codes[] = { PST_ECONFLICT, PST_ECONFLICT, PST_ENOTFOUND, PST_ENOSPC, PST_EINVAL, PST_EIO };
	struct pst_err err = PST_ERR_INIT;
	json_t *body = json_object();
	struct stage s;

	stage_begin(&s, answers);
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		cr_assert_eq(engine_create(&s.op, "a", body, &err), codes[i], "%zu: %s", i, err.text);
		cr_assert_null(strchr(err.text, 0x1b));
	}
	json_decref(body);
	stage_end(&s);
}

Test(engine, what_is_no_answer_is_no_list)
{
	static const struct answer answers[] = { { 200, "{}" }, { 200, "" }, { 200, "null" }, { 200, "[{]" }, { 200, "[]" }, { 200, "[]" },
		{ 200, "{\"MemTotal\":-1,\"SecurityOptions\":[7,\"name=seccomp\",\"name=rootless\"],\"ServerVersion\":5}" } };
	struct pst_err err = PST_ERR_INIT;
	struct engine_info info;
	struct stage s;

	stage_begin(&s, answers);
	for (int i = 0; i < 4; i++)
		cr_assert_null(engine_list(&s.op, "x", &err), "%d", i);
	json_t *list = engine_list(&s.op, "x", &err);
	cr_assert_not_null(list, "%s", err.text);
	json_decref(list);
	cr_assert_eq(engine_info(&s.op, &info, &err), PST_EPROTO);
	cr_assert_eq(engine_info(&s.op, &info, &err), 0);
	cr_assert(info.rootless && info.memory_mb == 0 && !info.memory);
	stage_end(&s);
}

static bool is_wanted(void *arg)
{
	return *(const bool *)arg;
}

Test(engine, an_export_goes_into_a_file_up_to_a_ceiling)
{
	static const struct answer answers[] = { { 200, "0123456789" }, { 200, "0123456789" }, { 200, "0123456789" },
		{ 404, "{\"message\":\"no such container\"}" } };
	bool yes = true, no = false;
	struct pst_err err = PST_ERR_INIT;
	char text[20] = "";
	int fd = memfd_create("export", MFD_CLOEXEC);
	struct stage s;

	stage_begin(&s, answers);
	FINE(engine_export(&s.op, "a", fd, 10, is_wanted, &yes, &err));
	cr_assert_not_null(strstr(s.peer.request, "GET /v1.41/containers/a/export HTTP/1.1"), "%s", s.peer.request);
	cr_assert_eq(pread(fd, text, sizeof(text), 0), 10);
	cr_expect_str_eq(text, "0123456789");
	cr_expect_eq(engine_export(&s.op, "a", fd, 9, is_wanted, &yes, &err), PST_ELIMIT);
	cr_expect_eq(engine_export(&s.op, "a", fd, 10, is_wanted, &no, &err), PST_ECLOSED);
	cr_expect_eq(engine_export(&s.op, "a", fd, 10, is_wanted, &yes, &err), PST_ENOTFOUND, "a refusal's words are no files");
	cr_expect_eq(lseek(fd, 0, SEEK_END), 10);
	close(fd);
	stage_end(&s);
}

Test(engine, an_operation_ends_as_a_whole)
{
	static const struct answer answers[] = { { 204, "" } };
	struct pst_err err = PST_ERR_INIT;
	struct stage s;

	stage_begin(&s, answers);
	atomic_store(&s.op.cancelled, true);
	cr_assert_eq(engine_start(&s.op, "a", &err), PST_ECLOSED);
	atomic_store(&s.op.cancelled, false);
	s.op.end_ms = 0;
	cr_assert_eq(engine_start(&s.op, "a", &err), PST_ETIMEOUT);
	cr_assert_eq(s.peer.served, 0, "nothing is asked of the engine any more");
	stage_end(&s);
}

Test(engine, an_end_is_told_once)
{
	static const struct answer answers[] = {
		{ 200, "{\"Action\":\"die\",\"timeNano\":5}\nnoise\n{\"Action\":\"die\",\"timeNano\":7000000001}\n" },
		{ 200, "{\"Action\":\"die\",\"timeNano\":7000000001}\n" },
		{ 404, "{\"message\":\"no events\"}" },
	};
	struct pst_err err = PST_ERR_INIT;
	int64_t moment = 5;
	struct stage s;

	stage_begin(&s, answers);
	cr_assert_eq(engine_await_end(&s.op, "0123456789abcdef", &moment, &err), 0, "%s", err.text);
	cr_assert_eq(moment, 7000000001);
	s.peer.served = 1;
	cr_assert_eq(engine_await_end(&s.op, "0123456789abcdef", &moment, &err), PST_ECLOSED, "the same again is no news");
	cr_assert_not_null(strstr(s.peer.request, "/events?since=7&"), "%s", s.peer.request);
	cr_assert_eq(engine_await_end(&s.op, "0123456789abcdef", &moment, &err), PST_ENOTFOUND);
	stage_end(&s);
}
