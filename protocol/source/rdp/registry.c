/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sources of the program that speaks RDP to machines: this one, so that no other program loads what it needs. */
#include <string.h>

#include "protocol/source/rdp/rdp.h"

const struct source_type *source_find(const char *name)
{
	return strcmp(name, source_rdp.name) == 0 ? &source_rdp : NULL;
}
