/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands of the broker, from JSON to the answer. */
#include "broker/hypervisor/job.h"

#include "base/json.h"
#include "base/loop.h"
#include "broker/hypervisor/fake.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define A "1b4e28ba-2fa1-41d2-883f-0016d3cca427"
#define CREATE "{\"op\":\"create\",\"task\":\"" A "\",\"desktop\":\"" A "\",\"provider\":\"%s\",\"image\":" \
	"{\"name\":\"d\",\"version\":\"1\",\"base\":\"host\",\"path\":\"/i\"},\"spec\":{}}"

static json_t *run(struct driver **drivers, const char *text, int *ret_rc)
{
	struct pst_err err = PST_ERR_INIT;
	struct job job = { .drivers = drivers, .drivers_n = 1 };
	json_t *msg = pst_json_parse(text, strlen(text), 8, &err), *reply;

	cr_assert_not_null(msg, "%s", err.text);
	*ret_rc = job_parse(&job, msg, &err);
	if (*ret_rc < 0) {
		reply = job_refusal(&err);
	} else {
		job_run(&job);
		*ret_rc = job.rc;
		reply = job.rc < 0 ? job_refusal(&job.err) : job_reply(&job);
	}
	job_finish(&job);
	json_decref(msg);
	return reply;
}

Test(job, commands_answer_as_the_broker_expects)
{
	struct driver_params p = { .name = "here", .data = "/", .libexec = "/" };
	struct pst_err err = PST_ERR_INIT;
	struct driver *d;
	uv_loop_t loop;
	char text[512];
	json_t *reply;
	int rc;

	uv_loop_init(&loop);
	p.loop = &loop;
	d = driver_open(&driver_fake, &p, &err);
	snprintf(text, sizeof(text), CREATE, "elsewhere");
	reply = run(&d, text, &rc);
	cr_assert_eq(rc, PST_EINVAL);
	cr_assert(!json_is_true(json_object_get(json_object_get(reply, "error"), "retryable")));
	json_decref(reply);
	snprintf(text, sizeof(text), CREATE, "here");
	reply = run(&d, text, &rc);
	cr_assert_eq(rc, 0);
	cr_assert_str_eq(pst_json_str(json_object_get(reply, "endpoint"), "kind", 16), "unix");
	cr_assert_gt(pst_json_int(reply, "uid", 0, INT32_MAX, 0), 0);
	json_decref(reply);
	reply = run(&d, "{\"op\":\"inventory\"}", &rc);
	json_t *m = json_array_get(json_object_get(reply, "machines"), 0);
	cr_assert_str_eq(pst_json_str(m, "desktop", 64), A);
	cr_assert_str_eq(pst_json_str(m, "state", 64), "running");
	cr_assert_str_eq(pst_json_str(m, "image", 64), "d:1");
	json_decref(reply);
	fake_fail_next(d, 1, PST_EIO);
	reply = run(&d, "{\"op\":\"destroy\",\"task\":\"" A "\",\"desktop\":\"" A "\"}", &rc);
	cr_assert_eq(rc, PST_EIO);
	cr_assert(json_is_true(json_object_get(json_object_get(reply, "error"), "retryable")));
	json_decref(reply);
	reply = run(&d, "{\"op\":\"destroy\",\"task\":\"" A "\",\"desktop\":\"" A "\"}", &rc);
	cr_assert_eq(rc, 0);
	json_decref(reply);
	reply = run(&d, "{\"op\":\"restart\",\"task\":\"" A "\",\"desktop\":\"" A "\",\"refresh\":true}", &rc);
	cr_assert_eq(rc, PST_ENOTFOUND);
	json_decref(reply);
	driver_close(d);
	pst_loop_drain(&loop);
}

