/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bytes of a disk on the network to and from a file here, by qemu-img and QEMU's own initiators: whoever keeps
 * the disks is an administrator's server, and qemu-img sees raw bytes alone. Any thread; blocks.
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/disk/format.h"
#include "broker/hypervisor/disk/place.h"

#include <stdint.h>

struct place_io {
	const char *tool; /* the path of qemu-img */
	const struct disk_place *place;
	uint64_t at, len; /* bytes of the disk; multiples of 512 */
	const char *file; /* a raw file here, absolute */
	uint32_t timeout_ms;
	int cancel_fd;    /* readable: stop. -1: never */
	/* 0 to 10,000, rising. May be NULL. */
	void (*progress)(void *arg, uint32_t basis_points);
	void *arg;
};

/* Into the file, which is made or replaced. */
int place_read(const struct place_io *io, struct pst_err *err);
/* From the whole file, whose length is len. */
int place_write(const struct place_io *io, struct pst_err *err);

/* A snapshot of that name of a disk of Ceph's. */
int place_seal(const char *tool, const struct disk_place *p, const char *name, struct pst_err *err);

/* Virtual bytes of the disk that lies there, in that format. */
int place_size(const char *tool, const struct disk_place *p, enum disk_format format, uint64_t *ret, struct pst_err *err);
