/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Machine requests: what passes, what is refused, and that the record reads back. */
#include "broker/hypervisor/request.h"

#include "base/json.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define IDS "\"task\":\"1b4e28ba-2fa1-41d2-883f-0016d3cca427\",\"desktop\":\"1B4E28BA-2FA1-41D2-883F-0016D3CCA428\","
#define IMAGE "\"image\":{\"name\":\"demo\",\"version\":\"1\",\"base\":\"host\",\"path\":\"/i/demo/1\"},"
#define SPEC "\"spec\":{\"memory_mb\":512,\"cpus\":1.5,\"network\":\"none\",\"locale\":\"es_ES\",\"layout\":\"es\"}"

static int parse(const char *text, struct machine_request *r, struct pst_err *err)
{
	json_t *obj = pst_json_parse(text, strlen(text), 8, err);
	int rc;

	cr_assert_not_null(obj, "%s: %s", text, err->text);
	rc = request_parse(obj, r, err);
	json_decref(obj);
	return rc;
}

Test(request, a_full_one_is_read_and_defaults_are_filled)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;

	cr_assert_eq(parse("{" IDS IMAGE SPEC "}", &r, &err), 0, "%s", err.text);
	cr_assert_str_eq(r.desktop, "1b4e28ba-2fa1-41d2-883f-0016d3cca428", "one spelling of a uuid");
	cr_assert_str_eq(r.hostname, "desktop-1b4e28ba");
	cr_assert_eq(r.cpu_percent, 150);
	cr_assert_eq(r.pids, 512);
	cr_assert_eq(r.max_width, 3840);
	cr_assert_str_eq(r.network, "none");
	cr_assert(!request_has_network(&r));
}

Test(request, a_host_and_a_network_are_names)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r, back = { .network = "lab" };

	cr_assert_eq(parse("{" IDS "\"host\":\"kvm2\"," IMAGE "\"spec\":{\"network\":\"office_1\"}}", &r, &err), 0, "%s", err.text);
	cr_assert_str_eq(r.host, "kvm2");
	cr_assert_str_eq(r.network, "office_1");
	cr_assert(request_has_network(&r));
	request_merge(&back, &r);
	cr_assert_str_eq(back.network, "office_1", "a restart without a specification stays where it was");
}

Test(request, a_hypervisors_own_template_has_no_path)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;

	cr_assert_eq(parse("{" IDS "\"image\":{\"name\":\"d\",\"version\":\"1\",\"base\":\"ref:local/debian:12\",\"path\":\"\"},"
			   "\"spec\":{\"disk_mb\":8192}}", &r, &err), 0, "%s", err.text);
	cr_assert_str_eq(r.image_base, "ref:local/debian:12");
	cr_assert_eq(r.disk_mb, 8192);
	cr_assert_eq(parse("{" IDS "\"image\":{\"name\":\"d\",\"version\":\"1\",\"base\":\"iscsi://h:3260/iqn.a:b/1\",\"path\":\"\"}," SPEC "}", &r, &err), 0, "%s", err.text);
	cr_assert_str_eq(r.image_base, "iscsi://h:3260/iqn.a:b/1");
	cr_assert_str_eq(r.image_path, "");
}

Test(request, bad_ones_are_refused_by_the_name_of_the_field)
{
	static const struct {
		const char *text, *word;
	} cases[] = {
		{ "{}", "task" },
		{ "{\"task\":\"x\",\"desktop\":\"y\"}", "UUID" },
		{ "{" IDS IMAGE "\"spec\":[]}", "spec" },
		{ "{" IDS SPEC "}", "image" },
		{ "{" IDS "\"image\":{\"name\":\"../x\",\"version\":\"1\",\"base\":\"host\",\"path\":\"/i\"}," SPEC "}", "name" },
		{ "{" IDS "\"image\":{\"name\":\"d\",\"version\":\"1\",\"base\":\"host\",\"path\":\"/a,b\"}," SPEC "}", "path" },
		{ "{" IDS "\"image\":{\"name\":\"d\",\"version\":\"1\",\"base\":\"/a/../b\",\"path\":\"/a\"}," SPEC "}", "base" },
		{ "{" IDS "\"image\":{\"name\":\"d\",\"version\":\"1\",\"base\":\"iscsi://h/t,x/1\",\"path\":\"\"}," SPEC "}", "base" },
		{ "{" IDS "\"image\":{\"name\":\"d\",\"version\":\"1\",\"base\":\"nfs://h/../b\",\"path\":\"\"}," SPEC "}", "base" },
		{ "{" IDS "\"image\":{\"name\":\"d\",\"version\":\"1\",\"base\":\"ref:\",\"path\":\"/a\"}," SPEC "}", "base" },
		{ "{" IDS "\"image\":{\"name\":\"d\",\"version\":\"1\",\"base\":\"ref:a/../b\",\"path\":\"/a\"}," SPEC "}", "base" },
		{ "{" IDS "\"image\":{\"name\":\"d\",\"version\":\"1\",\"base\":\"ref:-x\",\"path\":\"/a\"}," SPEC "}", "base" },
		{ "{" IDS "\"image\":{\"name\":\"d\",\"version\":\"1\",\"base\":\"ref:a\",\"path\":\"b\"}," SPEC "}", "path" },
		{ "{" IDS IMAGE "\"spec\":{\"cpus\":0.01}}", "cpus" },
		{ "{" IDS IMAGE "\"spec\":{\"cpus\":\"many\"}}", "cpus" },
		{ "{" IDS IMAGE "\"spec\":{\"memory_mb\":1}}", "memory_mb" },
		{ "{" IDS IMAGE "\"spec\":{\"max_height\":65535}}", "max_height" },
		{ "{" IDS IMAGE "\"spec\":{\"layout\":\"us;reboot\"}}", "layout" },
		{ "{" IDS IMAGE "\"spec\":{\"network\":\"a/b\"}}", "network" },
		{ "{" IDS "\"host\":\"../kvm\"," IMAGE SPEC "}", "host" },
		{ "{" IDS "\"hostname\":\"-x\"," IMAGE SPEC "}", "hostname" },
		{ "{" IDS "\"enrol_token\":\"a b\"," IMAGE SPEC "}", "enrol_token" },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct pst_err err = PST_ERR_INIT;
		struct machine_request r;

		cr_assert_eq(parse(cases[i].text, &r, &err), PST_EINVAL, "%s", cases[i].text);
		cr_assert_not_null(strstr(err.text, cases[i].word), "\"%s\" for %s", err.text, cases[i].text);
	}
}