/* One hypervisor that cannot be asked holds up none of the others. */
Test(job, a_provider_that_fails_is_named_and_the_others_are_listed)
{
	struct driver_params p = { .data = "/", .libexec = "/" };
	struct driver *drivers[2];
	struct pst_err err = PST_ERR_INIT;
	struct job job = { .kind = JOB_HELLO, .drivers = drivers, .drivers_n = 2 };
	uv_loop_t loop;
	char text[512];
	json_t *msg, *reply;

	uv_loop_init(&loop);
	p.loop = &loop;
	for (int i = 0; i < 2; i++) {
		p.name = i ? "there" : "here";
		drivers[i] = driver_open(&driver_fake, &p, &err);
	}
	snprintf(text, sizeof(text), CREATE, "there");
	msg = pst_json_parse(text, strlen(text), 8, &err);
	job.kind = JOB_CREATE;
	cr_assert_eq(job_parse(&job, msg, &err), 0);
	job_run(&job);
	cr_assert_eq(job.rc, 0);
	job.kind = JOB_INVENTORY;
	fake_fail_next(drivers[0], 1, PST_ECLOSED);
	job_run(&job);
	cr_assert_eq(job.rc, 0);
	reply = job_reply(&job);
	cr_expect_eq(json_array_size(json_object_get(reply, "machines")), 1);
	cr_expect_str_eq(json_string_value(json_array_get(json_object_get(reply, "unlisted"), 0)), "here");
	json_decref(reply);
	job_finish(&job);
	json_decref(msg);
	fake_fail_next(drivers[0], 1, PST_ECLOSED);
	snprintf(text, sizeof(text), "{\"op\":\"destroy\",\"desktop\":\"%s\",\"provider\":\"there\"}", A);
	msg = pst_json_parse(text, strlen(text), 8, &err);
	memset(&job, 0, sizeof(job));
	job.drivers = drivers;
	job.drivers_n = 2;
	cr_assert_eq(job_parse(&job, msg, &err), 0);
	job_run(&job);
	cr_expect_eq(job.rc, 0, "the other provider is not even asked");
	job_finish(&job);
	json_decref(msg);
	for (int i = 0; i < 2; i++)
		driver_close(drivers[i]);
	pst_loop_drain(&loop);
}

/* Of the hosts whose machines are not in the list the broker knows nothing, and is told so. */
Test(job, hosts_and_networks_are_told)
{
	struct driver_params p = { .name = "here", .data = "/", .libexec = "/" };
	struct pst_err err = PST_ERR_INIT;
	struct job job = { .kind = JOB_HELLO, .drivers_n = 1 };
	struct driver *d;
	uv_loop_t loop;
	json_t *reply, *host, *network;
	char *before, *after, text[512];
	int rc;

	uv_loop_init(&loop);
	p.loop = &loop;
	d = driver_open(&driver_fake, &p, &err);
	job.drivers = &d;
	snprintf(text, sizeof(text), CREATE, "here");
	reply = run(&d, text, &rc);
	cr_expect_str_eq(pst_json_str(reply, "host", 64), "one");
	json_decref(reply);
	job_run(&job);
	before = job_health_text(&job);
	job_finish(&job);
	fake_host_silent(d, "two", true);
	job_run(&job);
	after = job_health_text(&job);
	reply = job_reply(&job);
	cr_expect_str_neq(before, after);
	cr_expect_str_eq(pst_json_str(json_array_get(json_object_get(reply, "machines"), 0), "host", 64), "one");
	cr_expect_eq(json_array_size(json_object_get(reply, "machines")), 1);
	cr_expect_eq(json_array_size(json_object_get(reply, "unlisted")), 0);
	host = json_array_get(json_object_get(reply, "hosts"), 1);
	cr_expect_str_eq(pst_json_str(host, "provider", 64), "here");
	cr_expect_str_eq(pst_json_str(host, "name", 64), "two");
	cr_expect(json_is_false(json_object_get(host, "usable")));
	cr_expect(json_is_false(json_object_get(host, "listed")));
	cr_expect(json_is_true(json_object_get(json_array_get(json_object_get(reply, "hosts"), 0), "listed")));
	network = json_array_get(json_object_get(json_array_get(json_object_get(reply, "providers"), 0), "networks"), 0);
	cr_expect_str_eq(pst_json_str(network, "name", 64), FAKE_NETWORK);
	json_decref(reply);
	job_finish(&job);
	free(before);
	free(after);
	fake_hosts_fail(d, true);
	job_run(&job);
	reply = job_reply(&job);
	cr_expect_eq(json_array_size(json_object_get(reply, "machines")), 0, "which hosts' machines are lacking is not known");
	cr_expect_str_eq(json_string_value(json_array_get(json_object_get(reply, "unlisted"), 0)), "here");
	json_decref(reply);
	job_finish(&job);
	driver_close(d);
	pst_loop_drain(&loop);
}

