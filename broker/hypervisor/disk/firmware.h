/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which firmware a golden disk wants. It is told by a file "firmware" beside it ("efi" or "bios"), else by the disk itself: a GPT
 * with an EFI system partition (UEFI 2.10, 5.3) and none for a BIOS's loader starts by UEFI, all else by BIOS. The disk is read as a
 * stranger's. Any thread.
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/disk/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIRMWARE_HEAD_SIZE (34u * 512) /* protective MBR, header, 128 entries */

/* path: absolute. PST_EINVAL for another word in the file; a qcow2 whose first clusters are compressed has to be told. */
int firmware_is_efi(const char *path, enum disk_format format, bool *ret_efi, struct pst_err *err);

/* The first len bytes of a disk. Pure. */
bool firmware_head_is_efi(const uint8_t *head, size_t len);
