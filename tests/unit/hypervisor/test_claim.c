/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is written beside a machine comes back, and what somebody else wrote does not pass. */
#include "broker/hypervisor/rest/claim.h"

#include "base/text.h"
#include "tests/unit/hypervisor/contract.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK "0123456789abcdef0123456789abcdef"

static void claim_make(struct claim *c)
{
	memset(c, 0, sizeof(*c));
	contract_request(&c->request, "ref:desk");
	c->phase = CLAIM_STOPPED;
	pst_strlcpy(c->instance, sizeof(c->instance), MARK);
	pst_strlcpy(c->provider, sizeof(c->provider), "pve");
	pst_strlcpy(c->place, sizeof(c->place), "105");
	pst_strlcpy(c->address, sizeof(c->address), "10.0.0.1");
}

Test(claim, comes_back_as_it_was_written)
{
	struct pst_err err = PST_ERR_INIT;
	struct claim c, back;
	char around[CLAIM_MAX + 64];

	claim_make(&c);
	char *text = claim_text(&c, &err);
	cr_assert_not_null(text, "%s", err.text);
	cr_assert_null(strstr(text, "token"), "whoever may look at machines does not read tokens");
	snprintf(around, sizeof(around), "Words before.\n\n    %s\n", text);
	cr_assert_eq(claim_parse(around, &back, &err), 0, "%s", err.text);
	cr_assert_eq(back.phase, CLAIM_STOPPED);
	cr_assert_str_eq(back.request.desktop, c.request.desktop);
	cr_assert_str_eq(back.request.image_base, "ref:desk");
	cr_assert_str_eq(back.address, "10.0.0.1");
	cr_assert(claim_is_ours(&back, MARK, "pve", "105"));
	cr_assert(!claim_is_ours(&back, MARK, "pve", "106"), "a copy of the machine");
	cr_assert(!claim_is_ours(&back, MARK, "other", "105"));
	cr_assert(!claim_is_ours(&back, "ffff", "pve", "105"));
	free(text);
}

Test(claim, of_somebody_else_is_refused)
{
	static const char *const texts[] = { "", "}{", "{}", "{\"v\":1}", "[", "{\"instance\":\"" MARK "\",\"provider\":\"pve\",\"place\":\"1\",\"address\":\"\","
		"\"phase\":\"dreaming\",\"request\":{}}", "{\"instance\":7}", "no claim at all" };
	struct pst_err err = PST_ERR_INIT;
	struct claim c = { .phase = CLAIM_RUNNING };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_assert_eq(claim_parse(texts[i], &c, &err), PST_EINVAL, "%zu", i);
	char *huge = calloc(1, 2 * CLAIM_MAX);
	memset(huge, ' ', 2 * CLAIM_MAX - 1);
	huge[0] = '{';
	huge[2 * CLAIM_MAX - 2] = '}';
	cr_assert_eq(claim_parse(huge, &c, &err), PST_EINVAL);
	free(huge);
}

Test(claim, that_is_too_long_says_so)
{
	struct pst_err err = PST_ERR_INIT;
	struct claim c;

	claim_make(&c);
	memset(c.request.image_base, 'a', sizeof(c.request.image_base) - 1);
	memset(c.request.image_path, 'a', sizeof(c.request.image_path) - 1);
	cr_assert_null(claim_text(&c, &err));
	cr_assert_eq(err.code, PST_ELIMIT);
}

Test(claim, tells_the_state)
{
	static const struct {
		enum claim_phase phase;
		bool runs;
		enum machine_state state;
		bool has_reason;
	} cases[] = { { CLAIM_CREATING, false, MACHINE_FAILED, true }, { CLAIM_CREATING, true, MACHINE_RUNNING, false },
		{ CLAIM_RUNNING, true, MACHINE_RUNNING, false }, { CLAIM_RUNNING, false, MACHINE_FAILED, true }, { CLAIM_STOPPED, false, MACHINE_STOPPED, false },
		{ CLAIM_STOPPED, true, MACHINE_RUNNING, false }, { CLAIM_DESTROYING, true, MACHINE_FAILED, true } };
	char reason[MACHINE_REASON_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct claim c = { .phase = cases[i].phase };

		cr_assert_eq(claim_state(&c, cases[i].runs, reason), cases[i].state, "%zu", i);
		cr_assert_eq(reason[0] != '\0', cases[i].has_reason, "%zu: %s", i, reason);
	}
	cr_assert_gt(claim_rank(CLAIM_STOPPED), claim_rank(CLAIM_CREATING));
	cr_assert_gt(claim_rank(CLAIM_CREATING), claim_rank(CLAIM_DESTROYING));
}
