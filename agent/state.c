/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A damaged state file is an error, not a fresh start: it would forget the highest epoch. */
#include "agent/state.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/daemon.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"

#define STATE_MAX 4096

static int fields_read(json_t *o, struct lease *l, char *enrolled, struct pst_err *err)
{
	const char *desktop, *user, *key, *token;
	int64_t epoch;

	if (pst_json_need_str(o, "desktop", PST_UUID_SIZE - 1, &desktop, err) < 0 ||
		pst_json_need_str(o, "user", LEASE_USER_MAX, &user, err) < 0 ||
		pst_json_need_str(o, "key", 64, &key, err) < 0 ||
		pst_json_need_str(o, "enrolled", PST_SHA256_HEX_SIZE - 1, &token, err) < 0 ||
		pst_json_need_int(o, "epoch", 0, INT64_MAX, &epoch, err) < 0 ||
		pst_json_need_bool(o, "used", &l->is_used, err) < 0)
		return PST_EINVAL;
	if (key[0] && pst_base64_decode(key, strlen(key), l->key, sizeof(l->key)) != LEASE_KEY_SIZE)
		return pst_err_set(err, PST_EINVAL, "key: is damaged");

	l->has_key = key[0] != 0;
	l->epoch = (uint64_t)epoch;
	pst_strlcpy(l->desktop, sizeof(l->desktop), desktop);
	pst_strlcpy(l->user, sizeof(l->user), user);
	pst_strlcpy(enrolled, PST_SHA256_HEX_SIZE, token);
	return 0;
}

int state_load(const char *path, struct lease *ret, char enrolled[PST_SHA256_HEX_SIZE], struct pst_err *err)
{
	char *text = NULL;
	size_t len;

	memset(ret, 0, sizeof(*ret));
	enrolled[0] = 0;
	int rc = pst_file_read(path, STATE_MAX, &text, &len, err);
	if (rc < 0)
		return rc;

	json_t *o = pst_json_parse(text, len, 4, err);
	rc = o ? fields_read(o, ret, enrolled, err) : err->code;
	json_decref(o);
	pst_wipe(text, len);
	free(text);
	return rc < 0 ? pst_err_wrap(err, "%s is damaged: remove it to enrol this desktop anew", path) : 0;
}

int state_save(const char *path, const struct lease *lease, const char *enrolled, struct pst_err *err)
{
	char key[PST_BASE64_LEN(LEASE_KEY_SIZE) + 1] = "";

	if (lease->has_key)
		pst_base64_encode(lease->key, sizeof(lease->key), key, sizeof(key));
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:I, s:b}", "desktop", lease->desktop, "user",
		lease->user, "key", key, "enrolled", enrolled, "epoch", (json_int_t)lease->epoch, "used",
		lease->is_used);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	pst_wipe(key, sizeof(key));
	if (!text)
		return pst_err_set(err, PST_ENOMEM, "no memory for the agent's state");

	int rc = pst_file_write(path, text, strlen(text), 0600, err);
	pst_wipe(text, strlen(text));
	free(text);
	return rc;
}
