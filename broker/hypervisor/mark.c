/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A random number in a file, made once. */
#include "broker/hypervisor/mark.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "broker/hypervisor/path.h"

#include <stdlib.h>
#include <string.h>

#define BYTES ((MARK_SIZE - 1) / 2)

static int mark_check(const char *path, char *text, char out[MARK_SIZE], struct pst_err *err)
{
	uint8_t bytes[BYTES];

	text[strcspn(text, "\r\n")] = '\0';
	if (pst_hex_decode(text, strlen(text), bytes, sizeof(bytes)) != BYTES)
		return pst_err_set(err, PST_EINVAL, "%s: must be %d hexadecimal digits", path, MARK_SIZE - 1);
	return pst_strlcpy(out, MARK_SIZE, text);
}

int mark_read(const char *data, char out[MARK_SIZE], struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	char path[PATH_MAX], *text = NULL;
	uint8_t random[BYTES];
	size_t len = 0;
	int rc;

	if (path_make(path, err, "%s/instance", data) < 0)
		return err->code;
	rc = pst_file_read(path, 256, &text, &len, &why);
	if (rc == 0) {
		rc = mark_check(path, text, out, &why);
		free(text);
	}
	if (rc != PST_ENOTFOUND)
		return pst_err_pass(err, rc, &why);
	pst_random(random, sizeof(random));
	pst_hex_encode(random, sizeof(random), out, MARK_SIZE);
	return pst_file_write(path, out, strlen(out), 0644, err);
}
