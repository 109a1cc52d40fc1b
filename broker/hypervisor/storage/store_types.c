/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every kind of datastore is named here and nowhere else. */
#include "broker/hypervisor/storage/store_type.h"

#include "base/mem.h"
#include "broker/hypervisor/storage/store.h"
#include "broker/hypervisor/storage/volume_record.h"

#include <string.h>

extern const struct store_type store_directory;
#ifdef HAVE_LIBVIRT
extern const struct store_type store_volumes;
#define VOLUMES_KIND ", volumes"
#else
#define VOLUMES_KIND ""
#endif

static const struct store_type *const types[] = {
	&store_directory,
#ifdef HAVE_LIBVIRT
	&store_volumes,
#endif
};

const struct store_type *store_type_find(const char *kind)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(types); i++) {
		if (strcmp(types[i]->kind, kind) == 0)
			return types[i];
	}
	return NULL;
}

const char *store_type_kinds(void)
{
	return "directory" VOLUMES_KIND;
}

const struct store_type *store_type_of(const struct store_settings *s)
{
	return s->type ? s->type : &store_directory;
}

bool store_is_volumes(const struct store_settings *s)
{
	return strcmp(store_type_of(s)->disk, VOLUME_OF_VERSION) == 0;
}
