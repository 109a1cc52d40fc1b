/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The driver for libvirt against libvirt's own in-process driver, test:///default; and, where
 * PUESTO_TEST_LIBVIRT_URI names a real one with PUESTO_TEST_LIBVIRT_GOLDEN and _DIRECTORY (and _ACCEL, tcg), on that
 * (tests/integration/test_libvirt.py).
 * Covers: broker/hypervisor/libvirt/call.c broker/hypervisor/libvirt/connection.c
 * Covers: broker/hypervisor/libvirt/disk.c broker/hypervisor/libvirt/error.c
 * Covers: broker/hypervisor/libvirt/events.c broker/hypervisor/libvirt/found.c
 * Covers: broker/hypervisor/libvirt/inventory.c broker/hypervisor/libvirt/known.c
 * Covers: broker/hypervisor/libvirt/life.c broker/hypervisor/libvirt/migrate.c broker/hypervisor/libvirt/personal.c
 * Covers: broker/hypervisor/libvirt/screen.c
 * Covers: broker/hypervisor/libvirt/nature.c broker/hypervisor/libvirt/network.c broker/hypervisor/libvirt/hosts.c
 * Covers: broker/hypervisor/libvirt/plan.c broker/hypervisor/libvirt/power.c
 * Covers: broker/hypervisor/libvirt/resize.c broker/hypervisor/libvirt/settings.c
 * Covers: broker/hypervisor/libvirt/snapshot.c broker/hypervisor/libvirt/watch.c
 * Covers: broker/hypervisor/libvirt/opening.c broker/hypervisor/libvirt/seed.c broker/hypervisor/libvirt/tpm.c
 */
#include "base/file.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/libvirt/tpm.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/registry.h"
#include "tests/unit/hypervisor/contract.h"

#include <criterion/criterion.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SECTION "provider-test"

static char data[PATH_MAX];

static void data_make(void)
{
	snprintf(data, sizeof(data), "/var/tmp/puesto-unit-XXXXXX");
	cr_assert_not_null(mkdtemp(data));
	chmod(data, 0711);
}

static void data_remove(void)
{
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(tree_remove(data, &err), 0, "%s", err.text);
}

static struct driver *open_with(const char *settings, uv_loop_t *loop, struct pst_conf **ret_conf, struct pst_err *err)
{
	struct driver_params p = { .name = "test", .data = data, .libexec = "/nowhere", .section = SECTION, .loop = loop };
	char text[2048];

	snprintf(text, sizeof(text), "[" SECTION "]\nkind = libvirt\n%s", settings);
	*ret_conf = p.conf = pst_conf_create();
	cr_assert_eq(pst_conf_parse(p.conf, "test", text, strlen(text), err), 0, "%s", err->text);
	return driver_open(registry_find("libvirt"), &p, err);
}

/* Somebody else's connection to the same hypervisor. */
static virConnectPtr foreign(const char *uri)
{
	virConnectPtr conn = virConnectOpen(uri);

	cr_assert_not_null(conn, "%s", virGetLastErrorMessage());
	return conn;
}

static const char *die_uri = "test:///default";

static void die(struct driver *d, const char *desktop)
{
	virConnectPtr conn = foreign(die_uri);
	virDomainPtr domain = virDomainLookupByUUIDString(conn, desktop);

	cr_assert_not_null(domain);
	cr_assert_eq(virDomainDestroy(domain), 0);
	virDomainFree(domain);
	virConnectClose(conn);
}

#define IN_PROCESS "uri = test:///default\nnetwork = default\naddresses = 192.168.122.100-192.168.122.199\n"

Test(libvirt, in_process_keeps_the_contract, .timeout = 60)
{
	struct pst_err err = PST_ERR_INIT;
	struct pst_conf *conf;
	uv_loop_t loop;

	data_make();
	uv_loop_init(&loop);
	struct driver *d = open_with(IN_PROCESS, &loop, &conf, &err);
	cr_assert_not_null(d, "%s", err.text);
	contract_check(d, &loop, "/images/demo/1", die);
	driver_close(d);
	pst_conf_destroy(conf);
	pst_loop_drain(&loop);
	data_remove();
}

