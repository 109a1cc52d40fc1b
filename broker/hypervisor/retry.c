/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decides about another try: only of what does no harm twice, soon at first, and never past the deadline. */
#include "broker/hypervisor/retry.h"

#include "base/err.h"
#include "base/mem.h"

static bool is_passing(const struct retry *r)
{
	if (r->code != 0)
		return r->code == PST_ECLOSED && (r->repeatable || !r->sent);
	switch (r->status) {
	case 429:
		return true;
	case 503: /* refused before it was done, where it says when to ask again (RFC 9110, 15.6.4); else it may be a gateway's */
		return r->asked || r->repeatable;
	case 502:
	case 504: /* a gateway does not know what became of it */
		return r->repeatable;
	default:
		return false;
	}
}

int64_t retry_wait_ms(const struct retry *r)
{
	uint64_t wait;

	if (r->tries >= RETRY_TRIES_MAX || !is_passing(r))
		return -1;
	wait = PST_MIN((uint64_t)RETRY_FIRST_MS << (r->tries - 1), (uint64_t)RETRY_LAST_MS);
	wait = PST_MAX(wait, r->asked_ms);
	return wait < r->left_ms ? (int64_t)wait : -1;
}
