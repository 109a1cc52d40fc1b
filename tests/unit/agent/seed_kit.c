/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One authority for all tests of a process. */
#include "tests/unit/agent/seed_kit.h"

#include <criterion/criterion.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/tls.h"

static char root[64];

void kit_open(void)
{
	strcpy(root, "/tmp/puesto-seed-XXXXXX");
	cr_assert(mkdtemp(root));
}

void kit_close(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	cr_assert_eq(system(command), 0);
}

const char *kit_root(void)
{
	return root;
}

const char *kit_path(const char *path)
{
	static char out[4][PATH_MAX];
	static unsigned turn;

	snprintf(out[++turn % 4], PATH_MAX, "%s%s", root, path);
	return out[turn % 4];
}

void kit_put(const char *path, const void *data, size_t len)
{
	struct pst_err err = PST_ERR_INIT;
	char folder[PATH_MAX];

	strcpy(folder, kit_path(path));
	cr_assert_eq(pst_mkdirs(dirname(folder), 0755, &err), 0, "%s", err.text);
	cr_assert_eq(pst_file_write(kit_path(path), data, len, 0644, &err), 0, "%s", err.text);
}

char *kit_get(const char *path)
{
	struct pst_err err = PST_ERR_INIT;
	char *text = NULL;
	size_t len;

	return pst_file_read(kit_path(path), 65536, &text, &len, &err) < 0 ? strdup("") : text;
}

char *kit_seed(const char *key, const char *value)
{
	static struct pst_tls_pair ca;
	struct pst_err err = PST_ERR_INIT;

	if (!ca.cert_pem)
		cr_assert_eq(pst_tls_ca_make("ca", pst_wall_ms(), &ca, &err), 0, "%s", err.text);
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "desktop", KIT_DESKTOP, "token",
		"t0ken", "hostname", "d17", "broker", "10.1.2.1:5911", "display", "[::]:5910", "ca",
		ca.cert_pem, "locale", "es_ES", "layout", "de(nodeadkeys)");
	if (key && value)
		json_object_set_new(o, key, json_loads(value, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL));
	else if (key)
		json_object_del(o, key);
	char *text = json_dumps(o, 0);
	json_decref(o);
	return text;
}
