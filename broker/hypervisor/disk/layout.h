/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the tables of an empty overlay lie, and the bytes of each. Pure. */
#pragma once

#include "broker/hypervisor/disk/qcow2.h"

#define LAYOUT_HEAD_MAX 2048 /* header, extensions and the longest backing name */

/*
 *   cluster 0        1                 2               3 …
 *   header, name | refcount table | refcount block | L1 (all zero, a hole) |
 */
struct layout {
	uint64_t size;       /* virtual bytes */
	uint32_t l1_entries; /* 8 bytes each */
	uint32_t clusters;   /* of the file, each used once */
	uint64_t file_size;  /* bytes */
};

/* PST_EINVAL when size is 0 or no multiple of 512, PST_ELIMIT above QCOW2_SIZE_MAX. */
int layout_init(struct layout *l, uint64_t size, struct pst_err *err);

/*
 * Header, extensions and the backing file's name (NULL: none); returns their length or PST_EINVAL for a
 * name that cannot be written.
 */
int layout_head(const struct layout *l, const char *backing, enum disk_format format,
	uint8_t out[LAYOUT_HEAD_MAX], struct pst_err *err);

/* The one entry of the refcount table that is not zero. */
void layout_refcount_table(uint8_t out[8]);

/* The first 2 * clusters bytes of the refcount block; out has LAYOUT_BLOCK_SIZE(l) bytes. */
#define LAYOUT_BLOCK_SIZE(l) (2u * (l)->clusters)
#define LAYOUT_CLUSTERS_MAX 32u /* 3 and the L1 table of QCOW2_SIZE_MAX */
void layout_refcount_block(const struct layout *l, uint8_t *out);

#define LAYOUT_TABLE_AT QCOW2_CLUSTER_SIZE
#define LAYOUT_BLOCK_AT (2 * QCOW2_CLUSTER_SIZE)
#define LAYOUT_L1_AT (3 * QCOW2_CLUSTER_SIZE)
