/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Networks by name, as a provider's section has them. */
#include "broker/hypervisor/rest/nets.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static int settings_of(const char *text, struct nets *n, struct pst_err *err)
{
	struct driver_params p = { .conf = pst_conf_create(), .section = "provider-x" };
	char whole[1024];
	int rc;

	snprintf(whole, sizeof(whole), "[provider-x]\n%s", text);
	cr_assert_eq(pst_conf_parse(p.conf, "test", whole, strlen(whole), err), 0, "%s", err->text);
	rc = nets_read(n, &p, err);
	pst_conf_destroy(p.conf);
	return rc;
}

Test(nets, each_has_its_own_key)
{
	struct pst_err err = PST_ERR_INIT;
	const struct net_named *found;
	struct nets n;

	cr_assert_eq(settings_of("networks = office , lab\nnetwork-office = bridge:a vlan:4\nnetwork-lab = x\n", &n, &err), 0, "%s", err.text);
	cr_assert_eq(n.n, 2);
	cr_assert_eq(nets_find(&n, "office", &found, &err), 0);
	cr_assert_str_eq(found->value, "bridge:a vlan:4");
	/* These are the provider's own. */
	for (size_t i = 0; i < 3; i++) {
		static const char *const own[] = { "", "host", "none" };

		cr_assert_eq(nets_find(&n, own[i], &found, &err), 0);
		cr_assert_null(found);
	}
	cr_assert_eq(nets_find(&n, "offic", &found, &err), PST_EINVAL);
	cr_assert_eq(settings_of("", &n, &err), 0);
	cr_assert_eq(n.n, 0);
}

Test(nets, what_cannot_be_is_refused_by_its_key)
{
	static const struct {
		const char *text, *word;
	} cases[] = { { "networks = lab\n", "network-lab" }, { "networks = host\nnetwork-host = x\n", "taken" }, { "networks = a b,\nnetwork-a = x\n", "no name" },
		{ "networks = a,a\nnetwork-a = x\n", "twice" }, { "networks = ä\n", "no name" }, { "networks = a,,b\nnetwork-a = x\nnetwork-b = x\n", "taken" } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pst_err err = PST_ERR_INIT;
		struct nets n;

		cr_assert_lt(settings_of(cases[i].text, &n, &err), 0, "%zu", i);
		cr_assert(strstr(err.text, cases[i].word), "%zu: %s", i, err.text);
	}
}