Test(request, the_record_reads_back_without_the_token)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_request a, b;

	cr_assert_eq(parse("{" IDS "\"enrol_token\":\"secret\"," IMAGE SPEC "}", &a, &err), 0, "%s", err.text);
	json_t *obj = request_json(&a);
	char *text = pst_json_text(obj, NULL);
	cr_assert_null(strstr(text, "secret"));
	cr_assert_eq(request_parse(obj, &b, &err), 0, "%s", err.text);
	a.enrol_token[0] = '\0';
	json_t *again = request_json(&b);
	cr_assert(json_equal(obj, again));
	free(text);
	json_decref(obj);
	json_decref(again);
}

Test(request, a_restart_takes_what_it_leaves_open_from_the_last_one)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_request old, r;
	json_t *obj;

	cr_assert_eq(parse("{" IDS IMAGE SPEC "}", &old, &err), 0, "%s", err.text);
	obj = pst_json_parse("{" IDS "\"enrol_token\":\"new\"}", strlen("{" IDS "\"enrol_token\":\"new\"}"), 4, &err);
	cr_assert_eq(request_parse_restart(obj, &r, &err), 0, "%s", err.text);
	request_merge(&r, &old);
	cr_assert_str_eq(r.image_path, "/i/demo/1");
	cr_assert_str_eq(r.enrol_token, "new");
	cr_assert_eq(r.memory_mb, 512);
	cr_assert_str_eq(r.layout, "es");
	json_decref(obj);
}

Test(request, a_token_begins_with_any_of_its_characters_and_is_never_shown)
{
	static const char *const tokens[] = { "-C3yogoIbemQ", "_b99xvPqPMzY", "abc" };
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;
	char text[1024];

	for (size_t i = 0; i < PST_ARRAY_LEN(tokens); i++) {
		snprintf(text, sizeof(text), "{" IDS "\"enrol_token\":\"%s\"," IMAGE SPEC "}", tokens[i]);
		cr_assert_eq(parse(text, &r, &err), 0, "%s", err.text);
		cr_assert_str_eq(r.enrol_token, tokens[i]);
	}
	cr_assert_eq(parse("{" IDS "\"enrol_token\":\"hidden word\"," IMAGE SPEC "}", &r, &err), PST_EINVAL);
	cr_assert_null(strstr(err.text, "hidden"), "%s", err.text);
}

Test(request, windows_and_a_pool_s_wish_are_shown_by_rdp)
{
	static const struct {
		const char *os, *display;
		int rc;
		bool is_windows, speaks_rdp;
	} cases[] = {
		{ "", "", 0, false, false },
		{ ",\"os\":\"linux\"", ",\"display\":\"image\"", 0, false, false },
		{ ",\"os\":\"windows\"", "", 0, true, true },
		{ ",\"os\":\"freebsd\"", ",\"display\":\"rdp\"", 0, false, true },
		{ "", ",\"display\":\"vnc\"", PST_EINVAL, false, false },
		{ ",\"os\":7", "", PST_EINVAL, false, false },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct machine_request r, back = { .task = "" };
		struct pst_err err = PST_ERR_INIT;
		char text[512];

		snprintf(text, sizeof(text), "{" IDS "\"image\":{\"name\":\"d\",\"version\":\"1\",\"base\":\"/i/d\",\"path\":\"/i\"%s},\"spec\":{\"memory_mb\":512%s}}",
			cases[i].os, cases[i].display);
		cr_assert_eq(parse(text, &r, &err), cases[i].rc, "case %zu: %s", i, err.text);
		if (cases[i].rc < 0)
			continue;
		cr_assert_eq(r.is_windows, cases[i].is_windows, "case %zu", i);
		cr_assert_eq(request_speaks_rdp(&r), cases[i].speaks_rdp, "case %zu", i);
		request_merge(&back, &r);
		cr_assert_eq(request_speaks_rdp(&back), cases[i].speaks_rdp, "case %zu: a restart stays what it was", i);
		json_t *o = request_json(&r);
		cr_assert_eq(request_parse(o, &back, &err), 0, "%s", err.text);
		cr_assert(back.is_windows == r.is_windows && back.has_rdp == r.has_rdp, "case %zu: the record reads back", i);
		json_decref(o);
	}
}
