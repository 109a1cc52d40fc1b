/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Configuration texts, good and bad, by tables. Covers: base/conf_parse.c */
#include "base/conf.h"

#include "base/mem.h"
#include "tests/unit/base/util.h"

static struct pst_conf *conf_of(const char *text)
{
	struct pst_conf *c = pst_conf_create();
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(pst_conf_parse(c, "t.conf", text, strlen(text), &err), 0, "%s", err.text);
	return c;
}

Test(conf, reads_values_and_defaults)
{
	struct pst_conf *c = conf_of("# comment\r\n; other\n[net]\nport = 8443 \r\n"
				     "  host=a = b # c\nquoted = \"  x \\\"y\\\" \\\\ \\n\\t\" \n"
				     "wait=250ms\nlong = 2h\nplain=3\non=yes\nempty=\n[pool-1]\na=1");
	struct pst_err err;
	uint32_t u;
	uint64_t ms;
	bool b;

	cr_assert_eq(pst_conf_u32(c, "net", "port", 1, 65535, 1, &u, &err), 0);
	cr_assert_eq(u, 8443);
	cr_assert_eq(pst_conf_u32(c, "net", "none", 1, 65535, 9, &u, &err), 0);
	cr_assert_eq(u, 9);
	cr_assert_str_eq(pst_conf_str(c, "net", "host", NULL), "a = b # c");
	cr_assert_str_eq(pst_conf_str(c, "net", "quoted", NULL), "  x \"y\" \\ \n\t");
	cr_assert_str_eq(pst_conf_str(c, "net", "empty", "no"), "");
	cr_assert(pst_conf_duration_ms(c, "net", "wait", 1, 10000, 5, &ms, &err) == 0 && ms == 250);
	cr_assert(pst_conf_duration_ms(c, "net", "long", 1, 7200000, 5, &ms, &err) == 0 && ms == 7200000);
	cr_assert(pst_conf_duration_ms(c, "net", "plain", 1, 10000, 5, &ms, &err) == 0 && ms == 3000);
	cr_assert(pst_conf_duration_ms(c, "net", "none", 1, 10000, 5, &ms, &err) == 0 && ms == 5);
	cr_assert(pst_conf_bool(c, "net", "on", false, &b, &err) == 0 && b);
	cr_assert(pst_conf_bool(c, "net", "none", true, &b, &err) == 0 && b);
	cr_assert(pst_conf_has(c, "pool-1", "a") && !pst_conf_has(c, "pool-1", "b"));

	cr_assert_eq(pst_conf_check_unused(c, &err), PST_EINVAL);
	cr_assert_str_eq(err.text, "t.conf:13: [pool-1] a: is not a known key");
	pst_conf_str(c, "pool-1", "a", NULL);
	cr_assert_eq(pst_conf_check_unused(c, &err), 0);
	pst_conf_destroy(c);
	pst_conf_destroy(NULL);
}

Test(conf, names_the_line_of_a_mistake)
{
	static const struct {
		const char *text, *where;
	} cases[] = {
		{ "a = 1", "t.conf:1" }, { "[a]\n\nnonsense", "t.conf:3" }, { "[a", "t.conf:1" }, { "[]", "t.conf:1" },
		{ "[A]", "t.conf:1" }, { "[a] x", "t.conf:1" }, { "[a]\nB=1", "t.conf:2" }, { "[a]\n=1", "t.conf:2" },
		{ "[a]\nb=1\nb=2", "t.conf:3" }, { "[a]\nb=\"x", "t.conf:2" }, { "[a]\nb=\"x\" y", "t.conf:2" },
		{ "[a]\nb=\"\\q\"", "t.conf:2" }, { "[a]\nb=\"\\", "t.conf:2" }, { "[a]\nb=\xff", "t.conf:2" },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct pst_conf *c = pst_conf_create();
		struct pst_err err;

		cr_assert_eq(pst_conf_parse(c, "t.conf", cases[i].text, strlen(cases[i].text), &err), PST_EINVAL,
			"case %zu", i);
		cr_assert_eq(strncmp(err.text, cases[i].where, 8), 0, "%s", err.text);
		pst_conf_destroy(c);
	}
}

