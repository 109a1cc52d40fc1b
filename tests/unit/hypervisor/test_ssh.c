/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The driver "ssh": its settings here; its contract where tests/integration/test_ssh.py has made a host.
 * Covers: broker/hypervisor/ssh/ssh.c broker/hypervisor/ssh/sets.c
 */
#include "base/loop.h"
#include "base/text.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/registry.h"
#include "broker/hypervisor/ssh/sets.h"
#include "broker/hypervisor/ssh/template.h"
#include "tests/unit/hypervisor/contract.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SECTION "provider-test"

static char data[PATH_MAX];

static struct driver *open_with(struct pst_conf *conf, uv_loop_t *loop, struct pst_err *err)
{
	struct driver_params p = { .name = "test", .data = data, .libexec = "/nowhere", .section = SECTION, .loop = loop, .conf = conf };

	return driver_open(registry_find("ssh"), &p, err);
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

static void die(struct driver *d, const char *desktop)
{
	char path[PATH_MAX];
	int pid = 0;

	snprintf(path, sizeof(path), "%s/puesto-%s/pid", getenv("PUESTO_SSH_MACHINES"), desktop);
	FILE *f = fopen(path, "r");
	cr_assert_not_null(f, "%s", path);
	cr_assert_eq(fscanf(f, "%d", &pid), 1);
	fclose(f);
	cr_assert_eq(kill(pid, SIGKILL), 0);
}

Test(ssh, keeps_the_contract, .timeout = 240)
{
	const char *file = getenv("PUESTO_SSH_CONF"), *image = getenv("PUESTO_SSH_IMAGE");
	struct pst_err err = PST_ERR_INIT;
	uv_loop_t loop;

	if (!file || !image)
		cr_skip("PUESTO_SSH_CONF names no host: tests/integration/test_ssh.py does");
	data_make();
	uv_loop_init(&loop);
	struct pst_conf *conf = pst_conf_create();
	cr_assert_eq(pst_conf_load(conf, file, &err), 0, "%s", err.text);
	struct driver *d = open_with(conf, &loop, &err);
	cr_assert_not_null(d, "%s", err.text);
	contract_check(d, &loop, image, die);
	driver_close(d);
	pst_conf_destroy(conf);
	pst_loop_drain(&loop);
	data_remove();
}

#define OWN "create = a\ndestroy = b\nlist = c\n"

Test(ssh, bad_settings_are_named)
{
	static const struct {
		const char *settings, *word;
	} bad[] = {
		{ "host = h\n", "create: missing" },
		{ "host = h\ncommands = docker\n", "jail, zones" },
		{ "host = h\ncommands = jail\nlist = none\n", "list: missing" },
		{ "host = h\ncommands = jail\nstart = run {nmae}\n", "start: {nmae}" },
		{ "commands = jail\n", "host" },
		{ "host = -oProxyCommand=x\ncommands = jail\n", "host" },
		{ "host = h\nuser = a b\ncommands = jail\n", "user" },
		{ "host = h\ncommands = jail\nidentity = here\n", "identity" },
		{ "host = h\ncommands = jail\nknown_hosts = /a b\n", "known_hosts" },
		{ "host = h\ncommands = jail\nrecords = here\n", "records" },
		{ "host = h\ncommands = jail\naddresses = 10.0.0.9\n", "addresses" },
		{ "host = h\ncommands = jail\ndeadline_s = 0\n", "deadline_s" },
		{ "host = h\ncommands = jail\nagents = x\n", "agents" },
		{ "host = h\n" OWN "sessions = 0\n", "sessions" },
		{ "host = h\n" OWN "port = 70000\n", "port" },
	};
	uv_loop_t loop;

	data_make();
	uv_loop_init(&loop);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct pst_err err = PST_ERR_INIT;
		struct pst_conf *conf = pst_conf_create();
		char text[512];

		snprintf(text, sizeof(text), "[" SECTION "]\n%s", bad[i].settings);
		cr_assert_eq(pst_conf_parse(conf, "test", text, strlen(text), &err), 0, "%s", err.text);
		cr_assert_null(open_with(conf, &loop, &err), "%s", bad[i].settings);
		cr_assert_not_null(strstr(err.text, bad[i].word), "%s: %s", bad[i].settings, err.text);
		pst_conf_destroy(conf);
	}
	pst_loop_drain(&loop);
	data_remove();
}

