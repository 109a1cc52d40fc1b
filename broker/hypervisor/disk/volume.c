/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sizes and first bytes of qcow2 disks in volumes (qcow2.txt: Cluster mapping, Host cluster management). */
#include "broker/hypervisor/disk/volume.h"

#include "base/mem.h"
#include "broker/hypervisor/disk/layout.h"

#include <stdlib.h>
#include <string.h>

#define CLUSTER ((uint64_t)QCOW2_CLUSTER_SIZE)
#define MAPPED_BY_L2 (CLUSTER * (CLUSTER / 8))     /* virtual bytes, by one cluster of a second table */
#define COUNTED_BY_BLOCK (CLUSTER * (CLUSTER / 2)) /* bytes of the file, by one block of 16-bit reference counts */
#define COUNTED_BY_TABLE (COUNTED_BY_BLOCK * (CLUSTER / 8))

static uint64_t pieces(uint64_t n, uint64_t of)
{
	return n / of + (n % of != 0);
}

uint64_t volume_room(uint64_t size, uint32_t reserve_percent)
{
	struct pst_err ignored = PST_ERR_INIT;
	uint64_t clusters, file;
	struct layout l;

	if (layout_init(&l, pieces(size, 512) * 512, &ignored) < 0)
		return UINT64_MAX;
	/* Data and second tables, and as much of both again as snapshots keep. */
	clusters = pieces(size, CLUSTER) + pieces(size, MAPPED_BY_L2);
	clusters += clusters / 100 * reserve_percent + (reserve_percent ? 2 * (uint64_t)l.clusters : 0);
	file = (clusters + l.clusters) * CLUSTER;
	/* A reference table that grows is written anew before the old one is free. */
	file += 2 * (pieces(file, COUNTED_BY_BLOCK) + pieces(file, COUNTED_BY_TABLE) + 2) * CLUSTER;
	return pieces(file, VOLUME_ROUND) * VOLUME_ROUND;
}

uint8_t *volume_overlay(uint64_t size, const char *backing, enum disk_format format, size_t *ret_len, struct pst_err *err)
{
	uint8_t head[LAYOUT_HEAD_MAX], *bytes;
	struct layout l;
	int len;

	if (layout_init(&l, size, err) < 0)
		return NULL;
	len = layout_head(&l, backing, format, head, err);
	if (len < 0)
		return NULL;
	bytes = pst_zalloc(1, l.file_size);
	if (!bytes) {
		pst_err_set(err, PST_ENOMEM, "out of memory");
		return NULL;
	}
	memcpy(bytes, head, (size_t)len);
	layout_refcount_table(bytes + LAYOUT_TABLE_AT);
	layout_refcount_block(&l, bytes + LAYOUT_BLOCK_AT);
	*ret_len = l.file_size;
	return bytes;
}
