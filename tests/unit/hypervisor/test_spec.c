/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is asked of an engine, and what of its answers is believed. */
#include "broker/hypervisor/container/spec.h"

#include "base/json.h"
#include "base/text.h"
#include "tests/unit/hypervisor/contract.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INSTANCE "0123456789abcdef"

static const struct spec_site site = { .instance = INSTANCE, .network = "bridge", .libexec = "/usr/libexec/puesto", .agents = "/data/run/agents",
	.gateway_uid = 77 };

static const char *text_at(const json_t *o, const char *a, const char *b)
{
	return json_string_value(json_object_get(json_object_get(o, a), b));
}

Test(spec, a_desktop_gets_limits_and_no_privilege)
{
	struct machine_request r;
	json_t *o, *host;
	char *text;

	contract_request(&r, "ref:desk:1");
	o = spec_create(&site, &r, 5000, "desk:1", "/data/containers/x/run");
	cr_assert_not_null(o);
	host = json_object_get(o, "HostConfig");
	cr_assert_eq(json_integer_value(json_object_get(host, "Memory")), 256ll << 20);
	cr_assert_eq(json_integer_value(json_object_get(host, "MemorySwap")), 256ll << 20, "no swap beyond it");
	cr_assert_eq(json_integer_value(json_object_get(host, "NanoCpus")), 1000000000);
	cr_assert_eq(json_integer_value(json_object_get(host, "PidsLimit")), 100);
	cr_assert_str_eq(json_string_value(json_object_get(host, "NetworkMode")), "none");
	cr_assert_str_eq(json_string_value(json_array_get(json_object_get(host, "CapDrop"), 0)), "ALL");
	cr_assert_str_eq(json_string_value(json_array_get(json_object_get(host, "SecurityOpt"), 0)), "no-new-privileges");
	cr_assert_str_eq(json_string_value(json_array_get(json_object_get(host, "Binds"), 0)), "/data/containers/x/run:/run/puesto:rw");
	cr_assert_str_eq(json_string_value(json_array_get(json_object_get(host, "Binds"), 2)), "/usr/libexec/puesto:/usr/libexec/puesto:ro");
	cr_assert_eq(json_array_size(json_object_get(host, "Binds")), 3);
	cr_assert_str_eq(json_string_value(json_object_get(o, "User")), "5000:5000");
	cr_assert_str_eq(text_at(o, "Labels", "org.puesto.uid"), "5000");
	text = json_dumps(o, 0);
	cr_assert_null(strstr(text, "token"), "whoever may look at containers does not read tokens");
	free(text);
	json_decref(o);
	pst_strlcpy(r.network, sizeof(r.network), "host");
	o = spec_create(&site, &r, 5000, "desk:1", "/run");
	cr_assert_str_eq(text_at(o, "HostConfig", "NetworkMode"), "bridge");
	json_decref(o);
}

Test(spec, the_last_request_is_in_the_labels)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r, back;
	const char *image;
	json_t *o;

	contract_request(&r, "ref:desk:1");
	o = spec_create(&site, &r, 5000, "desk:1", "/run");
	cr_assert_eq(spec_request(json_object_get(o, "Labels"), &back, &err), 0, "%s", err.text);
	cr_assert_str_eq(back.image_base, "ref:desk:1");
	cr_assert_eq(back.memory_mb, 256);
	cr_assert_eq(spec_image(&back, &image, &err), 0);
	cr_assert_str_eq(image, "desk:1");
	json_object_set_new(json_object_get(o, "Labels"), "org.puesto.request", json_string("{}"));
	cr_assert_lt(spec_request(json_object_get(o, "Labels"), &back, &err), 0);
	json_object_clear(json_object_get(o, "Labels"));
	cr_assert_lt(spec_request(json_object_get(o, "Labels"), &back, &err), 0);
	json_decref(o);
	contract_request(&r, "/golden.qcow2");
	cr_assert_eq(spec_image(&r, &image, &err), PST_EUNSUPPORTED);
}

#define DESKTOP "1b4e28ba-2fa1-41d2-883f-0016d3cca427"
#define TASK "2b4e28ba-2fa1-41d2-883f-0016d3cca427"
#define LATER "3b4e28ba-2fa1-41d2-883f-0016d3cca427"
#define LABELS(instance, desktop, uid) \
	"\"Labels\":{\"org.puesto.instance\":\"" instance "\",\"org.puesto.desktop\":\"" desktop "\",\"org.puesto.task\":\"" TASK \
	"\",\"org.puesto.image\":\"demo:1\",\"org.puesto.uid\":\"" uid "\"}"
#define OURS LABELS(INSTANCE, DESKTOP, "5000")
#define ITEM(name, state, labels) "{\"Id\":\"abc1\",\"Names\":[\"/" name "\"],\"State\":\"" state "\"," labels "}"

