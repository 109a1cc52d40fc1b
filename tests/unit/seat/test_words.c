/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reasons of servers and of the library. Covers: protocol/source/rdp/words.c */
#include "protocol/source/rdp/words.h"

#include <criterion/criterion.h>
#include <freerdp/error.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

Test(rdp_words, each_end_has_its_sentence)
{
	static const struct {
		uint32_t last, info;
		bool was_shown;
		int code;
		const char *words;
	} cases[] = {
		{ 0, ERRINFO_LOGOFF_BY_USER, true, 0, "logged off" },
		{ 0, ERRINFO_DISCONNECTED_BY_OTHER_CONNECTION, true, PST_ECONFLICT, "somebody else" },
		{ FREERDP_ERROR_CONNECT_LOGON_FAILURE, 0, false, PST_EAUTH, "user name or password" },
		{ FREERDP_ERROR_CONNECT_ACCOUNT_LOCKED_OUT, 0, false, PST_EAUTH, "locked" },
		{ FREERDP_ERROR_SECURITY_NEGO_CONNECT_FAILED, 0, false, PST_EUNSUPPORTED, "Network Level Authentication" },
		{ 0, ERRINFO_LICENSE_NO_LICENSE, false, PST_EDENIED, "licence" },
		{ FREERDP_ERROR_CONNECT_TRANSPORT_FAILED, 0, true, PST_ECLOSED, "stopped or restarted" },
		{ FREERDP_ERROR_CONNECT_TRANSPORT_FAILED, 0, false, PST_ECLOSED, "while it began" },
		{ 0x12345678, 0x7fffffff, false, PST_EPROTO, "broke off" },
		{ 0x12345678, 0x7fffffff, true, PST_ECLOSED, "closed the connection" },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct rdp_reason r = rdp_reason_of(cases[i].last, cases[i].info, cases[i].was_shown);

		cr_expect_eq(r.code, cases[i].code, "%zu: %d", i, r.code);
		cr_expect_not_null(strstr(r.words, cases[i].words), "%zu: %s", i, r.words);
	}
}
