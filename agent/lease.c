/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fence itself. It knows no JSON and no system: the agent for Windows is built with it, too. */
#include "agent/lease.h"

#include <string.h>

#include "base/text.h"

int lease_check(const struct lease *lease, const struct grant *g, int64_t now_ms, struct pst_err *err)
{
	if (now_ms >= g->expires_ms)
		return pst_err_set(err, PST_EDENIED, "the grant has expired: connect again");
	if (g->epoch < lease->epoch)
		return pst_err_set(
			err, PST_EDENIED, "the grant is older than the desktop's present one: connect again");
	if (g->epoch == lease->epoch && lease->is_used)
		return pst_err_set(err, PST_EDENIED, "the grant was used already: connect again");
	if (lease->user[0] && strcmp(lease->user, g->user) != 0)
		return pst_err_set(
			err, PST_ECONFLICT, "the desktop is still another user's: wait until it is free");
	return 0;
}

void lease_take(struct lease *lease, const struct grant *g)
{
	lease->epoch = g->epoch;
	lease->is_used = true;
	pst_strlcpy(lease->user, sizeof(lease->user), g->user);
}

bool lease_raise(struct lease *lease, uint64_t epoch)
{
	if (epoch <= lease->epoch || epoch > (uint64_t)LEASE_EPOCH_MAX)
		return false;
	lease->epoch = epoch;
	lease->is_used = false;
	return true;
}

bool lease_logoff(struct lease *lease)
{
	if (!lease->user[0])
		return false;
	lease->user[0] = 0;
	return true;
}
