/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The driver for vSphere: its settings, and, where PUESTO_TEST_VSPHERE_URL names VMware's simulator with
 * PUESTO_TEST_VSPHERE_CA and _PASSWORD, the contract on that (tests/integration/test_vsphere.py).
 * Covers: broker/hypervisor/vsphere/clone.c broker/hypervisor/vsphere/configure.c
 * Covers: broker/hypervisor/vsphere/found.c broker/hypervisor/vsphere/life.c
 * Covers: broker/hypervisor/vsphere/list.c broker/hypervisor/vsphere/migrate.c
 * Covers: broker/hypervisor/vsphere/place.c broker/hypervisor/vsphere/power.c
 * Covers: broker/hypervisor/vsphere/settings.c broker/hypervisor/vsphere/watch.c
 * Covers: broker/hypervisor/vsphere/address.c broker/hypervisor/vsphere/hosts.c
 */
#include "broker/hypervisor/vsphere/address.h"

#include "base/clock.h"
#include "base/loop.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/registry.h"
#include "broker/hypervisor/vsphere/task.h"
#include "tests/unit/hypervisor/contract.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTION "provider-test"

static char data[PATH_MAX];

static struct driver *open_with(const char *settings, uv_loop_t *loop, struct pst_conf **ret_conf, struct pst_err *err)
{
	struct driver_params p = { .name = "test", .data = data, .libexec = "/nowhere", .section = SECTION, .loop = loop };
	char text[4096];

	snprintf(data, sizeof(data), "/var/tmp/puesto-unit-XXXXXX");
	cr_assert_not_null(mkdtemp(data));
	snprintf(text, sizeof(text), "[" SECTION "]\nkind = vsphere\n%s", settings);
	*ret_conf = p.conf = pst_conf_create();
	cr_assert_eq(pst_conf_parse(p.conf, "test", text, strlen(text), err), 0, "%s", err->text);
	return driver_open(registry_find("vsphere"), &p, err);
}

static void close_all(struct driver *d, struct pst_conf *conf, uv_loop_t *loop)
{
	struct pst_err err = PST_ERR_INIT;

	driver_close(d);
	pst_conf_destroy(conf);
	pst_loop_drain(loop);
	cr_assert_eq(tree_remove(data, &err), 0, "%s", err.text);
}

/* As an administrator would, by the same client. */
static void die(struct driver *d, const char *desktop)
{
	struct vsphere *vs = vsphere_of(d);
	struct pst_err err = PST_ERR_INIT;
	struct vim_ref vm;
	struct vs_op op = { .vs = vs, .vim = { .vim = vs->vim, .owner = "admin", .end_ms = pst_mono_ms() + 20000 } };
	char path[512];

	snprintf(path, sizeof(path), "%s/" VS_PREFIX "%s", vs->set.folder, desktop);
	cr_assert_eq(vs_place_find(&op, path, "the test", &vm, &err), 0, "%s", err.text);
	struct vim_call c = { .method = "PowerOffVM_Task", .self = &vm };
	cr_assert_eq(task_run(&op.vim, &c, "ending it", NULL, &err), 0, "%s", err.text);
}

Test(vsphere, simulator_keeps_the_contract, .timeout = 240)
{
	const char *url = getenv("PUESTO_TEST_VSPHERE_URL"), *ca = getenv("PUESTO_TEST_VSPHERE_CA"),
		   *password = getenv("PUESTO_TEST_VSPHERE_PASSWORD");
	struct pst_err err = PST_ERR_INIT;
	char settings[2048];
	struct pst_conf *conf;
	uv_loop_t loop;

	if (!url || !ca || !password)
		cr_skip("tests/integration/test_vsphere.py names a simulator");
	uv_loop_init(&loop);
	snprintf(settings, sizeof(settings),
		"url = %s\nca = %s\nuser = puesto@vsphere.local\npassword_file = %s\nfolder = /DC0/vm/Puesto\ntemplates = "
		"DC0/vm/Templates\n"
		"cluster = DC0/host/DC0_C0\naddresses = 10.9.0.1-10.9.255.254\n",
		url, ca, password);
	struct driver *d = open_with(settings, &loop, &conf, &err);
	cr_assert_not_null(d, "%s", err.text);
	contract_check(d, &loop, "ref:desk@base", die);
	close_all(d, conf, &loop);
}

#define WHOLE "url = https://vc\nuser = u\npassword_file = /nowhere\nfolder = DC/vm/Puesto\ncluster = DC/host/C\n"

