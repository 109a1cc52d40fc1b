/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What kind of file an administrator has uploaded, told by its first bytes, for the one place where
 * somebody may not know: the form of an import. Never for a disk that a guest has written to, whose
 * bytes say what the guest likes. Only formats of the caller's list come out of it. Pure.
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/disk/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROBE_SIZE 36864 /* bytes of a file's start; an ISO image tells itself that late */

#define PROBE_ALLOW(format) (1u << (format))

/*
 * allowed: PROBE_ALLOW of each format that may come out. RAW alone is RAW, whatever the bytes. RAW among
 * others is what looks like no file format at all. PST_EDENIED for a format that is not allowed,
 * PST_EUNSUPPORTED for a known kind of file that is no disk (an ISO image, an archive), naming it,
 * PST_EINVAL when nothing fits.
 */
int probe_format(const uint8_t *head, size_t len, unsigned allowed, enum disk_format *ret_format, struct pst_err *err);

/* A tar: a container image, or an OVA, or anything else. */
bool probe_is_tar(const uint8_t *head, size_t len);
