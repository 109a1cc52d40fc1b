/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What guests of the qemu driver are told. */
#include "broker/hypervisor/qemu/qemu_priv.h"

#include "base/json.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct qm_settings set = { .seed = { .agents = "10.0.2.2:5911", .agent_port = 5910 } };
static struct machine_request request = {
	.desktop = "6f0c0b52-7b3c-4c52-9d3c-0f0f6b2c1a11", .hostname = "d17", .locale = "es_ES", .layout = "es", .enrol_token = "secret"
};

static void ca_make(void)
{
	FILE *f;

	snprintf(set.seed.agents_ca, sizeof(set.seed.agents_ca), "/tmp/puesto-seed-%d", (int)getpid());
	f = fopen(set.seed.agents_ca, "we");
	cr_assert_not_null(f);
	fputs("CERTIFICATE\n", f);
	fclose(f);
}

static json_t *seed(bool fresh)
{
	struct pst_err err = PST_ERR_INIT;
	json_t *o = qm_seed(&set, &request, fresh, &err);

	cr_assert_not_null(o, "%s", err.text);
	return o;
}

Test(qemu_seed, says_who_a_machine_is)
{
	static const char *const want[][2] = { { "desktop", "6f0c0b52-7b3c-4c52-9d3c-0f0f6b2c1a11" }, { "hostname", "d17" },
		{ "locale", "es_ES" }, { "layout", "es" }, { "broker", "10.0.2.2:5911" }, { "display", "0.0.0.0:5910" },
		{ "ca", "CERTIFICATE\n" }, { "token", "secret" } };

	ca_make();
	json_t *o = seed(false);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		cr_expect_str_eq(pst_json_str(o, want[i][0], 100), want[i][1]);
	cr_expect_eq(json_object_size(o), 8);
	json_decref(o);
	request.enrol_token[0] = '\0';
	o = seed(false);
	cr_expect_null(json_object_get(o, "token"), "it keeps its enrolment");
	json_decref(o);
	unlink(set.seed.agents_ca);
}

Test(qemu_seed, two_clones_get_different_randomness)
{
	ca_make();
	json_t *a = seed(true), *b = seed(true);
	const char *one = pst_json_str(a, "random", 200), *other = pst_json_str(b, "random", 200);

	cr_assert(one && other);
	cr_expect_str_neq(one, other);
	cr_expect_geq(strlen(one), 64);
	cr_expect_gt(pst_json_int(a, "time_ms", 0, INT64_MAX, 0), INT64_C(1600000000000));
	json_decref(a);
	json_decref(b);
	unlink(set.seed.agents_ca);
}

Test(qemu_seed, without_the_authority_there_is_none)
{
	struct pst_err err = PST_ERR_INIT;

	snprintf(set.seed.agents_ca, sizeof(set.seed.agents_ca), "/nowhere/ca.pem");
	cr_expect_null(qm_seed(&set, &request, false, &err));
	cr_expect_not_null(strstr(err.text, "agents_ca"), "%s", err.text);
}
