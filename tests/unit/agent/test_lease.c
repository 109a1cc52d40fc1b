/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The last fence: grants, epochs, users. Covers: agent/grant.c */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "agent/lease.h"
#include "base/mem.h"
#include "base/text.h"

#define DESKTOP "6f0c0b52-4a29-4d2c-9f43-0a7f1f6d1d11"
#define SESSION "0b8c8a38-51f4-4b59-8a6b-5f2d2e2b7c22"
#define NOW 1000000

static const uint8_t key[LEASE_KEY_SIZE] = "a key of thirty-two bytes, now.";

static size_t grant_make(char *out, const uint8_t *with, const char *json)
{
	uint8_t mac[PST_SHA256_LEN];
	long n = pst_base64url_encode(json, strlen(json), out, 6000);

	pst_hmac_sha256(with, LEASE_KEY_SIZE, out, (size_t)n, mac);
	out[n] = '.';
	return (size_t)(n + 1 + pst_base64url_encode(mac, sizeof(mac), out + n + 1, 100));
}

static struct lease lease_make(void)
{
	struct lease l = { .desktop = DESKTOP, .has_key = true };

	memcpy(l.key, key, sizeof(key));
	return l;
}

#define BODY(user, epoch)                                                                   \
	"{\"v\":1,\"desktop\":\"" DESKTOP "\",\"user\":\"" user "\",\"session\":\"" SESSION \
	"\",\"epoch\":" epoch ",\"exp\":1000001,\"policy\":{\"clipboard_in\":true,\"max_width\":800}}"

Test(lease, grants_are_read_strictly)
{
	static const struct {
		const char *json;
		int want;
	} cases[] = {
		{ BODY("ana", "7"), 0 },
		{ BODY("", "7"), PST_EAUTH },
		{ BODY("ana", "0"), PST_EAUTH },
		{ BODY("ana", "-1"), PST_EAUTH },
		{ BODY("ana", "1.5"), PST_EAUTH },
		{ BODY("ana", "9007199254740993"), PST_EAUTH },
		{ "{}", PST_EAUTH },
		{ "[]", PST_EAUTH },
		{ "not json", PST_EAUTH },
		{ "{\"v\":2,\"desktop\":\"" DESKTOP "\"}", PST_EAUTH },
		{ "{\"v\":1,\"desktop\":\"" SESSION "\",\"user\":\"ana\",\"session\":\"" SESSION
		  "\",\"epoch\":7,\"exp\":1000001,\"policy\":{}}",
			PST_EDENIED },
	};
	struct lease l = lease_make();

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		char text[8192];
		struct grant g;
		struct pst_err err = PST_ERR_INIT;
		size_t n = grant_make(text, key, cases[i].json);
		cr_assert_eq(grant_parse(text, n, &l, &g, &err), cases[i].want, "case %zu: %s", i, err.text);
		if (cases[i].want == 0)
			cr_assert(strcmp(g.user, "ana") == 0 && g.epoch == 7 && g.clipboard_in &&
				  !g.clipboard_out && g.max_width == 800);
	}
}

Test(lease, every_changed_byte_breaks_the_seal)
{
	char text[8192];
	struct grant g;
	struct lease l = lease_make(), none = l;
	size_t n = grant_make(text, key, BODY("ana", "7"));

	for (size_t i = 0; i < n; i++) {
		text[i] ^= 1;
		cr_assert_eq(grant_parse(text, n, &l, &g, NULL), PST_EAUTH, "byte %zu", i);
		text[i] ^= 1;
	}
	for (size_t i = 0; i < n; i++)
		cr_assert_eq(grant_parse(text, i, &l, &g, NULL), PST_EAUTH, "length %zu", i);
	none.has_key = false;
	cr_assert_eq(grant_parse(text, n, &none, &g, NULL), PST_EAUTH);
	cr_assert_eq(grant_parse(text, n, &l, &g, NULL), 0);
}

Test(lease, epochs_admit_once_and_never_go_down)
{
	static const struct {
		const char *holder, *user;
		uint64_t highest, epoch;
		bool is_used;
		int64_t now;
		int want;
	} cases[] = {
		{ "", "ana", 0, 1, false, NOW, 0 },
		{ "", "ana", 5, 5, false, NOW, 0 },
		{ "", "ana", 5, 5, true, NOW, PST_EDENIED },
		{ "", "ana", 5, 4, false, NOW, PST_EDENIED },
		{ "ana", "ana", 5, 6, true, NOW, 0 },
		{ "eva", "ana", 5, 6, true, NOW, PST_ECONFLICT },
		{ "eva", "ana", 5, 5, false, NOW, PST_ECONFLICT },
		{ "", "ana", 0, 1, false, NOW + 1, PST_EDENIED },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct lease l = { .epoch = cases[i].highest, .is_used = cases[i].is_used };
		struct grant g = { .epoch = cases[i].epoch, .expires_ms = NOW + 1 };
		struct pst_err err = PST_ERR_INIT;
		strcpy(l.user, cases[i].holder);
		strcpy(g.user, cases[i].user);
		cr_assert_eq(
			lease_check(&l, &g, cases[i].now, &err), cases[i].want, "case %zu: %s", i, err.text);
		cr_assert(cases[i].want == 0 || err.text[0]);
	}
}

Test(lease, log_off_frees_and_keeps_the_epoch)
{
	struct lease l = { 0 };
	struct grant g = { .epoch = 9, .user = "ana", .expires_ms = NOW + 1 };

	lease_take(&l, &g);
	cr_assert(strcmp(l.user, "ana") == 0 && l.epoch == 9 && l.is_used);
	cr_assert(!lease_raise(&l, 8) && !lease_raise(&l, 9) && l.is_used);
	cr_assert(lease_logoff(&l) && !lease_logoff(&l));
	cr_assert_eq(lease_check(&l, &g, NOW, NULL), PST_EDENIED);
	cr_assert(lease_raise(&l, 12) && !l.is_used);
	g.epoch = 11;
	cr_assert_eq(lease_check(&l, &g, NOW, NULL), PST_EDENIED);
	g.epoch = 12;
	cr_assert_eq(lease_check(&l, &g, NOW, NULL), 0);
	cr_assert(!lease_raise(&l, UINT64_MAX));
}
