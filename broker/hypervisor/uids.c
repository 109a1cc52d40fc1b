/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gives uids to desktops, the longest unused one first. */
#include "broker/hypervisor/uids.h"

#include "base/hash.h"

#include <string.h>

void uids_init(struct uids *u, uid_t base, uint32_t count)
{
	PRE(count > 0 && count <= UIDS_MAX);
	memset(u, 0, sizeof(*u));
	pthread_mutex_init(&u->lock, NULL);
	u->base = base;
	u->count = count;
}

void uids_finish(struct uids *u)
{
	pthread_mutex_destroy(&u->lock);
}

uid_t uids_base_default(const char *salt, uid_t lowest)
{
	uint8_t sum[PST_SHA256_LEN];

	pst_sha256(salt, strlen(salt), sum);
	return lowest + ((uint32_t)sum[0] << 8 | sum[1]) % 4000 * 1000;
}

int uids_take(struct uids *u, const bool also[UIDS_MAX], uid_t *ret_uid, struct pst_err *err)
{
	int rc = PST_EBUSY;

	pthread_mutex_lock(&u->lock);
	for (uint32_t i = 0; i < u->count && rc != 0; i++) {
		uint32_t slot = (u->next + i) % u->count;

		if (!u->taken[slot] && !(also && also[slot])) {
			u->taken[slot] = true;
			u->next = (slot + 1) % u->count;
			*ret_uid = u->base + slot;
			rc = 0;
		}
	}
	pthread_mutex_unlock(&u->lock);
	return rc < 0 ? pst_err_set(err, rc, "all %u places for desktops are taken", u->count) : 0;
}

void uids_mark(struct uids *u, uid_t uid, bool taken)
{
	pthread_mutex_lock(&u->lock);
	if (uid >= u->base && uid - u->base < u->count)
		u->taken[uid - u->base] = taken;
	pthread_mutex_unlock(&u->lock);
}
