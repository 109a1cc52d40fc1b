/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cookie, the Host and the Origin of a browser. */
#include "broker/auth/cookie.h"

#include <criterion/criterion.h>
#include <string.h>

#define TOKEN "0123456789abcdefghijABCDEFGHIJ-_0123456789x"

Test(cookie, ours_is_found_among_others_and_nothing_else_is)
{
	char out[COOKIE_VALUE_SIZE];
	static const char *const bad[] = {"", ";", "=", "a=b", COOKIE_NAME, COOKIE_NAME "=", COOKIE_NAME "=short",
		COOKIE_NAME "=" TOKEN "x", "x" COOKIE_NAME "=" TOKEN, COOKIE_NAME "=0123456789abcdefghijABCDEFGHIJ;-0123456789x"};

	cr_assert(cookie_find(COOKIE_NAME "=" TOKEN, out));
	cr_expect_str_eq(out, TOKEN);
	cr_assert(cookie_find("a=b; " COOKIE_NAME "=" TOKEN "; c=d", out));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_not(cookie_find(bad[i], out), "%s", bad[i]);
}

Test(cookie, format_has_every_fence)
{
	char out[256];

	cookie_format(TOKEN, out, sizeof(out));
	cr_expect(strstr(out, "; Secure; HttpOnly; SameSite=Strict"));
	cr_expect_not(strstr(out, "Max-Age"));
	cookie_format("", out, sizeof(out));
	cr_expect(strstr(out, "Max-Age=0"));
}

Test(cookie, hosts_are_names_of_ours_or_addresses)
{
	cr_expect(host_is_allowed("vdi.example:8443", "a, vdi.example"));
	cr_expect(host_is_allowed("VDI.example", "vdi.example"));
	cr_expect(host_is_allowed("10.0.0.1:1", ""));
	cr_expect(host_is_allowed("[::1]:8443", ""));
	cr_expect(host_is_allowed("any.name", "*"));
	cr_expect_not(host_is_allowed("evil.example", "vdi.example"));
	cr_expect_not(host_is_allowed("vdi.example.evil", "vdi.example"));
	cr_expect_not(host_is_allowed("", "*"));
	cr_expect_not(host_is_allowed(NULL, "*"));
	cr_expect_not(host_is_allowed("a\" b", "*"));
	cr_expect_not(host_is_allowed("[::1", "*"));
}

Test(cookie, an_origin_is_the_host_over_https)
{
	cr_expect(origin_matches("https://vdi.example:8443", "vdi.example:8443"));
	cr_expect(origin_matches("https://vdi.example", "vdi.example:443"));
	cr_expect(origin_matches("https://vdi.example:443", "vdi.example"));
	cr_expect_not(origin_matches("http://vdi.example", "vdi.example"));
	cr_expect_not(origin_matches("https://vdi.example.evil", "vdi.example"));
	cr_expect_not(origin_matches("https://vdi", "vdi.example"));
	cr_expect_not(origin_matches("null", "vdi.example"));
	cr_expect_not(origin_matches(NULL, "vdi.example"));
}
