/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The seed among a machine's OEM strings (SMBIOS 3.4, 7.12: structures of type 11), as hypervisors without
 * fw_cfg can carry it. */
#pragma once

#include <stddef.h>

/* Before the base64 of the JSON. */
#define SMBIOS_SEED "org.puesto.seed="

/* The text after SMBIOS_SEED of the first such string, borrowed from table and terminated in it; NULL when
 * there is none. */
const char *smbios_seed_find(const void *table, size_t len);
