/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Objects for Kubernetes; that they keep its schema, tests/integration/kubevirt_double.py checks. */
#include "broker/hypervisor/kubevirt/objects.h"

#include "base/json.h"
#include "base/text.h"
#include "tests/unit/hypervisor/contract.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const struct objects_site site = { .space = "desks", .instance = "0123456789abcdef0123456789abcdef", .provider = "kv", .network = "",
	.storage_class = "fast", .pull_secret = "", .service = "ClusterIP", .agent_port = 5910, .has_seeds = true };

static void claim_make(struct claim *c, const char *image)
{
	memset(c, 0, sizeof(*c));
	contract_request(&c->request, image);
	pst_strlcpy(c->instance, sizeof(c->instance), site.instance);
	pst_strlcpy(c->provider, sizeof(c->provider), site.provider);
}

Test(objects, images_are_disks_or_claims)
{
	static const struct {
		const char *base;
		int code;
		const char *name, *space;
	} cases[] = { { "ref:quay.io/desks/debian:12", 0, "quay.io/desks/debian:12", "" }, { "ref:pvc:golden", 0, "golden", "desks" },
		{ "ref:pvc:images.golden-1", 0, "golden-1", "images" }, { "ref:pvc:", PST_EINVAL, "", "" }, { "ref:pvc:../x", PST_EINVAL, "", "" },
		{ "ref:pvc:images.", PST_EINVAL, "", "" }, { "ref:", PST_EUNSUPPORTED, "", "" }, { "/golden.qcow2", PST_EUNSUPPORTED, "", "" } };
	char name[256], space[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pst_err err = PST_ERR_INIT;
		struct machine_request r;

		contract_request(&r, "ref:x");
		pst_strlcpy(r.image_base, sizeof(r.image_base), cases[i].base);
		cr_assert_eq(objects_image(&site, &r, name, space, &err), cases[i].code, "%s: %s", cases[i].base, err.text);
		if (cases[i].code == 0) {
			cr_assert_str_eq(name, cases[i].name);
			cr_assert_str_eq(space, cases[i].space);
		}
	}
}

static json_t *spec_of(const json_t *machine)
{
	return json_object_get(json_object_get(json_object_get(machine, "spec"), "template"), "spec");
}

Test(objects, a_machine_does_not_start_by_itself)
{
	struct pst_err err = PST_ERR_INIT;
	struct claim c;
	char *text;

	claim_make(&c, "ref:pvc:golden");
	c.request.disk_mb = 4096;
	json_t *o = objects_machine(&site, &c, &err);
	cr_assert_not_null(o, "%s", err.text);
	cr_assert_str_eq(pst_json_str(json_object_get(o, "spec"), "runStrategy", 16), "Manual");
	cr_assert_eq(json_array_size(json_object_get(json_object_get(o, "spec"), "dataVolumeTemplates")), 1);
	cr_assert_eq(json_array_size(json_object_get(spec_of(o), "volumes")), 2);
	text = json_dumps(o, 0);
	cr_assert_not_null(strstr(text, "\"4096Mi\""), "the disk is as large as asked: %s", text);
	cr_assert_not_null(strstr(text, "\"guest\": \"256Mi\""), "%s", text);
	cr_assert_not_null(strstr(text, "CIDATA"));
	cr_assert_null(strstr(text, "\"token\""), "whoever may look at machines does not read tokens");
	free(text);
	json_decref(o);
	claim_make(&c, "ref:quay.io/x:1");
	o = objects_machine(&site, &c, &err);
	cr_assert_eq(json_array_size(json_object_get(json_object_get(o, "spec"), "dataVolumeTemplates")), 0);
	json_decref(o);
}

Test(objects, sizes_leave_out_what_stays)
{
	struct pst_err err = PST_ERR_INIT;
	json_t *o = objects_size(512, 0, &err);
	json_t *d = json_object_get(json_object_get(json_object_get(json_object_get(o, "spec"), "template"), "spec"), "domain");

	cr_assert_not_null(json_object_get(d, "memory"));
	cr_assert_null(json_object_get(d, "cpu"));
	json_decref(o);
	char selector[800];
	cr_assert_eq(objects_selector(&site, "1b4e28ba-2fa1-41d2-883f-0016d3cca427", selector, sizeof(selector)), 0);
	cr_assert_null(strpbrk(selector, ",=/ "), "it is escaped: %s", selector);
	cr_assert_eq(objects_selector(&site, NULL, selector, 20), PST_ELIMIT);
}