Test(spec, a_list_is_read_with_suspicion)
{
	static const struct {
		const char *text;
		bool ours, off, next;
		enum spec_phase phase;
		const char *task;
	} cases[] = {
		{ ITEM("puesto-" DESKTOP "." LATER, "running", OURS), true, false, false, SPEC_RUNNING, LATER },
		{ ITEM("puesto-" DESKTOP "." LATER ".off", "exited", OURS), true, true, false, SPEC_ENDED, LATER },
		{ ITEM("puesto-" DESKTOP ".next", "created", OURS), true, false, true, SPEC_MADE, TASK },
		{ ITEM("puesto-" DESKTOP "." LATER, "paused", OURS), true, false, false, SPEC_PAUSED, LATER },
		{ ITEM("puesto-" DESKTOP "." LATER, "a word of tomorrow", OURS), true, false, false, SPEC_ENDED, LATER },
		{ ITEM("puesto-" DESKTOP "." LATER, "running", LABELS("ffffffffffffffff", DESKTOP, "5000")), .ours = false },
		{ ITEM("puesto-" DESKTOP "." LATER, "running", LABELS(INSTANCE, "../../etc", "5000")), .ours = false },
		{ ITEM("puesto-" DESKTOP "." LATER, "running", LABELS(INSTANCE, DESKTOP, "0")), .ours = false },
		{ ITEM("puesto-" DESKTOP "." LATER, "running", LABELS(INSTANCE, DESKTOP, "-1")), .ours = false },
		{ ITEM("puesto-" DESKTOP "." LATER, "running", "\"Labels\":null"), .ours = false },
		{ ITEM("puesto-" DESKTOP ".x", "running", OURS), .ours = false },
		{ ITEM("puesto-" DESKTOP "." LATER ".of", "running", OURS), .ours = false },
		{ ITEM("puesto-" LATER "." LATER, "running", OURS), .ours = false },
		{ ITEM("puesto-" DESKTOP, "running", OURS), .ours = false },
		{ ITEM("x", "running", OURS), .ours = false },
		{ "{\"Id\":\"../x\",\"Names\":[\"/puesto-" DESKTOP ".next\"],\"State\":\"running\"," OURS "}", .ours = false },
		{ "{\"Id\":\"abc1\",\"Names\":[1,null,\"/puesto-" DESKTOP ".next\"],\"State\":\"running\"," OURS "}", true, false, true, SPEC_RUNNING, TASK },
		{ "{\"Id\":\"abc1\",\"Names\":{},\"State\":7," OURS "}", .ours = false },
		{ "[]", .ours = false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct spec_view v;
		json_t *o = pst_json_parse(cases[i].text, strlen(cases[i].text), 8, NULL);

		cr_assert_not_null(o, "%zu", i);
		cr_assert_eq(spec_view(o, INSTANCE, &v), cases[i].ours, "%zu", i);
		if (cases[i].ours) {
			cr_assert_str_eq(v.desktop, DESKTOP);
			cr_assert_str_eq(v.task, cases[i].task);
			cr_assert(v.off == cases[i].off && v.next == cases[i].next && v.phase == cases[i].phase && v.uid == 5000, "%zu", i);
		}
		json_decref(o);
	}
}

Test(spec, names_say_what_was_meant)
{
	char name[SPEC_NAME_SIZE], filter[512];

	spec_name(name, DESKTOP, TASK, true);
	cr_assert_str_eq(name, "puesto-" DESKTOP "." TASK ".off");
	spec_name(name, DESKTOP, NULL, false);
	cr_assert_str_eq(name, "puesto-" DESKTOP ".next");
	cr_assert_eq(spec_filter(filter, sizeof(filter), INSTANCE, DESKTOP), 0);
	cr_assert_not_null(strstr(filter, "org.puesto.desktop%3D" DESKTOP), "%s", filter);
	cr_assert_lt(spec_filter(filter, 10, INSTANCE, NULL), 0);
}

Test(spec, an_end_has_a_reason)
{
	static const struct {
		const char *state, *tail, *words;
		int64_t booted_ms;
		bool stopped;
	} cases[] = {
		{ "{\"ExitCode\":1,\"StartedAt\":\"2026-01-02T03:04:05.123456789Z\"}", "the X server did not start", "the X server did not start", 0, false },
		{ "{\"ExitCode\":137,\"OOMKilled\":true}", "", "more memory", 0, false },
		{ "{\"ExitCode\":127,\"Error\":\"exec: not found\"}", "", "exec: not found", 0, false },
		{ "{\"ExitCode\":255,\"StartedAt\":\"2026-01-02T03:04:05Z\"}", "", "was restarted", 1800000000000, true },
		{ "{\"ExitCode\":255,\"StartedAt\":\"2026-01-02T03:04:05Z\"}", "", "status 255", 1700000000000, false },
		{ "{\"ExitCode\":0,\"StartedAt\":\"0001-01-01T00:00:00Z\"}", "", "status 0", 1800000000000, false },
		{ "{\"ExitCode\":\"x\",\"StartedAt\":[]}", "", "status 255", 1, false },
	};
	char out[MACHINE_REASON_SIZE], text[400];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "{\"State\":%s}", cases[i].state);
		json_t *o = pst_json_parse(text, strlen(text), 8, NULL);

		cr_assert_eq(spec_ended(o, cases[i].booted_ms, cases[i].tail, out), cases[i].stopped, "%zu", i);
		cr_assert_not_null(strstr(out, cases[i].words), "%zu: %s", i, out);
		json_decref(o);
	}
}

Test(spec, a_log_is_cut_at_its_beginning_and_harmless)
{
	char out[16];

	spec_log_text("\1\0\0\0\0\0\0\4one\n\2\0\0\0\0\0\0\3two", 23, out, sizeof(out));
	cr_assert_str_eq(out, "one;two");
	spec_log_text("\1\0\0\0\xff\xff\xff\xff" "cut", 11, out, sizeof(out));
	cr_assert_str_eq(out, "cut");
	spec_log_text("plain \x1b[2J\xc3\xb1", 12, out, sizeof(out));
	cr_assert_str_eq(out, "plain  [2J  ");
	spec_log_text("0123456789abcdefghij", 20, out, sizeof(out));
	cr_assert_str_eq(out, "56789abcdefghij");
	spec_log_text("", 0, out, sizeof(out));
	cr_assert_str_eq(out, "");
}
