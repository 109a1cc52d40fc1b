/* SPDX-License-Identifier: GPL-3.0-or-later */
/* References in answers of a Hyper-V host, and the paths that are made of them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "broker/hypervisor/hyperv/cim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pst_err err = PST_ERR_INIT;
	char path[512], words[64];
	struct cim_ref r;
	struct soap *s = soap_parse((const char *)data, size, &err);

	if (!s)
		return 0;
	if (cim_ref_read(soap_body(s), &r, &err) == 0) {
		if (r.keys_n == 0 || r.keys_n > CIM_KEYS_MAX)
			abort();
		cim_path(&r, path, sizeof(path));
		if (strlen(path) >= sizeof(path) || (cim_wql(r.keys[0].value, words, sizeof(words)) && strlen(words) >= sizeof(words)))
			abort();
	}
	soap_destroy(s);
	return 0;
}
