/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The driver "hosts": its settings and its faults here; its contract where tests/integration/test_hosts.py has made seats.
 * Covers: broker/hypervisor/hosts/hosts.c broker/hypervisor/hosts/faults.c
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/loop.h"
#include "base/text.h"
#include "broker/hypervisor/hosts/hosts_priv.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/registry.h"
#include "tests/unit/hypervisor/contract.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTION "provider-test"

static char data[64];

static struct driver *open_with(struct pst_conf *conf, uv_loop_t *loop, struct pst_err *err)
{
	struct driver_params p = { .name = "test", .data = data, .libexec = "/nowhere", .section = SECTION, .loop = loop, .conf = conf };

	return driver_open(registry_find("hosts"), &p, err);
}

static struct driver *open_text(const char *settings, struct pst_conf **ret_conf, uv_loop_t *loop, struct pst_err *err)
{
	char text[1024];

	snprintf(text, sizeof(text), "[" SECTION "]\n%s", settings);
	*ret_conf = pst_conf_create();
	cr_assert_eq(pst_conf_parse(*ret_conf, "test", text, strlen(text), err), 0, "%s", err->text);
	return open_with(*ret_conf, loop, err);
}

static void data_make(void)
{
	snprintf(data, sizeof(data), "/tmp/puesto-unit-XXXXXX");
	cr_assert_not_null(mkdtemp(data));
}

static void data_remove(void)
{
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(tree_remove(data, &err), 0, "%s", err.text);
}

struct wanted {
	const char *desktop;
	char address[64];
};

static void on_machine(const struct machine *m, void *arg)
{
	struct wanted *w = arg;

	if (strcmp(m->desktop, w->desktop) == 0)
		pst_strlcpy(w->address, sizeof(w->address), m->endpoint.address);
}

/* The seat's server keeps its pid by its address. */
static void die(struct driver *d, const char *desktop)
{
	struct wanted w = { .desktop = desktop };
	struct pst_err err = PST_ERR_INIT;
	char path[PATH_MAX];
	int pid = 0;

	cr_assert_eq(driver_list(d, on_machine, &w, &err), 0, "%s", err.text);
	snprintf(path, sizeof(path), "%s/%s.pid", getenv("PUESTO_SEATS"), w.address);
	FILE *f = fopen(path, "r");
	cr_assert_not_null(f, "%s", path);
	cr_assert_eq(fscanf(f, "%d", &pid), 1);
	fclose(f);
	cr_assert_eq(kill(pid, SIGKILL), 0);
}

Test(hosts, keeps_the_contract, .timeout = 240, .init = data_make, .fini = data_remove)
{
	const char *file = getenv("PUESTO_HOSTS_CONF");
	struct pst_err err = PST_ERR_INIT;
	uv_loop_t loop;

	if (!file)
		cr_skip("PUESTO_HOSTS_CONF names no seats: tests/integration/test_hosts.py does");
	uv_loop_init(&loop);
	struct pst_conf *conf = pst_conf_create();
	cr_assert_eq(pst_conf_load(conf, file, &err), 0, "%s", err.text);
	struct driver *d = open_with(conf, &loop, &err);
	cr_assert_not_null(d, "%s", err.text);
	contract_check(d, &loop, "ref:any", die);
	driver_close(d);
	pst_conf_destroy(conf);
	pst_loop_drain(&loop);
}

Test(hosts, bad_settings_are_named, .init = data_make, .fini = data_remove)
{
	static const struct {
		const char *settings, *word;
	} bad[] = {
		{ "", "refresh: missing" },
		{ "refresh = clean {nobody}\n", "refresh: {nobody}" },
		{ "refresh = clean {seed}\n", "stdin" },
		{ "refresh = none\nseats = here\n", "seats" },
		{ "refresh = none\nwake = everybody\n", "wake" },
		{ "refresh = none\nwake_s = 0\n", "wake_s" },
		{ "refresh = none\npoll_s = 0\n", "poll_s" },
		{ "refresh = none\nforeign = perhaps\n", "foreign" },
		{ "refresh = none\nagents = x\n", "agents" },
		{ "refresh = clean\nidentity = here\n", "identity" },
		{ "refresh = none\n", "seed and agents" },
		{ "refresh = none\nseed = cat\n", "seed and agents" },
		{ "refresh = none\nforeign = yes\nport = 0\n", "port" },
	};
	struct pst_conf *conf;
	uv_loop_t loop;

	uv_loop_init(&loop);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct pst_err err = PST_ERR_INIT;

		cr_assert_null(open_text(bad[i].settings, &conf, &loop, &err), "%s", bad[i].settings);
		cr_assert_not_null(strstr(err.text, bad[i].word), "%s: %s", bad[i].settings, err.text);
		pst_conf_destroy(conf);
	}
	pst_loop_drain(&loop);
}