Test(conf, typed_mistakes_name_the_key)
{
	struct pst_conf *c = conf_of("[a]\nn=12x\nbig=99\nb=maybe\nd=5 minutes\nlate=9d\ne=\n");
	struct pst_err err;
	const char *s;
	uint32_t u;
	uint64_t ms;
	bool b;

	cr_assert_eq(pst_conf_u32(c, "a", "n", 0, 50, 1, &u, &err), PST_EINVAL);
	cr_assert_str_eq(err.text, "t.conf:2: [a] n: must be a whole number between 0 and 50");
	cr_assert_eq(pst_conf_u32(c, "a", "big", 0, 50, 1, &u, &err), PST_EINVAL);
	cr_assert_eq(pst_conf_bool(c, "a", "b", true, &b, &err), PST_EINVAL);
	cr_assert_eq(pst_conf_duration_ms(c, "a", "d", 0, 50, 1, &ms, &err), PST_EINVAL);
	cr_assert_eq(pst_conf_duration_ms(c, "a", "late", 0, 50, 1, &ms, &err), PST_EINVAL);
	cr_assert_eq(pst_conf_need(c, "a", "e", &s, &err), PST_EINVAL);
	cr_assert_eq(pst_conf_need(c, "a", "zz", &s, &err), PST_EINVAL);
	cr_assert_str_eq(err.text, "configuration: [a] zz is not set");
	cr_assert_eq(pst_conf_need(c, "a", "n", &s, &err), 0);
	pst_conf_destroy(c);
}

static bool collect(const char *section, void *arg)
{
	strcat(arg, section);
	strcat(arg, ";");
	return strlen(arg) < 12;
}

Test(conf, later_files_and_overrides_win)
{
	struct pst_conf *c = conf_of("[a]\nx=1\ny=1\n[p-1]\nz=1\n[p-2]\nz=1\n[p-3]\nz=1\n");
	struct pst_err err;
	char names[64] = "";

	cr_assert_eq(pst_conf_override(c, "a.x=from=set", &err), 0);
	cr_assert_eq(pst_conf_parse(c, "u.conf", "[a]\nx=2\ny=2", 11, &err), 0);
	cr_assert_str_eq(pst_conf_str(c, "a", "x", NULL), "from=set");
	cr_assert_str_eq(pst_conf_str(c, "a", "y", NULL), "2");
	cr_assert_eq(pst_conf_parse(c, "u.conf", "[a]\ny=3\ny=4", 11, &err), PST_EINVAL);
	static const char *const bad[] = { "", "a", "a=b", "a.b", ".b=c", "a.=c", "A.b=c", "a.b.c=d", "a.b=\xff" };
	for (size_t i = 0; i < PST_ARRAY_LEN(bad); i++)
		cr_assert_eq(pst_conf_override(c, bad[i], &err), PST_EINVAL, "%s", bad[i]);
	pst_conf_each_section(c, "p-", collect, names);
	cr_assert_str_eq(names, "p-1;p-2;p-3;");
	pst_conf_destroy(c);
}

Test(conf, has_ceilings_and_loads_files)
{
	struct pst_conf *c = pst_conf_create();
	struct pst_err err;
	char *text = malloc(PST_CONF_MAX_BYTES + 1), line[32], dir[64], path[96];
	size_t at = 0;

	memset(text, '\n', PST_CONF_MAX_BYTES + 1);
	cr_assert_eq(pst_conf_parse(c, "big", text, PST_CONF_MAX_BYTES + 1, &err), PST_ELIMIT);
	at += (size_t)sprintf(text, "[a]\n");
	for (int i = 0; i <= PST_CONF_MAX_KEYS; i++)
		at += (size_t)snprintf(text + at, sizeof(line), "k%d=1\n", i);
	cr_assert_eq(pst_conf_parse(c, "many", text, at, &err), PST_ELIMIT);
	free(text);

	temp_dir_make(dir);
	snprintf(path, sizeof(path), "%s/c.conf", dir);
	cr_assert_eq(pst_conf_load(c, path, &err), PST_ENOTFOUND);
	FILE *f = fopen(path, "w");
	fputs("[zz]\nb=file\n", f);
	fclose(f);
	pst_conf_destroy(c);
	c = pst_conf_create();
	cr_assert_eq(pst_conf_load(c, path, &err), 0);
	cr_assert_str_eq(pst_conf_str(c, "zz", "b", NULL), "file");
	pst_conf_destroy(c);
	temp_dir_remove(dir);
}
