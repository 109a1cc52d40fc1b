/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an agent is told. */
#include "broker/hypervisor/seed.h"

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "broker/hypervisor/local/tree.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DESKTOP "1b4e28ba-2fa1-41d2-883f-0016d3cca427"

static int site(struct seed_site *s, const char *settings, struct pst_err *err)
{
	struct driver_params p = { .data = "/data", .section = "provider-a", .conf = pst_conf_create() };
	char text[512];
	int rc;

	snprintf(text, sizeof(text), "[provider-a]\n%s", settings);
	cr_assert_eq(pst_conf_parse(p.conf, "test", text, strlen(text), err), 0, "%s", err->text);
	memset(s, 0, sizeof(*s));
	rc = seed_site_read(s, &p, err);
	pst_conf_destroy(p.conf);
	return rc;
}

Test(seed, settings_have_defaults_and_are_checked)
{
	struct pst_err err = PST_ERR_INIT;
	struct seed_site s;

	cr_assert_eq(site(&s, "", &err), 0, "%s", err.text);
	cr_assert_str_eq(s.agents, "");
	cr_assert_str_eq(s.agents_ca, "/data/pki/ca.pem");
	cr_assert_eq(s.agent_port, 5910);
	cr_assert_eq(site(&s, "agents = broker\n", &err), PST_EINVAL);
	cr_assert_eq(site(&s, "agents = a b:1\n", &err), PST_EINVAL);
	cr_assert_eq(site(&s, "agent_port = 0\n", &err), PST_EINVAL);
}

Test(seed, has_the_token_and_the_authority)
{
	char dir[] = "/tmp/puesto-seed-XXXXXX", path[PATH_MAX], settings[PATH_MAX + 64];
	struct machine_request r = { .desktop = DESKTOP, .hostname = "d17", .locale = "es_ES", .layout = "es", .enrol_token = "secret" };
	struct pst_err err = PST_ERR_INIT;
	struct seed_site s;

	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/ca.pem", dir);
	snprintf(settings, sizeof(settings), "agents = 10.0.0.1:5911\nagents_ca = %s\nagent_port = 6000\n", path);
	cr_assert_eq(site(&s, settings, &err), 0, "%s", err.text);
	cr_assert_null(seed_text(&s, &r, &err));
	cr_assert_not_null(strstr(err.text, "agents_ca"), "%s", err.text);
	cr_assert_eq(pst_file_write(path, "CERT\n", 5, 0644, &err), 0);
	for (int i = 0; i < 2; i++) {
		char *text = seed_text(&s, &r, &err);
		json_t *o = text ? pst_json_parse(text, strlen(text), 2, &err) : NULL;
		const char *token = pst_json_str(o, "token", 64);

		cr_assert_not_null(o, "%s", err.text);
		cr_assert_str_eq(pst_json_str(o, "desktop", 64), DESKTOP);
		cr_assert_str_eq(pst_json_str(o, "broker", 64), "10.0.0.1:5911");
		cr_assert_str_eq(pst_json_str(o, "display", 64), "0.0.0.0:6000");
		cr_assert_str_eq(pst_json_str(o, "ca", 64), "CERT\n");
		cr_assert(i == 0 ? token && strcmp(token, "secret") == 0 : !token, "an enrolled desktop keeps what it has");
		json_decref(o);
		seed_text_free(text);
		r.enrol_token[0] = '\0';
	}
	cr_assert_eq(tree_remove(dir, &err), 0);
}

Test(seed, may_be_a_drive)
{
	char dir[] = "/tmp/puesto-seed-XXXXXX", ca[PATH_MAX], disk[PATH_MAX], settings[PATH_MAX + 64], *data;
	struct machine_request r = { .desktop = DESKTOP, .hostname = "d17", .locale = "es_ES", .layout = "es", .enrol_token = "secret-token" };
	struct pst_err err = PST_ERR_INIT;
	struct seed_site s;
	struct stat st;
	size_t len;

	cr_assert_not_null(mkdtemp(dir));
	snprintf(ca, sizeof(ca), "%s/ca.pem", dir);
	snprintf(disk, sizeof(disk), "%s/seed.iso", dir);
	snprintf(settings, sizeof(settings), "agents = 10.0.0.1:5911\nagents_ca = %s\n", ca);
	cr_assert_eq(site(&s, settings, &err), 0, "%s", err.text);
	cr_assert(seed_disk_write(disk, &s, &r, 0400, &err) < 0, "there is no authority");
	cr_assert_eq(pst_file_write(ca, "CERT\n", 5, 0644, &err), 0);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(seed_disk_write(disk, &s, &r, 0400, &err), 0, "%s", err.text);
		cr_assert(stat(disk, &st) == 0 && (st.st_mode & 0777) == 0400);
		cr_assert_eq(pst_file_read(disk, 1 << 20, &data, &len, &err), 0, "%s", err.text);
		cr_assert(memmem(data, len, "CIDATA", 6) && memmem(data, len, DESKTOP, strlen(DESKTOP)));
		cr_assert_eq(memmem(data, len, "secret-token", 12) != NULL, i == 0, "once it is used it stands nowhere");
		free(data);
		r.enrol_token[0] = '\0';
	}
	cr_assert_eq(tree_remove(dir, &err), 0);
}
