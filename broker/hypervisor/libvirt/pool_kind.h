/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What libvirt's kinds of storage pools can, and where the bytes of their volumes are, by libvirt's documents. Pure. */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/disk/place.h"

#include <stdbool.h>
#include <stdint.h>

enum pool_can {
	POOL_CREATES = 1 << 0, /* volumes; else they are LUNs that are there already */
	POOL_WHOLE = 1 << 1,   /* a volume takes all of its room at once */
	POOL_BLOCK = 1 << 2,   /* volumes are devices of the host, else files or disks on the network */
	POOL_NETWORK = 1 << 3, /* QEMU reaches them by itself; libvirt's streams do not */
	POOL_EXTENDS = 1 << 4, /* a program makes them larger (pool_extend_words): libvirt cannot */
	POOL_SEALS = 1 << 5,   /* a snapshot of a volume is read, and takes no writes */
	POOL_RESERVES = 1 << 6, /* a volume is sparse, or its room is kept for it: a golden one's is, which will be full */
};

#define POOL_ZVOLS "/dev/zvol/" /* and then the volume's name in ZFS */

struct pool_kind {
	const char *type; /* libvirt's word */
	unsigned can;
};

/* NULL: a kind that Puesto does not use. */
const struct pool_kind *pool_kind_find(const char *type);
/* For people: "dir, fs, …". */
const char *pool_kinds(void);

/* A program's words, of which some are within. */
struct pool_extend {
	const char *argv[6]; /* ends with NULL */
	char name[PLACE_URL_SIZE], size[40];
};

/*
 * What makes the volume, a device of this machine, that large: lvextend(8), zfs(8) set. size: bytes, a multiple of VOLUME_ROUND.
 * PST_EUNSUPPORTED for a kind without POOL_EXTENDS, and for a device that is not where that kind has them.
 */
int pool_extend_words(const struct pool_kind *kind, const char *device, uint64_t size, struct pool_extend *ret, struct pst_err *err);

/*
 * Where the volume is. pool_xml, volume_xml: as libvirt writes them; name: the volume's. PST_EINVAL for what
 * they do not tell, or tell in a way that nobody should follow.
 */
int pool_place(const struct pool_kind *kind, const char *pool_xml, const char *volume_xml, const char *name, struct disk_place *ret,
	struct pst_err *err);
