/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names that are components of paths. */
#include "broker/hypervisor/disk/name.h"

#include "base/text.h"

#include <string.h>

bool disk_name_valid(const char *name)
{
	return pst_name_valid(name, DISK_NAME_MAX) && !strchr(name, '/') && name[0] != '.' && name[0] != '-';
}
