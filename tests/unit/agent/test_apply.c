/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a seed leaves behind, once. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/enrol.h"
#include "agent/seed/apply.h"
#include "base/conf.h"
#include "tests/unit/agent/seed_kit.h"

TestSuite(apply, .init = kit_open, .fini = kit_close);

static struct seed_target target(void)
{
	return (struct seed_target){ .root = kit_root(), .uid = geteuid(), .gid = getegid() };
}

static void apply(const char *key, const char *value)
{
	struct seed_target t = target();
	struct pst_err err = PST_ERR_INIT;
	char *text = kit_seed(key, value);
	struct seed s;

	cr_assert_eq(seed_parse(text, strlen(text), &s, &err), 0, "%s", err.text);
	cr_assert(!seed_is_used(&t, &s));
	cr_assert_eq(seed_apply(&t, &s, &err), 0, "%s", err.text);
	cr_assert(seed_is_used(&t, &s) && seed_was_any(&t));
	seed_finish(&s);
	free(text);
}

static void holds(const char *path, const char *what)
{
	char *text = kit_get(path);

	cr_assert(strstr(text, what), "%s: %s", path, text);
	free(text);
}

Test(apply, test_names_and_settings)
{
	struct seed_target t = target();
	struct pst_err err = PST_ERR_INIT;
	struct pst_conf *conf = pst_conf_create();
	struct stat st;

	cr_assert(!seed_was_any(&t));
	kit_put("/etc/ssh/ssh_host_rsa_key", "old", 3);
	kit_put("/etc/ssh/ssh_host_rsa_key.pub", "old", 3);
	kit_put("/etc/ssh/sshd_config", "keep", 4);
	apply(NULL, NULL);
	holds("/etc/hostname", "d17\n");
	holds("/etc/hosts", "127.0.1.1 d17\n");
	holds(SEED_CA, "BEGIN CERTIFICATE");
	holds("/etc/ssh/sshd_config", "keep");
	cr_assert(access(kit_path("/etc/ssh/ssh_host_rsa_key"), F_OK) < 0 &&
		  access(kit_path("/etc/ssh/ssh_host_rsa_key.pub"), F_OK) < 0);
	cr_assert(stat(kit_path(SEED_AGENT_DIR), &st) == 0 && (st.st_mode & 0777) == 0700);
	cr_assert_eq(pst_conf_load(conf, kit_path(SEED_AGENT_CONF), &err), 0, "%s", err.text);
	cr_assert_eq(pst_conf_load(conf, kit_path(SEED_SESSION_CONF), &err), 0, "%s", err.text);
	cr_assert_str_eq(pst_conf_str(conf, "agent", "broker_tls", ""), "10.1.2.1:5911");
	cr_assert_str_eq(pst_conf_str(conf, "agent", "display_tls", ""), "[::]:5910");
	cr_assert_str_eq(pst_conf_str(conf, "agent", "layout", ""), "de(nodeadkeys)");
	cr_assert_str_eq(pst_conf_str(conf, "session", "locale", ""), "es_ES");
	pst_conf_destroy(conf);
}

Test(apply, test_the_agent_reads_the_enrolment)
{
	struct pst_err err = PST_ERR_INIT;
	struct enrol e;
	struct stat st;

	apply(NULL, NULL);
	cr_assert_eq(enrol_read(kit_path(SEED_AGENT_DIR "/enrol.json"), &e, &err), 0, "%s", err.text);
	cr_assert(strcmp(e.desktop, KIT_DESKTOP) == 0 && strcmp(e.token, "t0ken") == 0);
	cr_assert(stat(kit_path(SEED_AGENT_DIR "/enrol.json"), &st) == 0 && (st.st_mode & 0777) == 0600);
}

Test(apply, test_each_identity_has_a_machine_id_of_its_own)
{
	apply(NULL, NULL);
	char *first = kit_get("/etc/machine-id");
	apply("hostname", "\"d18\"");
	char *second = kit_get("/etc/machine-id");

	cr_assert(strlen(first) == 33 && strspn(first, "0123456789abcdef") == 32);
	cr_assert(strlen(second) == 33 && strcmp(first, second) != 0);
	free(first);
	free(second);
}

Test(apply, test_without_a_token_the_enrolment_stays)
{
	apply("token", NULL);
	cr_assert(access(kit_path(SEED_AGENT_DIR "/enrol.json"), F_OK) < 0);
	apply("token", "\"new\"");
	holds(SEED_AGENT_DIR "/enrol.json", "\"new\"");
	apply("token", "\"newer\"");
	holds(SEED_AGENT_DIR "/enrol.json", "\"newer\"");
}

Test(apply, test_the_same_without_its_token_is_no_new_seed)
{
	struct seed_target t = target();
	struct pst_err err = PST_ERR_INIT;
	struct seed s;
	char *text;

	apply("token", "\"first\"");
	text = kit_seed("token", NULL);
	cr_assert_eq(seed_parse(text, strlen(text), &s, &err), 0, "%s", err.text);
	cr_assert(seed_is_used(&t, &s), "the next start is given no token, and keeps machine id and keys");
	seed_finish(&s);
	free(text);
	text = kit_seed("hostname", "\"other\"");
	cr_assert_eq(seed_parse(text, strlen(text), &s, &err), 0, "%s", err.text);
	cr_assert(!seed_is_used(&t, &s));
	seed_finish(&s);
	free(text);
}

Test(apply, test_a_failure_leaves_the_seed_unused)
{
	struct seed_target t = target();
	struct pst_err err = PST_ERR_INIT;
	char *text = kit_seed(NULL, NULL);
	struct seed s;

	kit_put("/etc/puesto", "in the way", 10);
	cr_assert_eq(seed_parse(text, strlen(text), &s, &err), 0);
	cr_assert_lt(seed_apply(&t, &s, &err), 0);
	cr_assert(!seed_is_used(&t, &s) && !seed_was_any(&t));
	seed_finish(&s);
	free(text);
}
