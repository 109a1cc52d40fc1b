/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON from outside: what is taken can be written and is taken again. */
#include "base/json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pst_err err = PST_ERR_INIT;
	json_t *v = pst_json_parse((const char *)data, size, PST_JSON_DEPTH, &err);
	const char *s;
	int64_t n;
	size_t len;

	if (!v) {
		if (!err.text[0])
			abort();
		return 0;
	}
	if (pst_json_need_str(v, "s", 8, &s, &err) < 0 && pst_json_need_int(v, "s", 0, 9, &n, &err) < 0 &&
		!err.text[0])
		abort();

	char *text = pst_json_text(v, &len);
	json_t *again = pst_json_parse(text, len, PST_JSON_DEPTH, &err);
	if (!again)
		abort();
	json_decref(again);
	json_decref(v);
	free(text);
	return 0;
}
