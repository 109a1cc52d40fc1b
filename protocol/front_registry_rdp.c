/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The front end of puesto-worker-rdp. */
#include <string.h>

#include "protocol/front/front.h"
#include "protocol/front/rdp/rdp.h"

const struct front_type *front_find(const char *name)
{
	return strcmp(front_rdp.name, name) == 0 ? &front_rdp : NULL;
}