/* Every shipped command is one that a shell takes. */
Test(ssh, shipped_sets_compile_and_are_shell)
{
	static const char *const names[] = { "jail", "zones", "vzctl", "prlctl", "lxc" };

	cr_assert_null(ssh_set_find("docker"));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct ssh_set *set = ssh_set_find(names[i]);

		cr_assert_not_null(set);
		cr_assert_not_null(strstr(ssh_set_names(), names[i]));
		cr_assert_eq(ssh_set_root(set)[0] != '\0', 1);
		for (int c = 0; c < SSH_COMMANDS; c++) {
			const char *text = ssh_set_command(set, (enum ssh_command)c);
			struct pst_err err = PST_ERR_INIT;
			char *compiled = text ? template_compile(text, &err) : NULL;

			if (!text)
				continue;
			cr_assert_not_null(compiled, "%s %s: %s", names[i], ssh_command_key((enum ssh_command)c), err.text);
			FILE *sh = popen("/bin/sh -n", "w");
			fprintf(sh, "(%s\n)\n", compiled);
			cr_assert_eq(pclose(sh), 0, "%s %s: %s", names[i], ssh_command_key((enum ssh_command)c), compiled);
			free(compiled);
		}
	}
}

/* The tools of foreign hosts, as far as a list needs them: each says what it is to say, and ends as it is to end. */
static void tools_make(const char *dir, const char *said, int status)
{
	static const char *const tools[] = { "jls", "zfs", "zoneadm", "vzlist", "prlctl", "lxc-ls" };
	char path[PATH_MAX + 32];

	for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, tools[i]);
		FILE *f = fopen(path, "w");
		cr_assert_not_null(f);
		fprintf(f, "#!/bin/sh\n%s%s\nexit %d\n", strcmp(tools[i], "jls") == 0 ? "echo puesto-1 other; exit 0; " : "", said, status);
		fclose(f);
		chmod(path, 0755);
	}
}

/* Runs the set's list there; its exit status, and what it printed. */
static int list_run(const char *set, const char *dir, char *out, size_t size)
{
	struct pst_err err = PST_ERR_INIT;
	char *compiled = template_compile(ssh_set_command(ssh_set_find(set), SSH_LIST), &err), command[PATH_MAX + 64];
	FILE *sh;
	size_t n;

	cr_assert_not_null(compiled, "%s", err.text);
	snprintf(command, sizeof(command), "%s/list.sh", dir);
	sh = fopen(command, "w");
	fprintf(sh, "PATH=%s:/usr/bin:/bin; pst_root=zroot/jails\n(%s\n) || exit 1\n", dir, compiled);
	fclose(sh);
	snprintf(command, sizeof(command), "/bin/sh %s/list.sh", dir);
	sh = popen(command, "r");
	n = fread(out, 1, size - 1, sh);
	out[n] = '\0';
	free(compiled);
	return pclose(sh);
}

Test(ssh, a_list_whose_tool_fails_fails)
{
	static const struct {
		const char *set, *said, *wanted;
	} cases[] = {
		{ "jail", "printf 'zroot/jails\\nzroot/jails/puesto-1\\nzroot/jails/puesto-2\\n'", "jails stopped\npuesto-1 running\npuesto-2 stopped\n" },
		{ "zones", "printf '0:global:running:/\\n1:puesto-1:running:/zones/puesto-1\\n-:puesto-2:installed:/zones/puesto-2\\n'",
			"puesto-1 running\npuesto-2 installed\n" },
		{ "lxc", "printf 'NAME STATE IPV4\\npuesto-1 RUNNING 10.0.0.1\\n'", "puesto-1 RUNNING 10.0.0.1\n" },
		{ "vzctl", "echo puesto-1 running 10.0.0.1", "puesto-1 running 10.0.0.1\n" },
		{ "prlctl", "echo puesto-1 running 10.0.0.1", "puesto-1 running 10.0.0.1\n" },
	};
	struct pst_err err = PST_ERR_INIT;
	char out[4096];

	data_make();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		tools_make(data, cases[i].said, 0);
		cr_expect_eq(list_run(cases[i].set, data, out, sizeof(out)), 0, "%s", cases[i].set);
		cr_expect_str_eq(out, cases[i].wanted, "%s: %s", cases[i].set, out);
		tools_make(data, "", 1);
		cr_expect_neq(list_run(cases[i].set, data, out, sizeof(out)), 0, "%s: an empty list of a tool that failed", cases[i].set);
	}
	cr_assert_eq(tree_remove(data, &err), 0);
}
