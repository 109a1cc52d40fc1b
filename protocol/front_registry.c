/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The front ends of puesto-worker. RDP, whose library loads a hundred others, has a program of its own: front_registry_rdp.c. */
#include <string.h>

#include "base/mem.h"
#include "protocol/front/front.h"
#include "protocol/front/rfb/rfb.h"
#include "protocol/front/ws/ws.h"

static const struct front_type *const types[] = {
	&front_ws,
	&front_rfb,
};

const struct front_type *front_find(const char *name)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(types); i++)
		if (!strcmp(types[i]->name, name))
			return types[i];
	return NULL;
}