/* Without its list nobody knows anything; without a seat of ours nobody is lent one. */
Test(hosts, health_says_what_is_missing, .init = data_make, .fini = data_remove)
{
	struct pst_err err = PST_ERR_INIT;
	struct driver_capacity c;
	struct machine_request r;
	char settings[256], path[128];
	struct pst_conf *conf;
	struct machine m;
	uv_loop_t loop;

	uv_loop_init(&loop);
	snprintf(path, sizeof(path), "%s/list", data);
	snprintf(settings, sizeof(settings), "refresh = none\nseed = cat\nagents = 10.0.0.1:1\nseats = %s\n", path);
	struct driver *d = open_text(settings, &conf, &loop, &err);
	cr_assert_not_null(d, "%s", err.text);
	cr_assert_eq(driver_capacity(d, &c, &err), 0);
	cr_assert(!c.healthy);
	cr_assert_not_null(strstr(c.reason, path), "%s", c.reason);
	cr_assert_eq(driver_list(d, on_machine, NULL, &err), PST_EIO);
	cr_assert_eq(pst_file_write(path, "a address=127.0.0.1 protocol=vnc\n", 33, 0600, &err), 0);
	cr_assert_eq(driver_capacity(d, &c, &err), 0);
	cr_assert_not_null(strstr(c.reason, "no seat with Puesto's agent"), "%s", c.reason);
	contract_request(&r, "ref:any");
	cr_assert_eq(driver_create(d, &r, &m, &err), PST_EBUSY);
	cr_assert_eq(driver_power(d, r.desktop, POWER_OFF, &err), PST_EUNSUPPORTED);
	driver_close(d);
	pst_conf_destroy(conf);
	pst_loop_drain(&loop);
}

Test(hosts, faults_are_told_and_forgotten)
{
	static struct hosts h;
	struct pst_err err = PST_ERR_INIT;
	struct seats seats;
	char text[512], name[16];

	pthread_mutex_init(&h.lock, NULL);
	cr_assert_eq(seats_parse("a address=1.1.1.1\nb address=1.1.1.2\nc address=1.1.1.3\nd address=1.1.1.4\n", &seats, &err), 0);
	hosts_faults_text(&h, &seats, text, sizeof(text));
	cr_assert_str_eq(text, "");
	hosts_fault_set(&h, "a", "one");
	hosts_fault_set(&h, "a", "two");
	hosts_fault_set(&h, "gone", "it is not listed");
	cr_assert(hosts_fault_is(&h, "a", pst_mono_ms()));
	cr_assert(!hosts_fault_is(&h, "a", pst_mono_ms() + 3600000), "not for ever");
	cr_assert(!hosts_fault_is(&h, "b", 0));
	hosts_faults_text(&h, &seats, text, sizeof(text));
	cr_assert_str_eq(text, "a: two");
	for (const char *s = "bcd"; *s; s++) {
		snprintf(name, sizeof(name), "%c", *s);
		hosts_fault_set(&h, name, "x");
	}
	hosts_faults_text(&h, &seats, text, sizeof(text));
	cr_assert_str_eq(text, "a: two; b: x; c: x; and 1 more");
	hosts_fault_clear(&h, "a");
	hosts_fault_clear(&h, "a");
	cr_assert(!hosts_fault_is(&h, "a", 0));
	for (int i = 0; i < 2 * HOSTS_FAULTS_MAX; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		hosts_fault_set(&h, name, "x");
	}
	hosts_faults_text(&h, &seats, text, 20);
	cr_assert_lt(strlen(text), 20);
	seats_finish(&seats);
}
