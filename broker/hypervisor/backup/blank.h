/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An empty qcow2 file that QEMU is to fill, with room for what will come. Any thread. */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/disk/format.h"

#include <stdint.h>

struct blank_params {
	const char *path;    /* must not exist */
	uint64_t size;       /* virtual bytes */
	const char *backing; /* as in the header: absolute, or "../…" */
	enum disk_format format;
	uint64_t bytes;      /* that will be written: reserved, where the file system can, so that QEMU meets no full disk */
};

/* Returns the descriptor (owned), for reading and writing. PST_ENOSPC. */
int blank_make(const struct blank_params *p, struct pst_err *err);

/*
 * When QEMU has let it go: is it still what was made, by its header? Gives back what was reserved beyond its end, and syncs.
 * QEMU may have been in its guest's hands: PST_EPROTO.
 */
int blank_finish(const struct blank_params *p, int fd, struct pst_err *err);
