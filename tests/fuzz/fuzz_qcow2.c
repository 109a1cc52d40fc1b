/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The header of a disk that somebody else has written. */
#include "broker/hypervisor/disk/qcow2.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pst_err err = PST_ERR_INIT;
	struct qcow2_header h;

	if (size > QCOW2_HEAD_SIZE || qcow2_parse(data, size, &h, &err) < 0)
		return 0;
	/* What a caller may rely on. */
	if (h.cluster_bits < 9 || h.cluster_bits > 21 || h.size > QCOW2_SIZE_MAX)
		__builtin_trap();
	if (strlen(h.backing) > QCOW2_BACKING_MAX || strlen(h.backing_format) >= QCOW2_FORMAT_SIZE)
		__builtin_trap();
	return 0;
}
