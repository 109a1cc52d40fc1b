/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A configuration text: parsed or refused with a line, and every value can be asked for. */
#include "base/conf.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool ask(const char *section, void *arg)
{
	struct pst_err err;
	uint64_t ms;
	bool b;

	pst_conf_duration_ms(arg, section, "wait", 0, UINT64_MAX, 1, &ms, &err);
	pst_conf_bool(arg, section, "on", true, &b, &err);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pst_conf *c = pst_conf_create();
	struct pst_err err = PST_ERR_INIT;

	if (pst_conf_parse(c, "fuzz.conf", (const char *)data, size, &err) < 0 && !err.text[0])
		abort();
	pst_conf_each_section(c, "", ask, c);
	pst_conf_check_unused(c, &err);

	char *line = strndup((const char *)data, size);
	pst_conf_override(c, line, &err);
	free(line);
	pst_conf_destroy(c);
	return 0;
}
