/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small file of an ISO 9660 disk, read without mounting it: the NoCloud seed disk that libvirt, Proxmox and
 * cloud tools attach. */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define ISO_SECTOR 2048

/*
 * Reads puesto.json of the root directory of the disk at fd, whose volume must be called CIDATA: by its
 * Joliet name, or PUESTO.JSON, or PUESTO.JSO where names have eight and three letters. Returns owned
 * (free()), terminated; PST_ENOTFOUND when this is no such disk or has no such file, PST_EINVAL when it is
 * damaged or the file has more than max bytes.
 */
int iso_seed_read(int fd, size_t max, char **ret_text, size_t *ret_len, struct pst_err *err);
