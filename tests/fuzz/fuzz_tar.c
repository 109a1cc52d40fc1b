/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Archives and logs as an engine may give them. */
#include "broker/hypervisor/container/spec.h"
#include "broker/hypervisor/container/tar.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pst_err err = PST_ERR_INIT;
	const char *text;
	char out[64];
	size_t len;

	if (tar_first((const char *)data, size, &text, &len, &err) == 0)
		PRE(text >= (const char *)data && len <= size - (size_t)(text - (const char *)data));
	spec_log_text((const char *)data, size, out, sizeof(out));
	return 0;
}