Test(libvirt, a_refresh_forgets_snapshots_and_a_stopped_one_is_resized, .timeout = 60)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;
	struct pst_conf *conf;
	struct machine m;
	uv_loop_t loop;

	data_make();
	uv_loop_init(&loop);
	struct driver *d = open_with(IN_PROCESS, &loop, &conf, &err);
	cr_assert_not_null(d, "%s", err.text);
	contract_request(&r, "/images/demo/1");
	cr_assert_eq(driver_create(d, &r, &m, &err), 0, "%s", err.text);
	cr_assert_eq(driver_snapshot_take(d, r.desktop, "a", &err), 0, "%s", err.text);
	cr_assert_eq(driver_snapshot_take(d, r.desktop, "b", &err), 0, "%s", err.text);
	r.task[0] = r.task[0] == '0' ? '1' : '0';
	cr_assert_eq(driver_restart(d, &r, true, &m, &err), 0, "%s", err.text);
	cr_assert_eq(driver_snapshot_revert(d, r.desktop, "a", &err), PST_ENOTFOUND, "%s", err.text);
	cr_assert_eq(driver_resize(d, r.desktop, &(struct machine_size){ .memory_mb = 512 }, &err), PST_EBUSY);
	cr_assert_eq(driver_power(d, r.desktop, POWER_OFF, &err), 0, "%s", err.text);
	cr_assert_eq(driver_resize(d, r.desktop, &(struct machine_size){ .memory_mb = 512, .cpu_percent = 150 }, &err), 0, "%s", err.text);
	cr_assert_eq(driver_resize(d, r.desktop, &(struct machine_size){ .disk_mb = 512 }, &err), PST_EUNSUPPORTED);
	cr_assert_eq(driver_destroy(d, r.desktop, &err), 0, "%s", err.text);
	driver_close(d);
	pst_conf_destroy(conf);
	pst_loop_drain(&loop);
	data_remove();
}

Test(libvirt, a_tpm_that_no_host_can_give_is_a_fault, .timeout = 60)
{
	static const struct {
		const char *word;
		bool is_healthy;
	} cases[] = { { "", true }, { "tpm = no\n", true }, { "tpm = yes\n", false } };

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct pst_err err = PST_ERR_INIT;
		struct driver_capacity c = { 0 };
		struct pst_conf *conf;
		char text[256];
		uv_loop_t loop;

		data_make();
		uv_loop_init(&loop);
		snprintf(text, sizeof(text), IN_PROCESS "%s", cases[i].word);
		struct driver *d = open_with(text, &loop, &conf, &err);
		cr_assert_not_null(d, "%s", err.text);
		cr_assert_eq(driver_capacity(d, &c, &err), 0);
		cr_assert_eq(c.healthy, cases[i].is_healthy, "%s", c.reason);
		cr_assert_eq(strstr(c.reason, "apt-get install swtpm swtpm-tools") != NULL, !cases[i].is_healthy, "%s", c.reason);
		cr_assert_null(strstr(c.limits, "TPM"), "%s", c.limits);
		driver_close(d);
		pst_conf_destroy(conf);
		pst_loop_drain(&loop);
		data_remove();
	}
}

Test(libvirt, whether_a_domain_has_a_tpm_is_known_or_an_error)
{
	static struct libvirt lv = { .lock = PTHREAD_MUTEX_INITIALIZER };
	static struct lv_host host = { .name = "one", .lv = &lv };
	virConnectPtr conn = virConnectOpen("test:///default");
	struct lv_found f = { .host = &host, .domain = virDomainLookupByName(conn, "test") };
	struct pst_err err = PST_ERR_INIT;
	bool has = true;

	cr_assert_not_null(f.domain);
	cr_expect(lv_tpm_of(&f, &has, &err) == 0 && !has, "%s", err.text);
	cr_assert(virDomainDestroy(f.domain) == 0 && virDomainUndefine(f.domain) == 0);
	cr_expect_lt(lv_tpm_of(&f, &has, &err), 0, "the last user's would be left to the next");
	lv_found_finish(&f);
	virConnectClose(conn);
}

