/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads an account. */
#include "protocol/source/rdp/account.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"

#define PASSWORD_MAX 512
#define ACCOUNT_MAX (64 * 1024)

static void copy(const json_t *o, const char *key, char *to, size_t size)
{
	const char *text = pst_json_str(o, key, size - 1);

	pst_strlcpy(to, size, text ? text : "");
}

static int identity_read(const json_t *o, struct rdp_account *a, struct pst_err *err)
{
	const char *fingerprint = pst_json_str(o, "fingerprint", 2 * RDP_FINGERPRINT_LEN), *ca = pst_json_str(o, "ca", RDP_CA_MAX);

	if (fingerprint) {
		a->has_fingerprint = strlen(fingerprint) == 2 * (size_t)RDP_FINGERPRINT_LEN &&
			pst_hex_decode(fingerprint, 2 * (size_t)RDP_FINGERPRINT_LEN, a->fingerprint, RDP_FINGERPRINT_LEN) == RDP_FINGERPRINT_LEN;
		if (!a->has_fingerprint)
			return pst_err_set(err, PST_EINVAL, "the fingerprint of its certificate is not 64 hexadecimal digits");
	} else if (ca && a->name[0]) {
		a->ca = strdup(ca);
		if (!a->ca)
			return pst_err_set(err, PST_ENOMEM, "no memory for an account");
	} else {
		return pst_err_set(err, PST_EINVAL, "nothing says by what certificate its server is known");
	}
	return 0;
}

static int read_all(const json_t *o, struct rdp_account *a, struct pst_err *err)
{
	const char *login = pst_json_str(o, "login", 8), *password = pst_json_str(o, "password", PASSWORD_MAX);

	if (!login || (strcmp(login, "ask") != 0 && strcmp(login, "fixed") != 0))
		return pst_err_set(err, PST_EINVAL, "nothing says how to log in to its server");
	a->asks = strcmp(login, "ask") == 0;
	a->has_video = pst_json_bool(o, "video", false);
	copy(o, "user", a->user, sizeof(a->user));
	copy(o, "domain", a->domain, sizeof(a->domain));
	copy(o, "name", a->name, sizeof(a->name));
	copy(o, "layout", a->layout, sizeof(a->layout));
	if (!a->asks && (!a->user[0] || !password))
		return pst_err_set(err, PST_EINVAL, "a user or a password for its server is missing");
	if (password && !a->asks && pst_secret_init_str(&a->password, password) < 0)
		return pst_err_set(err, PST_ENOMEM, "no memory for an account");
	return identity_read(o, a, err);
}

int rdp_account_parse(const char *json, struct rdp_account *ret, struct pst_err *err)
{
	struct rdp_account a = { .asks = true };
	size_t len = strlen(json);
	json_t *o = len <= ACCOUNT_MAX ? pst_json_parse(json, len, 2, err) : NULL;
	int rc = json_is_object(o) ? read_all(o, &a, err) : pst_err_set(err, PST_EINVAL, "nothing says how to log in to its server");

	json_decref(o);
	if (rc < 0)
		rdp_account_finish(&a);
	else
		*ret = a;
	return rc;
}

void rdp_account_finish(struct rdp_account *a)
{
	pst_secret_finish(&a->password);
	free(a->ca);
	a->ca = NULL;
}
