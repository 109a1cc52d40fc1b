/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A disk with one file: an ISO 9660 image (ECMA-119) as cloud tools attach them, "CIDATA" with puesto.json. Pure. */
#pragma once

#include "base/buf.h"

#include <stddef.h>

#define ISO_FILE_MAX (64u << 10) /* bytes: a seed has no more */
#define ISO_SIZE_MAX (ISO_FILE_MAX + 64u * 2048)

/*
 * Appends the image to out, whose ceiling must be ISO_SIZE_MAX at least. The file stands there by its Joliet
 * name, and as PUESTO.JSO;1. PST_ELIMIT for more than ISO_FILE_MAX bytes; PST_ENOMEM.
 */
int iso_make(struct pst_buf *out, const void *data, size_t len);
