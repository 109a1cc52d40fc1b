/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Formats and their names. */
#include "broker/hypervisor/disk/format.h"

#include "base/err.h"
#include "base/mem.h"

#include <string.h>

static const char *const names[] = {
	[DISK_RAW] = "raw",
	[DISK_QCOW2] = "qcow2",
	[DISK_VMDK] = "vmdk",
	[DISK_VHDX] = "vhdx",
};

const char *disk_format_name(enum disk_format format)
{
	PRE((size_t)format < PST_ARRAY_LEN(names));
	return names[format];
}

int disk_format_parse(const char *name, enum disk_format *ret_format)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(names); i++) {
		if (strcmp(name, names[i]) == 0) {
			*ret_format = (enum disk_format)i;
			return 0;
		}
	}
	return PST_EINVAL;
}
