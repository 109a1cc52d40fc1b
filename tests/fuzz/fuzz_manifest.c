/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A manifest that somebody has edited: what is accepted is written and read back the same. */
#include "broker/hypervisor/disk/manifest.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pst_err err = PST_ERR_INIT;
	struct manifest m, back;
	size_t len;

	if (manifest_parse((const char *)data, size, &m, &err) < 0)
		return 0;
	if (!disk_name_valid(m.image) || !disk_name_valid(m.version))
		abort();
	char *text = manifest_text(&m, &len);
	if (!text)
		return 0;
	if (manifest_parse(text, len, &back, &err) < 0 || strcmp(m.image, back.image) != 0 || m.size != back.size)
		abort();
	free(text);
	return 0;
}
