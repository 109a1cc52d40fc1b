/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every source that exists. */
#include <string.h>

#include "base/mem.h"
#include "protocol/source/agent.h"
#include "protocol/source/dbus/dbus.h"
#include "protocol/source/lobby/lobby.h"
#include "protocol/source/pattern.h"
#include "protocol/source/rfb/rfb.h"
#include "protocol/source/source.h"

static const struct source_type *const types[] = {
	&source_agent,
	&source_dbus,
	&source_lobby,
	&source_pattern,
	&source_rfb,
};

const struct source_type *source_find(const char *name)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(types); i++)
		if (!strcmp(types[i]->name, name))
			return types[i];
	return NULL;
}
