/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A seed is taken whole or not at all. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "agent/seed/seed.h"
#include "base/mem.h"
#include "tests/unit/agent/seed_kit.h"

static int parse(const char *key, const char *value, struct seed *s, struct pst_err *err)
{
	char *text = kit_seed(key, value);
	int rc = seed_parse(text, strlen(text), s, err);

	free(text);
	return rc;
}

Test(seed, test_a_whole_seed_is_read)
{
	struct pst_err err = PST_ERR_INIT;
	struct seed s;

	cr_assert_eq(parse("random", "\"AAECAw==\"", &s, &err), 0, "%s", err.text);
	cr_assert_str_eq(s.desktop, KIT_DESKTOP);
	cr_assert_str_eq(s.token, "t0ken");
	cr_assert_str_eq(s.hostname, "d17");
	cr_assert_str_eq(s.display, "[::]:5910");
	cr_assert_str_eq(s.layout, "de(nodeadkeys)");
	cr_assert(s.random_len == 4 && memcmp(s.random, "\0\1\2\3", 4) == 0);
	cr_assert_eq(strncmp(s.ca, "-----BEGIN", 10), 0);
	seed_finish(&s);
	seed_finish(&s);
}

Test(seed, test_what_may_be_missing)
{
	static const char *const may[] = { "token", "display", "locale", "layout" };
	struct pst_err err = PST_ERR_INIT;
	struct seed s;

	for (size_t i = 0; i < PST_ARRAY_LEN(may); i++) {
		cr_assert_eq(parse(may[i], NULL, &s, &err), 0, "%s: %s", may[i], err.text);
		seed_finish(&s);
	}
}

Test(seed, test_what_is_wrong_is_named)
{
	static const struct {
		const char *key, *value, *reason;
	} bad[] = {
		{ "desktop", NULL, "desktop: is missing" },
		{ "desktop", "\"abc\"", "desktop: is no UUID" },
		{ "desktop", "17", "desktop" },
		{ "hostname", NULL, "hostname: is missing" },
		{ "hostname", "\"a.b\"", "hostname: has a character" },
		{ "hostname", "\"a b\"", "hostname: has a character" },
		{ "hostname", "\"a\\nroot\"", "hostname: has a character" },
		{ "hostname", "\"-a\"", "hostname: begins or ends" },
		{ "hostname", "\"a\\u0000b\"", "not allowed" },
		{ "broker", NULL, "broker: is missing" },
		{ "broker", "\"10.1.2.1\"", "broker" },
		{ "broker", "\"10.1.2.1:0\"", "broker" },
		{ "broker", "\"a.example:1\"", "broker: has a character" },
		{ "display", "\"0.0.0.0:99999\"", "display" },
		{ "ca", NULL, "ca" },
		{ "ca", "\"-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n\"", "ca" },
		{ "ca", "\"\"", "ca" },
		{ "token", "\"a b\"", "token: has a character" },
		{ "token", "\"a\\\"b\"", "token: has a character" },
		{ "locale", "\"../../etc\"", "locale: has a character" },
		{ "locale", "\"..\"", "locale: is malformed" },
		{ "layout", "\"es;reboot\"", "layout: has a character" },
		{ "layout", "\"-v\"", "layout: is malformed" },
		{ "time_ms", "-1", "time_ms" },
		{ "time_ms", "\"now\"", "time_ms" },
		{ "random", "\"?\"", "random: is no base64" },
		{ "shell", "\"id\"", "shell" },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(bad); i++) {
		struct pst_err err = PST_ERR_INIT;
		struct seed s;

		cr_assert_eq(parse(bad[i].key, bad[i].value, &s, &err), PST_EINVAL, "%s %s", bad[i].key,
			bad[i].value);
		cr_assert(strstr(err.text, bad[i].reason), "%s %s: %s", bad[i].key, bad[i].value, err.text);
		seed_finish(&s);
	}
}

Test(seed, test_what_is_too_long_or_no_object)
{
	static const char *const texts[] = { "", "[]", "{", "null", "{}x" };
	struct pst_err err = PST_ERR_INIT;
	char *big = malloc(SEED_MAX + 1), value[400];
	struct seed s;

	memset(big, ' ', SEED_MAX + 1);
	cr_assert_eq(seed_parse(big, SEED_MAX + 1, &s, &err), PST_EINVAL);
	free(big);
	for (size_t i = 0; i < PST_ARRAY_LEN(texts); i++)
		cr_assert_eq(seed_parse(texts[i], strlen(texts[i]), &s, &err), PST_EINVAL, "%s", texts[i]);
	memset(value, 'a', sizeof(value) - 1);
	value[0] = value[sizeof(value) - 2] = '"';
	value[sizeof(value) - 1] = 0;
	cr_assert_eq(parse("token", value, &s, &err), PST_EINVAL);
	cr_assert_eq(parse("hostname", value, &s, &err), PST_EINVAL);
	seed_finish(&s);
}

Test(seed, test_only_a_new_identity_makes_a_new_seed)
{
	static const struct {
		const char *key, *value;
		bool is_same;
	} changes[] = { { "time_ms", "5", true }, { "random", "\"AAAA\"", true },
		{ "token", "\"other\"", false }, { "hostname", "\"d18\"", false }, { "display", NULL, false },
		{ "layout", "\"us\"", false } };
	struct pst_err err = PST_ERR_INIT;
	struct seed first, s;

	cr_assert_eq(parse(NULL, NULL, &first, &err), 0, "%s", err.text);
	for (size_t i = 0; i < PST_ARRAY_LEN(changes); i++) {
		cr_assert_eq(parse(changes[i].key, changes[i].value, &s, &err), 0, "%s", err.text);
		cr_assert_eq(strcmp(s.hash, first.hash) == 0, changes[i].is_same, "%s", changes[i].key);
		seed_finish(&s);
	}
	seed_finish(&first);
}
