/* SPDX-License-Identifier: GPL-3.0-or-later */
/* On agent/lease.c, which keeps the epochs as it does for Linux. */
#include "agent/windows/hold.h"

#include <string.h>

#include "agent/windows/fields.h"
#include "base/secret.h"
#include "base/text.h"

int hold_lease(struct hold *h, const char *user, uint64_t epoch, bool *ret_changed, struct pst_err *err)
{
	*ret_changed = false;
	if (epoch == 0 || epoch < h->lease.epoch || epoch > (uint64_t)LEASE_EPOCH_MAX)
		return pst_err_set(err, PST_EDENIED, "a lease of epoch %llu is refused: the highest one is %llu", (unsigned long long)epoch,
			(unsigned long long)h->lease.epoch);
	*ret_changed = lease_raise(&h->lease, epoch);
	if (strlen(user) > LEASE_USER_MAX || !user[0])
		return pst_err_set(err, PST_EINVAL, "a lease names no user, or one with too long a name");
	if (h->lease.user[0] && strcmp(h->lease.user, user) != 0)
		return pst_err_set(err, PST_ECONFLICT, "a lease of %s is refused: %s has not logged off", user, h->lease.user);
	if (strcmp(h->offered, user) != 0) {
		pst_strlcpy(h->offered, sizeof(h->offered), user);
		*ret_changed = true;
	}
	return 0;
}

bool hold_admit(struct hold *h, const struct seat *seat, bool *ret_changed)
{
	*ret_changed = false;
	if (!seat->is_remote)
		return true; /* the machine's own screen is the administrator's */
	if (h->account[0])
		return strcmp(h->account, seat->account) == 0;
	if (!h->offered[0])
		return false;
	pst_strlcpy(h->lease.user, sizeof(h->lease.user), h->offered);
	pst_strlcpy(h->account, sizeof(h->account), seat->account);
	h->lease.is_used = true;
	*ret_changed = true;
	return true;
}

bool hold_clear(struct hold *h)
{
	bool was = lease_logoff(&h->lease);

	h->account[0] = h->offered[0] = '\0';
	return was;
}

bool hold_logoff(struct hold *h, const struct seat *seat)
{
	return h->account[0] && strcmp(h->account, seat->account) == 0 && hold_clear(h);
}

int hold_write(const struct hold *h, struct pst_buf *out)
{
	char key[PST_BASE64_LEN(LEASE_KEY_SIZE) + 1] = "";

	if (h->lease.has_key)
		pst_base64_encode(h->lease.key, sizeof(h->lease.key), key, sizeof(key));
	fields_begin(out);
	fields_put_str(out, "desktop", h->lease.desktop);
	fields_put_str(out, "user", h->lease.user);
	fields_put_str(out, "offered", h->offered);
	fields_put_str(out, "account", h->account);
	fields_put_str(out, "key", key);
	fields_put_str(out, "enrolled", h->enrolled);
	fields_put_int(out, "epoch", (int64_t)h->lease.epoch);
	fields_put_bool(out, "used", h->lease.is_used);
	fields_end(out);
	pst_wipe(key, sizeof(key));
	return out->failed ? PST_ENOMEM : 0;
}

static bool text_take(const struct fields *f, const char *name, char *out, size_t size)
{
	const char *text = fields_str(f, name, size - 1);

	return text && pst_strlcpy(out, size, text) == 0;
}

static int fields_take(const struct fields *f, struct hold *h)
{
	const char *key = fields_str(f, "key", 64);
	int64_t epoch = fields_int(f, "epoch", 0, LEASE_EPOCH_MAX, -1);

	if (!text_take(f, "desktop", h->lease.desktop, sizeof(h->lease.desktop)) ||
		!text_take(f, "user", h->lease.user, sizeof(h->lease.user)) || !text_take(f, "offered", h->offered, sizeof(h->offered)) ||
		!text_take(f, "account", h->account, sizeof(h->account)) || !text_take(f, "enrolled", h->enrolled, sizeof(h->enrolled)) ||
		!key || epoch < 0 || !fields_has(f, "used"))
		return PST_EINVAL;
	if (key[0] && pst_base64_decode(key, strlen(key), h->lease.key, sizeof(h->lease.key)) != LEASE_KEY_SIZE)
		return PST_EINVAL;
	h->lease.has_key = key[0] != '\0';
	h->lease.epoch = (uint64_t)epoch;
	h->lease.is_used = fields_bool(f, "used", true);
	return 0;
}

int hold_read(const char *text, size_t len, struct hold *ret, struct pst_err *err)
{
	struct fields *f = fields_parse(text, len, err);
	int rc = PST_EINVAL;

	memset(ret, 0, sizeof(*ret));
	if (f && (rc = fields_take(f, ret)) < 0)
		pst_err_set(err, rc, "a field is missing or malformed");
	fields_free(f);
	if (rc < 0)
		pst_wipe(ret, sizeof(*ret));
	return rc;
}