Test(vsphere, bad_settings_are_named)
{
	static const struct {
		const char *settings, *word;
	} bad[] = {
		{ "", "url" },
		{ "url = https://vc\nuser = u\npassword_file = /x\nfolder = DC/vm/P\n", "cluster" },
		{ "url = http://vc\nuser = u\npassword_file = /x\nfolder = DC/vm/P\ncluster = DC/host/C\n", "https" },
		{ "url = https://vc\nuser = u\npassword_file = /x\nfolder = Puesto\ncluster = DC/host/C\n", "DATACENTER/vm/FOLDER" },
		{ "url = https://vc\nuser = u\npassword_file = /x\nfolder = DC/vm/\ncluster = DC/host/C\n", "DATACENTER/vm/FOLDER" },
		{ WHOLE "pin = AA:BB\n", "pin" },
		{ WHOLE "addresses = 10.0.0.9\n", "addresses" },
		{ WHOLE "addresses = 10.0.0.9-10.0.0.8\n", "addresses" },
		{ WHOLE "deadline_s = 0\n", "deadline_s" },
		{ WHOLE "networks = a, b\nnetwork-a = x\n", "network-b" },
		{ WHOLE "networks = none\nnetwork-none = x\n", "none" },
		{ WHOLE "networks = a b/c\n", "network-a" },
		{ WHOLE "agent_port = 0\n", "agent_port" },
	};
	struct pst_conf *conf;
	uv_loop_t loop;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct pst_err err = PST_ERR_INIT;

		uv_loop_init(&loop);
		cr_assert_null(open_with(bad[i].settings, &loop, &conf, &err), "%s", bad[i].settings);
		cr_assert_not_null(strstr(err.text, bad[i].word), "%s: %s", bad[i].settings, err.text);
		close_all(NULL, conf, &loop);
	}
}

Test(vsphere, places_follow_from_folder_and_cluster)
{
	struct pst_err err = PST_ERR_INIT;
	struct pst_conf *conf;
	uv_loop_t loop;

	uv_loop_init(&loop);
	struct driver *d = open_with(
		"url = https://127.0.0.1:1\nuser = u\npassword_file = /nowhere\nfolder = /A/DC/vm/Puesto/\ncluster = A/DC/host/C\n"
		"network = VLAN 7\ndatastore = ssd\nhost = esx1\n",
		&loop, &conf, &err);
	cr_assert_not_null(d, "%s", err.text);
	const struct vs_settings *s = &vsphere_of(d)->set;
	cr_assert_str_eq(s->folder, "A/DC/vm/Puesto");
	cr_assert_str_eq(s->templates, "A/DC/vm");
	cr_assert_str_eq(s->pool, "A/DC/host/C/Resources");
	cr_assert_str_eq(s->network, "A/DC/network/VLAN 7");
	cr_assert_str_eq(s->datastore, "A/DC/datastore/ssd");
	cr_assert_str_eq(s->host, "A/DC/host/C/esx1");
	struct driver_capacity c;
	cr_assert_eq(driver_capacity(d, &c, &err), 0);
	cr_assert(!c.healthy && c.reason[0], "nobody listens there");
	close_all(d, conf, &loop);
}

Test(vsphere, addresses_of_guests_are_where_desktops_may_be)
{
	static const struct {
		const char *text;
		bool anywhere, in_range;
	} cases[] = { { "10.1.0.10", true, true }, { "10.1.0.9", true, false }, { "10.1.0.21", true, false }, { "127.0.0.1", false, false },
		{ "0.0.0.0", false, false }, { "169.254.1.1", false, false }, { "224.0.0.1", false, false },
		{ "255.255.255.255", false, false }, { "fd00::7", true, false }, { "::1", false, false }, { "fe80::1", false, false },
		{ "ff02::1", false, false }, { "::ffff:127.0.0.1", false, false }, { "", false, false }, { "10.1.0.10:22", false, false },
		{ "localhost", false, false }, { "10.1.0.10                                                        ", false, false } };
	struct vs_settings anywhere = { .first = 0 }, range = { .first = 0x0a01000a, .last = 0x0a010014 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(vs_address_is_good(&anywhere, cases[i].text), cases[i].anywhere, "%s", cases[i].text);
		cr_assert_eq(vs_address_is_good(&range, cases[i].text), cases[i].in_range, "%s", cases[i].text);
	}
}

Test(vsphere, names_of_machines_are_read_strictly)
{
	static const struct {
		const char *name;
		bool ok, is_next;
	} cases[] = { { "puesto-1b4e28ba-2fa1-41d2-883f-0016d3cca427", true, false },
		{ "puesto-1b4e28ba-2fa1-41d2-883f-0016d3cca427.next", true, true },
		{ "puesto-1b4e28ba-2fa1-41d2-883f-0016d3cca427.old", false, false },
		{ "puesto-1b4e28ba-2fa1-41d2-883f-0016d3cca42", false, false }, { "1b4e28ba-2fa1-41d2-883f-0016d3cca427", false, false },
		{ "puesto-", false, false }, { "", false, false }, { "puesto-zb4e28ba-2fa1-41d2-883f-0016d3cca427", false, false } };
	char desktop[PST_UUID_SIZE];
	bool is_next;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(vs_name_read(cases[i].name, desktop, &is_next), cases[i].ok, "%s", cases[i].name);
		if (cases[i].ok)
			cr_assert_eq(is_next, cases[i].is_next);
	}
}
