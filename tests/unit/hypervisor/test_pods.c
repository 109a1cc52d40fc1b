/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A pod has its identity, few rights, and what outlives it on a claim. */
#include "broker/hypervisor/kubevirt/pods.h"

#include "base/json.h"
#include "base/text.h"
#include "tests/unit/hypervisor/contract.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const struct objects_site site = { .space = "desks", .instance = "0123456789abcdef0123456789abcdef", .provider = "kv", .network = "",
	.storage_class = "fast", .pull_secret = "registry", .service = "ClusterIP", .agent_port = 5910, .has_seeds = true, .is_pods = true };

static void claim_make(struct claim *c)
{
	memset(c, 0, sizeof(*c));
	contract_request(&c->request, "ref:registry.example/desk:12");
	pst_strlcpy(c->instance, sizeof(c->instance), site.instance);
	pst_strlcpy(c->provider, sizeof(c->provider), site.provider);
}

static const char *text_of(const json_t *secret, const char *key)
{
	return pst_json_str(json_object_get(secret, "stringData"), key, 4096);
}

Test(pods, are_told_who_they_are)
{
	struct pst_err err = PST_ERR_INIT;
	struct claim c;

	claim_make(&c);
	for (int token = 1; token >= 0; token--) {
		if (!token)
			c.request.enrol_token[0] = '\0';
		json_t *o = pods_seed(&site, &c, "uid", "10.0.0.1:5911", "CERT", &err);
		cr_assert_not_null(o, "%s", err.text);
		cr_assert_not_null(strstr(text_of(o, "agent.conf"), "broker_tls = 10.0.0.1:5911\n"));
		cr_assert_not_null(strstr(text_of(o, "session.conf"), "locale = en_US\n"));
		cr_assert_str_eq(text_of(o, "ca.pem"), "CERT");
		cr_assert_eq(strlen(text_of(o, "machine-id")), 33);
		cr_assert_eq(strstr(text_of(o, "enrol.json"), "token") != NULL, token == 1);
		json_decref(o);
	}
}

Test(pods, have_few_rights)
{
	struct pst_err err = PST_ERR_INIT;
	struct claim c;
	char *text;

	claim_make(&c);
	json_t *o = pods_pod(&site, &c, "puesto-x-1", "uid", &err);
	cr_assert_not_null(o, "%s", err.text);
	text = json_dumps(o, JSON_COMPACT);
	cr_assert_not_null(strstr(text, "\"allowPrivilegeEscalation\":false"), "%s", text);
	cr_assert_not_null(strstr(text, "\"drop\":[\"ALL\"]"));
	cr_assert_not_null(strstr(text, "\"automountServiceAccountToken\":false"));
	cr_assert_not_null(strstr(text, "\"claimName\":\"puesto-x-1\""));
	cr_assert_not_null(strstr(text, "\"memory\":\"256Mi\""));
	cr_assert_null(strstr(text, "privileged\":true"));
	cr_assert_null(strstr(text, "\"token\""));
	free(text);
	json_decref(o);
}

Test(pods, stand_on_an_image)
{
	struct pst_err err = PST_ERR_INIT;
	struct claim c;

	claim_make(&c);
	json_t *o = pods_machine(&site, &c, &err);
	cr_assert_not_null(pst_json_str(json_object_get(o, "data"), PODS_STATE, 100), "%s", err.text);
	json_decref(o);
	o = pods_state(&site, &c, "puesto-x-1", "uid", &err);
	cr_assert_str_eq(pst_json_str(json_object_get(o, "spec"), "storageClassName", 10), "fast");
	json_decref(o);
	pst_strlcpy(c.request.image_base, sizeof(c.request.image_base), "ref:pvc:golden");
	cr_assert_null(pods_machine(&site, &c, &err));
	cr_assert_eq(err.code, PST_EUNSUPPORTED);
}
