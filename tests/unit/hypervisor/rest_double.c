/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See rest_double.h. */
#include "tests/unit/hypervisor/rest_double.h"

#include "base/conf.h"
#include "base/file.h"
#include "base/loop.h"
#include "base/text.h"
#include "broker/hypervisor/http.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/registry.h"
#include "tests/unit/hypervisor/contract.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char data[PATH_MAX];

static void die(struct driver *d, const char *desktop)
{
	struct http_params p = { .url = getenv("PUESTO_DOUBLE_URL"), .ca = getenv("PUESTO_DOUBLE_CA"), .timeout_ms = 20000, .connect_ms = 5000 };
	struct pst_err err = PST_ERR_INIT;
	char path[128];
	struct http_request r = { .method = "POST", .path = path };
	struct http *h = http_create(&p, &err);
	struct http_answer a;

	(void)d;
	cr_assert_not_null(h, "%s", err.text);
	snprintf(path, sizeof(path), "/double/die/%s", desktop);
	cr_assert_eq(http_call(h, &r, &a, &err), 0, "%s", err.text);
	cr_assert_eq(a.status, 200);
	http_answer_finish(&a);
	http_destroy(h);
}

static struct driver *open_with(const char *kind, const char *settings, uv_loop_t *loop, struct pst_conf **ret_conf, struct pst_err *err)
{
	struct driver_params p = { .name = "test", .data = data, .libexec = "/nowhere", .section = "provider-test", .loop = loop };
	char text[4096];

	snprintf(text, sizeof(text), "[provider-test]\nkind = %s\n%s", kind, settings);
	*ret_conf = p.conf = pst_conf_create();
	cr_assert_eq(pst_conf_parse(p.conf, "test", text, strlen(text), err), 0, "%s", err->text);
	return driver_open(registry_find(kind), &p, err);
}

void rest_double_contract(const char *kind, const char *image)
{
	const char *settings = getenv("PUESTO_DOUBLE");
	struct pst_err err = PST_ERR_INIT;
	struct pst_conf *conf;
	struct driver *d;
	uv_loop_t loop;

	if (!settings)
		cr_skip("PUESTO_DOUBLE names no double: tests/integration/test_%s.py does", kind);
	snprintf(data, sizeof(data), "/tmp/puesto-unit-XXXXXX");
	cr_assert_not_null(mkdtemp(data));
	uv_loop_init(&loop);
	d = open_with(kind, settings, &loop, &conf, &err);
	cr_assert_not_null(d, "%s", err.text);
	contract_check(d, &loop, image, die);
	driver_close(d);
	pst_conf_destroy(conf);
	pst_loop_drain(&loop);
	cr_assert_eq(tree_remove(data, &err), 0, "%s", err.text);
}

/* A key stands once in a section: what more says is left out of base. */
static void settings_join(char out[2048], const char *base, const char *more)
{
	char line[512];

	out[0] = '\0';
	while (*base) {
		size_t n = strcspn(base, "\n") + 1, key = strcspn(base, "=") + 1;

		snprintf(line, sizeof(line), "%.*s", (int)key, base);
		if (!strstr(more, line))
			snprintf(out + strlen(out), 2048 - strlen(out), "%.*s", (int)n, base);
		base += n;
	}
	snprintf(out + strlen(out), 2048 - strlen(out), "%s", more);
}

void rest_double_refuses(const char *kind, const char *base, const char *more, const char *word)
{
	char token[PATH_MAX], own[1024], settings[2048];
	struct pst_err err = PST_ERR_INIT;
	struct pst_conf *conf;
	uv_loop_t loop;

	snprintf(data, sizeof(data), "/tmp/puesto-unit-XXXXXX");
	cr_assert_not_null(mkdtemp(data));
	path_make(token, &err, "%s/token", data);
	cr_assert_eq(pst_file_write(token, "secret", 6, 0600, &err), 0);
	snprintf(own, sizeof(own), "%stoken_file = %.200s\n", base, token);
	settings_join(settings, own, more);
	uv_loop_init(&loop);
	cr_assert_null(open_with(kind, settings, &loop, &conf, &err), "%s", more);
	cr_assert_not_null(strstr(err.text, word), "%s: %s", more, err.text);
	pst_conf_destroy(conf);
	pst_loop_drain(&loop);
	cr_assert_eq(tree_remove(data, &err), 0, "%s", err.text);
}