struct sighted {
	size_t machines, silent, unusable;
	char host[MACHINE_NAME_SIZE];
};

static void machine_seen(const struct machine *m, void *arg)
{
	struct sighted *s = arg;

	s->machines += m->desktop[0] != '\0';
	s->silent += m->state == MACHINE_UNKNOWN && strcmp(m->host, "two") == 0 && m->reason[0];
	if (m->desktop[0])
		snprintf(s->host, sizeof(s->host), "%s", m->host);
}

static void host_seen(const struct driver_host *h, void *arg)
{
	struct sighted *s = arg;

	s->unusable += !h->usable && strcmp(h->name, "two") == 0 && h->reason[0];
	cr_expect(!h->usable || (h->memory_mb > 0 && h->processors > 0 && h->capacity > 0));
}

/* Nothing listens there: the one that answers goes on, and of the other nothing is claimed. */
Test(libvirt, a_host_that_is_away_holds_up_nobody, .timeout = 60)
{
	struct pst_err err = PST_ERR_INIT;
	struct sighted s = { 0 };
	struct driver_capacity c;
	struct machine_request r;
	struct pst_conf *conf;
	struct machine m;
	uv_loop_t loop;

	data_make();
	uv_loop_init(&loop);
	struct driver *d = open_with("hosts = one=test:///default, two=qemu+tcp://127.0.0.1:1/system\nnetwork = none\ndirectory = /tmp\n"
				     "networks = lab\nnetwork-lab = isolated:10.99.0.0/24\n", &loop, &conf, &err);
	cr_assert_not_null(d, "%s", err.text);
	cr_assert_eq(driver_capacity(d, &c, &err), 0);
	cr_assert(c.healthy, "%s", c.reason);
	contract_request(&r, "/images/demo/1");
	cr_assert_eq(driver_create(d, &r, &m, &err), PST_ECLOSED, "whose desktop may be anywhere waits: %s", err.text);
	snprintf(r.host, sizeof(r.host), "one");
	cr_assert_eq(driver_create(d, &r, &m, &err), 0, "%s", err.text);
	cr_assert_eq(driver_list(d, machine_seen, &s, &err), 0, "%s", err.text);
	cr_assert(s.machines == 1 && s.silent == 1, "%zu machines, %zu silent", s.machines, s.silent);
	cr_assert_str_eq(s.host, "one");
	cr_assert_eq(driver_hosts(d, host_seen, &s, &err), 0, "%s", err.text);
	cr_assert_eq(s.unusable, 1);
	cr_assert_eq(driver_power(d, r.desktop, POWER_OFF, &err), 0, "%s", err.text);
	cr_assert_eq(driver_power(d, r.desktop, POWER_START, &err), PST_ECLOSED, "it may run over there");
	contract_request(&r, "/images/demo/1");
	snprintf(r.host, sizeof(r.host), "two");
	cr_assert_eq(driver_create(d, &r, &m, &err), PST_ECLOSED);
	snprintf(r.host, sizeof(r.host), "one");
	snprintf(r.network, sizeof(r.network), "lab");
	cr_assert_eq(driver_create(d, &r, &m, &err), PST_EBUSY, "which addresses are taken over there? %s", err.text);
	driver_close(d);
	pst_conf_destroy(conf);
	pst_loop_drain(&loop);
	data_remove();
}