/* The fake's console is a path where nobody listens. */
Test(job, a_console_is_dialled_for_the_broker)
{
	struct driver_params p = { .name = "here", .data = "/", .libexec = "/" };
	struct pst_err err = PST_ERR_INIT;
	struct driver *d;
	uv_loop_t loop;
	char text[512];
	int rc;

	uv_loop_init(&loop);
	p.loop = &loop;
	d = driver_open(&driver_fake, &p, &err);
	json_decref(run(&d, "{\"op\":\"console\",\"desktop\":\"" A "\",\"provider\":\"here\"}", &rc));
	cr_assert_eq(rc, PST_ENOTFOUND, "there is no such machine");
	snprintf(text, sizeof(text), CREATE, "here");
	json_decref(run(&d, text, &rc));
	json_t *reply = run(&d, "{\"op\":\"console\",\"desktop\":\"" A "\",\"provider\":\"here\"}", &rc);
	cr_assert_eq(rc, PST_ENOTFOUND);
	cr_assert(strstr(pst_json_str(json_object_get(reply, "error"), "title", 512), "console.sock"));
	json_decref(reply);
	driver_close(d);
	pst_loop_drain(&loop);
}

#define DISK "\"desktop\":\"" A "\",\"provider\":\"here\",\"owner\":\"" A "\",\"disk\":\"files\""

Test(job, personal_disks_are_attached_detached_and_forgotten)
{
	static const struct {
		const char *text;
		int rc;
	} cases[] = {
		{ "{\"op\":\"attach\"," DISK ",\"size_mb\":64}", PST_ENOTFOUND },
		{ NULL, 0 },
		{ "{\"op\":\"attach\"," DISK "}", PST_EINVAL },
		{ "{\"op\":\"attach\"," DISK ",\"size_mb\":64,\"store\":\"fast\"}", 0 },
		{ "{\"op\":\"forget_disk\",\"provider\":\"here\",\"owner\":\"" A "\",\"disk\":\"files\"}", PST_EBUSY },
		{ "{\"op\":\"detach\"," DISK "}", 0 },
		{ "{\"op\":\"detach\"," DISK "}", 0 },
		{ "{\"op\":\"forget_disk\",\"provider\":\"here\",\"owner\":\"" A "\",\"disk\":\"files\",\"keep_ms\":1000}", 0 },
		{ "{\"op\":\"forget_disk\",\"provider\":\"here\",\"owner\":\"..\",\"disk\":\"files\"}", PST_EINVAL },
		{ "{\"op\":\"attach\",\"desktop\":\"" A "\",\"provider\":\"here\",\"disk\":\"files\"}", PST_EINVAL },
		{ "{\"op\":\"detach\",\"desktop\":\"" A "\",\"owner\":\"" A "\",\"disk\":\"files\"}", PST_EINVAL },
	};
	struct driver_params p = { .name = "here", .data = "/", .libexec = "/" };
	struct pst_err err = PST_ERR_INIT;
	struct driver *d;
	uv_loop_t loop;
	char text[512];
	int rc;

	uv_loop_init(&loop);
	p.loop = &loop;
	d = driver_open(&driver_fake, &p, &err);
	snprintf(text, sizeof(text), CREATE, "here");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		json_decref(run(&d, cases[i].text ? cases[i].text : text, &rc));
		cr_expect_eq(rc, cases[i].rc, "%s: %d", cases[i].text, rc);
	}
	driver_close(d);
	pst_loop_drain(&loop);
}

Test(job, strange_messages_are_refused)
{
	static const char *const texts[] = { "{}", "{\"op\":7}", "{\"op\":\"explode\"}", "{\"op\":\"create\"}",
		"{\"op\":\"destroy\",\"desktop\":\"/etc\"}", "{\"op\":\"destroy\"}", "{\"op\":\"console\",\"desktop\":\"" A "\"}", "{\"op\":\"restart\",\"refresh\":1}" };
	struct driver *none = NULL;
	int rc;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_decref(run(&none, texts[i], &rc));
		cr_assert_lt(rc, 0, "%s", texts[i]);
	}
}
