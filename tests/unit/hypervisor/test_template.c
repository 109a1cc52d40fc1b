/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Placeholders, and that no value becomes a program. */
#include "broker/hypervisor/ssh/template.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Test(template, placeholders_become_variables)
{
	static const struct {
		const char *text, *out;
	} cases[] = {
		{ "run {name}", "run \"${pst_name}\"" },
		{ "p={root}/{name}", "p=\"${pst_root}\"/\"${pst_name}\"" },
		{ "echo \"a {name} b\"", "echo \"a ${pst_name} b\"" },
		{ "awk '{print}' | awk '{ print $1 }'", "awk '{print}' | awk '{ print $1 }'" },
		{ "{ a; } && ${x} \"$y\"", "{ a; } && ${x} \"$y\"" },
		{ "echo \\\" {name} \\'", "echo \\\" \"${pst_name}\" \\'" },
		{ "echo \"it's {name}\"", "echo \"it's ${pst_name}\"" },
		{ "find -exec x {} +", "find -exec x {} +" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pst_err err = PST_ERR_INIT;
		char *out = template_compile(cases[i].text, &err);

		cr_assert_not_null(out, "%s: %s", cases[i].text, err.text);
		cr_assert_str_eq(out, cases[i].out);
		free(out);
	}
}

Test(template, mistakes_are_named)
{
	static const struct {
		const char *text, *word;
	} cases[] = {
		{ "", "bytes" },
		{ "run {nmae}", "{nmae}" },
		{ "sh -c 'run {name}'", "single quotes" },
		{ "echo 'a", "single quotes do not end" },
		{ "echo \"a", "double quotes do not end" },
		{ "a\nb", "control" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pst_err err = PST_ERR_INIT;

		cr_assert_null(template_compile(cases[i].text, &err), "%s", cases[i].text);
		cr_assert_not_null(strstr(err.text, cases[i].word), "%s: %s", cases[i].text, err.text);
	}
}

Test(template, knows_what_a_command_uses)
{
	struct pst_err err = PST_ERR_INIT;
	char *out = template_compile("cat {seed}", &err);

	cr_assert(template_uses(out, TEMPLATE_SEED));
	cr_assert(!template_uses(out, TEMPLATE_NAME));
	cr_assert(!template_uses(NULL, TEMPLATE_NAME));
	free(out);
}

/* A real shell says what comes out of a hostile value, in and out of quotes. */
Test(template, a_value_is_one_word_whatever_it_holds)
{
	static const char *const evil = "a'b\"c$(touch /tmp/puesto-evil)`id`; rm x & * \\ $HOME {name}";
	struct pst_err err = PST_ERR_INIT;
	char *command = template_compile("printf '<%s>' {hostname} x{hostname} \"{hostname}\"", &err), out[1024] = "", want[1024];
	struct pst_buf b;

	cr_assert_not_null(command, "%s", err.text);
	pst_buf_init(&b, 4096);
	pst_buf_put_str(&b, "/bin/sh -c ");
	struct pst_buf script;
	pst_buf_init(&script, 4096);
	template_assign(&script, TEMPLATE_HOSTNAME, evil);
	pst_buf_put_str(&script, command);
	template_quote(&b, pst_buf_cstr(&script));
	FILE *sh = popen(pst_buf_cstr(&b), "r");
	cr_assert_gt(fread(out, 1, sizeof(out) - 1, sh), 0);
	cr_assert_eq(pclose(sh), 0);
	snprintf(want, sizeof(want), "<%s><x%s><%s>", evil, evil, evil);
	cr_assert_str_eq(out, want);
	pst_buf_finish(&script);
	pst_buf_finish(&b);
	free(command);
}