Test(libvirt, a_network_of_ours_is_made_where_it_is_missing, .timeout = 60)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;
	struct pst_conf *conf;
	struct machine m;
	uv_loop_t loop;

	data_make();
	uv_loop_init(&loop);
	struct driver *d = open_with("uri = test:///default\nnetwork = none\naddress_wait_s = 0\nnetworks = lab, office\nnetwork-lab = isolated:10.99.0.0/29\n"
				     "network-office = existing:default\n", &loop, &conf, &err);
	cr_assert_not_null(d, "%s", err.text);
	for (int i = 0; i < 2; i++) {
		contract_request(&r, "/images/demo/1");
		snprintf(r.network, sizeof(r.network), i ? "office" : "lab");
		cr_assert_eq(driver_create(d, &r, &m, &err), 0, "%s", err.text);
		cr_assert_eq(strncmp(m.endpoint.address, "10.99.0.", 8) == 0, i == 0, "%s", m.endpoint.address);
		cr_assert_eq(driver_destroy(d, r.desktop, &err), 0, "%s", err.text);
	}
	virConnectPtr conn = foreign("test:///default");
	int n = virConnectNumOfNetworks(conn);
	cr_assert_eq(n, 2, "libvirt's own and ours, once");
	virConnectClose(conn);
	driver_close(d);
	pst_conf_destroy(conf);
	pst_loop_drain(&loop);
	data_remove();
}

Test(libvirt, bad_settings_are_named)
{
	static const struct {
		const char *settings, *word;
	} bad[] = {
		{ "uri = nothing\n", "uri" },
		{ "uri = test:///default\nhosts = a=test:///default\n", "hosts" },
		{ "hosts = a\n", "NAME=URI" },
		{ "hosts = a=test:///default, a=test:///default\n", "twice" },
		{ "hosts = a=test:///default\nmigrate_uris = b=tcp://x\n", "migrate_uris" },
		{ "uri = test:///default\naccel = magic\n", "accel" },
		{ "uri = test:///default\naddresses = 10.0.0.9\n", "addresses" },
		{ "uri = test:///default\ndeadline_s = 0\n", "deadline_s" },
		{ "uri = qemu:///system\ndirectory = here\n", "directory" },
		{ "uri = test:///default\nnetworks = lab\n", "network-lab is missing" },
		{ "uri = test:///default\nnetworks = lab, lab\nnetwork-lab = bridge:b\n", "twice" },
		{ "uri = test:///default\nnetworks = lab\nnetwork-lab = ovs:b vlan:9999\n", "vlan" },
		{ "uri = test:///default\npeers = some\n", "peers" },
	};
	struct pst_conf *conf;
	uv_loop_t loop;

	data_make();
	uv_loop_init(&loop);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct pst_err err = PST_ERR_INIT;

		cr_assert_null(open_with(bad[i].settings, &loop, &conf, &err), "%s", bad[i].settings);
		cr_assert_not_null(strstr(err.text, bad[i].word), "%s", err.text);
		pst_conf_destroy(conf);
	}
	pst_loop_drain(&loop);
	data_remove();
}

/* QEMU in a libvirtd of its own; tests/integration/test_libvirt.py starts it and says where. */
Test(libvirt, qemu_keeps_the_contract, .timeout = 3600) /* whoever names a libvirtd bounds it */
{
	const char *uri = getenv("PUESTO_TEST_LIBVIRT_URI"), *golden = getenv("PUESTO_TEST_LIBVIRT_GOLDEN");
	const char *directory = getenv("PUESTO_TEST_LIBVIRT_DIRECTORY"), *accel = getenv("PUESTO_TEST_LIBVIRT_ACCEL");
	struct pst_err err = PST_ERR_INIT;
	char settings[1024];
	struct pst_conf *conf;
	uv_loop_t loop;

	if (!uri || !golden || !directory)
		cr_skip("tests/integration/test_libvirt.py names a libvirtd");
	data_make();
	uv_loop_init(&loop);
	snprintf(settings, sizeof(settings), "uri = %s\ndirectory = %s\nnetwork = none\naccel = %s\naddresses = 10.9.0.10-10.9.0.20\n", uri, directory,
		accel ? accel : "tcg");
	struct driver *d = open_with(settings, &loop, &conf, &err);
	cr_assert_not_null(d, "%s", err.text);
	die_uri = uri;
	contract_guestless = true;
	contract_check(d, &loop, golden, die);
	driver_close(d);
	pst_conf_destroy(conf);
	pst_loop_drain(&loop);
	data_remove();
}
