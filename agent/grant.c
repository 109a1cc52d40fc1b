/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Grants, the broker's sealed words: read in constant time up to the MAC, and strictly after it. */
#include "agent/lease.h"

#include <jansson.h>
#include <string.h>

#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"
#include "encoder/rect.h"

#define GRANT_JSON_MAX 4096

static int policy_read(json_t *policy, struct grant *g, struct pst_err *err)
{
	int64_t w, h;

	if (pst_json_opt_bool(policy, "clipboard_in", false, &g->clipboard_in, err) < 0 ||
		pst_json_opt_bool(policy, "clipboard_out", false, &g->clipboard_out, err) < 0 ||
		pst_json_opt_int(policy, "max_width", 1, SCREEN_SIDE_MAX, SCREEN_SIDE_MAX, &w, err) < 0 ||
		pst_json_opt_int(policy, "max_height", 1, SCREEN_SIDE_MAX, SCREEN_SIDE_MAX, &h, err) < 0)
		return PST_EINVAL;
	g->max_width = (uint16_t)w;
	g->max_height = (uint16_t)h;
	return 0;
}

static int fields_read(json_t *o, struct grant *g, const char **ret_desktop, struct pst_err *err)
{
	const char *user, *session;
	int64_t version, epoch;
	json_t *policy;

	if (pst_json_need_int(o, "v", 1, 1, &version, err) < 0 ||
		pst_json_need_str(o, "desktop", PST_UUID_SIZE - 1, ret_desktop, err) < 0 ||
		pst_json_need_str(o, "user", LEASE_USER_MAX, &user, err) < 0 ||
		pst_json_need_str(o, "session", PST_UUID_SIZE - 1, &session, err) < 0 ||
		pst_json_need_int(o, "epoch", 1, LEASE_EPOCH_MAX, &epoch, err) < 0 ||
		pst_json_need_int(o, "exp", 0, INT64_MAX, &g->expires_ms, err) < 0 ||
		pst_json_need_obj(o, "policy", &policy, err) < 0)
		return PST_EINVAL;
	if (user[0] == 0)
		return pst_err_set(err, PST_EINVAL, "user: is empty");
	pst_strlcpy(g->user, sizeof(g->user), user);
	pst_strlcpy(g->session, sizeof(g->session), session);
	g->epoch = (uint64_t)epoch;
	return policy_read(policy, g, err);
}

static bool mac_is_good(const struct lease *lease, const char *text, const char *dot, const char *end)
{
	uint8_t want[PST_SHA256_LEN], have[PST_SHA256_LEN];

	if (!lease->has_key || pst_base64url_decode(dot + 1, (size_t)(end - dot - 1), have, sizeof(have)) !=
				       (long)sizeof(have))
		return false;
	pst_hmac_sha256(lease->key, sizeof(lease->key), text, (size_t)(dot - text), want);
	bool is_good = pst_equal_ct(want, have, sizeof(want));
	pst_wipe(want, sizeof(want));
	return is_good;
}

int grant_parse(
	const char *text, size_t len, const struct lease *lease, struct grant *ret, struct pst_err *err)
{
	char body[GRANT_JSON_MAX];
	struct pst_err why = PST_ERR_INIT;
	const char *desktop = NULL, *dot = memchr(text, '.', len);

	if (!dot || !mac_is_good(lease, text, dot, text + len))
		return pst_err_set(err, PST_EAUTH, "this desktop does not accept the grant: connect again");
	long n = pst_base64url_decode(text, (size_t)(dot - text), body, sizeof(body));
	json_t *o = n < 0 ? NULL : pst_json_parse(body, (size_t)n, 4, &why);
	if (!o)
		return pst_err_set(err, PST_EAUTH, "the grant is not readable: connect again");

	memset(ret, 0, sizeof(*ret));
	int rc = fields_read(o, ret, &desktop, &why);
	if (rc < 0)
		rc = pst_err_set(err, PST_EAUTH, "the grant is not complete (%s): connect again", why.text);
	else if (strcmp(desktop, lease->desktop) != 0)
		rc = pst_err_set(err, PST_EDENIED, "the grant is for another desktop: connect again");
	json_decref(o);
	return rc;
}
