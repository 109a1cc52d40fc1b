/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tests' datastores. */
#include "tests/unit/hypervisor/stores_folder.h"

#include "base/text.h"
#include "broker/hypervisor/disk/recycle.h"
#include "broker/hypervisor/disk/seal.h"
#include "broker/hypervisor/disk/version.h"
#include "tests/unit/hypervisor/disk_folder.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>

struct stores *stores_set;

void stores_folder_make(void)
{
	disk_folder_make();
	cr_assert_eq(mkdir(disk_at("data"), 0755), 0);
	stores_set = stores_create();
	cr_assert_not_null(stores_set);
}

static int version_unseal(const struct manifest *m, void *arg, struct pst_err *err)
{
	char path[PATH_MAX];

	if (version_disk_path(arg, m->image, m->version, path, err) == 0)
		seal_break(path, err);
	return 0;
}

static int entry_unseal(const struct recycle_entry *e, void *arg, struct pst_err *err)
{
	char path[PATH_MAX + 16];

	(void)arg;
	snprintf(path, sizeof(path), "%s/disk.qcow2", e->item);
	seal_break(path, err);
	return 0;
}

void stores_folder_remove(void)
{
	struct pst_err ignored = PST_ERR_INIT;
	struct store_view v;

	for (size_t i = 0; stores_view(stores_set, i, &v); i++) {
		version_list(v.s.path, version_unseal, v.s.path, &ignored);
		recycle_list(v.s.path, entry_unseal, NULL, &ignored);
	}
	stores_destroy(stores_set);
	disk_folder_remove();
}

const char *stores_folder_add(const char *name, void (*more)(struct store_settings *s))
{
	/* Whatever the machine's own disk is like. */
	struct store_settings s = { .limits = { .warning = 99, .critical = 100, .back = 1 }, .jobs_max = 2 };
	struct pst_err err = PST_ERR_INIT;

	pst_strlcpy(s.name, sizeof(s.name), name);
	pst_strlcpy(s.path, sizeof(s.path), disk_at(name));
	if (more)
		more(&s);
	cr_assert(mkdir(disk_at(name), 0755) == 0);
	cr_assert_eq(stores_add(stores_set, &s, disk_at("data"), &err), 0, "%s", err.text);
	return disk_at(name);
}
