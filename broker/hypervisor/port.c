/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads the seed's port. */
#include "broker/hypervisor/port.h"

#include "base/json.h"

#include <string.h>

int port_hear(const char *line, size_t len, const char *word, bool *ret_is_it, struct pst_err *err)
{
	json_t *o = pst_json_parse(line, len, 2, err);
	const char *said, *reason;
	int rc = 0;

	if (!o)
		return pst_err_set(err, PST_EPROTO, "the machine said what is no JSON");
	said = pst_json_str(o, "seed", 16);
	reason = pst_json_str(o, "reason", 400);
	*ret_is_it = said && strcmp(said, word) == 0;
	if (said && strcmp(said, "refused") == 0)
		rc = pst_err_set(err, PST_EINVAL, "the machine refuses its seed: %s", reason ? reason : "it does not say why");
	json_decref(o);
	return rc;
}
