/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gateway.conf: addresses, hosts, mistakes. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "protocol/gate/config.h"

static int load(const char *text, struct gate_config *c, struct pst_err *err)
{
	struct pst_conf *conf = pst_conf_create();
	int rc = pst_conf_parse(conf, "test", text, strlen(text), err);

	if (rc == 0)
		rc = gate_config_load(c, conf, err);
	pst_conf_destroy(conf);
	return rc;
}

Test(config, test_addresses_of_every_form)
{
	struct gate_config c;
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(load("[listen]\nhttps = 8443, 127.0.0.1:1 [::1]:2\nrdp = off\nvnc = 5901\n", &c, &err), 0, "%s", err.text);
	cr_assert_eq(c.n_addresses, 4);
	cr_assert(!*c.addresses[0].host && c.addresses[0].port == 8443);
	cr_assert_str_eq(c.addresses[1].host, "127.0.0.1");
	cr_assert_str_eq(c.addresses[2].host, "::1");
	cr_assert_eq(c.addresses[3].port_kind, GATE_VNC);
	gate_config_finish(&c);
}

Test(config, test_mistakes_are_named)
{
	static const char *const texts[] = { "[listen]\nhttps = 0\n", "[listen]\nhttps = 65536\n", "[listen]\nhttps = host:1\n", "[listen]\nhtps = 1\n",
					     "[gate]\nsandbox = maybe\n", "[limits]\nopen_total = 0\n", "[limits]\npreauth_deadline = 1h\n", "[gate]\nname = 0123456789012345678901234567890123456789012345678901234567890123456789\n" };

	for (size_t i = 0; i < PST_ARRAY_LEN(texts); i++) {
		struct gate_config c;
		struct pst_err err = PST_ERR_INIT;

		cr_assert_lt(load(texts[i], &c, &err), 0, "%s", texts[i]);
		cr_assert(*err.text);
		gate_config_finish(&c);
	}
}

Test(config, test_only_our_hosts)
{
	static const struct {
		const char *host;
		bool ours;
	} cases[] = { { "vdi.example", true },	 { "VDI.example:8443", true }, { "[::1]:1", true },	{ "[::1]", true },
		      { "vdi.example.", false }, { "vdi.example:x", false },   { "evil.example", false }, { "vdi.example@evil", false },
		      { "", false },		 { "[::1", false },	       { "vdi", false } };
	struct gate_config c;
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(load("[http]\nhosts = VDI.example [::1]\n", &c, &err), 0);
	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++)
		cr_assert_eq(gate_config_has_host(&c, cases[i].host), cases[i].ours, "%s", cases[i].host);
	gate_config_finish(&c);
}
