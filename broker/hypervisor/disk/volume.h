/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A qcow2 disk in a volume of fixed size, as a volume group, a LUN or a zvol has it: how much room it needs, and
 * the bytes that an empty overlay begins with. A volume may have held anything before, so these bytes are complete. Pure.
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/disk/format.h"

#include <stddef.h>
#include <stdint.h>

#define VOLUME_ROUND (UINT64_C(4) << 20) /* extents of LVM are of that size */

/*
 * Bytes of a volume in which a disk of size virtual bytes can be full: data, its tables, and reserve_percent of the
 * data again for snapshots within it. A multiple of VOLUME_ROUND; UINT64_MAX above QCOW2_SIZE_MAX.
 */
uint64_t volume_room(uint64_t size, uint32_t reserve_percent);

/* Returns owned (free()), NULL with err. backing as in layout_head, size virtual bytes. */
uint8_t *volume_overlay(uint64_t size, const char *backing, enum disk_format format, size_t *ret_len, struct pst_err *err);
