/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The driver "hyperv": its settings here; its contract where tests/integration/test_hyperv.py has made a double of a host. */
#include "base/loop.h"
#include "base/text.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/registry.h"
#include "tests/unit/hypervisor/contract.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTION "provider-test"

static char data[64];

static struct driver *open_with(struct pst_conf *conf, uv_loop_t *loop, struct pst_err *err)
{
	struct driver_params p = { .name = "test", .data = data, .libexec = "/nowhere", .section = SECTION, .loop = loop, .conf = conf };

	return driver_open(registry_find("hyperv"), &p, err);
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

/* The double looks for files, and takes them away when it has done it. */
static void die(struct driver *d, const char *desktop)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", getenv("PUESTO_HYPERV_KILLS"), desktop);
	FILE *f = fopen(path, "w");
	cr_assert_not_null(f, "%s", path);
	fclose(f);
	while (access(path, F_OK) == 0)
		usleep(1000);
}

Test(hyperv, keeps_the_contract, .timeout = 240, .init = data_make, .fini = data_remove)
{
	const char *file = getenv("PUESTO_HYPERV_CONF");
	struct pst_err err = PST_ERR_INIT;
	uv_loop_t loop;

	if (!file)
		cr_skip("PUESTO_HYPERV_CONF names no host: tests/integration/test_hyperv.py does");
	uv_loop_init(&loop);
	struct pst_conf *conf = pst_conf_create();
	cr_assert_eq(pst_conf_load(conf, file, &err), 0, "%s", err.text);
	struct driver *d = open_with(conf, &loop, &err);
	cr_assert_not_null(d, "%s", err.text);
	contract_check(d, &loop, "ref:desk", die);
	driver_close(d);
	pst_conf_destroy(conf);
	pst_loop_drain(&loop);
}

#define RIGHT "addresses = 10.0.0.1-10.0.0.9\ncert = /c\nkey = /k\n"

Test(hyperv, bad_settings_are_named, .init = data_make, .fini = data_remove)
{
	static const struct {
		const char *settings, *word;
	} bad[] = {
		{ RIGHT, "url" },
		{ RIGHT "url = http://h:5985\n", "url" },
		{ "url = https://h:5986\ncert = /c\nkey = /k\n", "addresses" },
		{ RIGHT "url = https://h:5986\nfolder = /puesto\n", "folder" },
		{ RIGHT "url = https://h:5986\nfolder = D:\\a'b\n", "folder" },
		{ RIGHT "url = https://h:5986\nfolder = D:\\a\\\n", "folder" },
		{ RIGHT "url = https://h:5986\nimages = D:\\a*\n", "images" },
		{ "addresses = 10.0.0.1-10.0.0.9\nurl = https://h:5986\n", "cert and key" },
		{ "addresses = 10.0.0.1-10.0.0.9\nurl = https://h:5986\nuser = a\n", "password_file" },
		{ "addresses = 10.0.0.1-10.0.0.9\nurl = https://h:5986\nuser = a\npassword_file = /nonexistent\n", "password_file" },
		{ RIGHT "url = https://h:5986\ncapacity = 0\n", "capacity" },
		{ RIGHT "url = https://h:5986\ndeadline_s = 0\n", "deadline_s" },
	};
	uv_loop_t loop;

	uv_loop_init(&loop);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct pst_conf *conf = pst_conf_create();
		struct pst_err err = PST_ERR_INIT;
		char text[512];

		snprintf(text, sizeof(text), "[" SECTION "]\n%s", bad[i].settings);
		cr_assert_eq(pst_conf_parse(conf, "test", text, strlen(text), &err), 0, "%s", err.text);
		cr_assert_null(open_with(conf, &loop, &err), "%s", bad[i].settings);
		cr_assert_not_null(strstr(err.text, bad[i].word), "%s: %s", bad[i].settings, err.text);
		pst_conf_destroy(conf);
	}
	pst_loop_drain(&loop);
}
