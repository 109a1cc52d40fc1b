/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A set of datastores in the test's folder. */
#pragma once

#include "broker/hypervisor/storage/stores.h"

/* For .init and .fini. */
void stores_folder_make(void);
void stores_folder_remove(void);

extern struct stores *stores_set;

/* Adds one, FOLDER/NAME, which takes disks; more (may be NULL) changes its settings. Returns its path, as disk_at. */
const char *stores_folder_add(const char *name, void (*more)(struct store_settings *s));
