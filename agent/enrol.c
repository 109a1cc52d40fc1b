/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small JSON file. */
#include "agent/enrol.h"

#include <stdlib.h>
#include <string.h>

#include "base/daemon.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"

#define FILE_MAX 4096

static int fields_read(json_t *o, struct enrol *e, struct pst_err *err)
{
	const char *desktop, *token;
	struct pst_uuid uuid;

	if (pst_json_need_str(o, "desktop", PST_UUID_SIZE - 1, &desktop, err) < 0 ||
		pst_json_need_str(o, "token", ENROL_TOKEN_MAX, &token, err) < 0)
		return PST_EINVAL;
	if (pst_uuid_parse(desktop, &uuid) < 0 || token[0] == 0)
		return pst_err_set(err, PST_EINVAL, "desktop or token: is malformed");
	pst_strlcpy(e->desktop, sizeof(e->desktop), desktop);
	pst_strlcpy(e->token, sizeof(e->token), token);
	pst_sha256_hex(token, strlen(token), e->hash);
	return 0;
}

int enrol_read(const char *path, struct enrol *ret, struct pst_err *err)
{
	char *text = NULL;
	size_t len;

	memset(ret, 0, sizeof(*ret));
	int rc = pst_file_read(path, FILE_MAX, &text, &len, err);
	if (rc < 0)
		return rc;

	json_t *o = pst_json_parse(text, len, 4, err);
	rc = o ? fields_read(o, ret, err) : err->code;
	json_decref(o);
	pst_wipe(text, len);
	free(text);
	return rc < 0 ? pst_err_wrap(err, "%s", path) : 0;
}
