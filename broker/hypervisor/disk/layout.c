/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bytes of an empty overlay (qcow2.txt: Header, Header extensions, Host cluster management). */
#include "broker/hypervisor/disk/layout.h"

#include "base/buf.h"
#include "broker/hypervisor/disk/place.h"

#include <string.h>

#define HEADER_LENGTH 104
#define EXTENSION_BACKING_FORMAT UINT32_C(0xe2792aca)
#define EXTENSION_END 0
#define REFCOUNT_ORDER 4 /* 16 bits each */

/* One entry of L1 is one table of L2 entries, one cluster each. */
#define BYTES_PER_L1_ENTRY ((uint64_t)QCOW2_CLUSTER_SIZE * (QCOW2_CLUSTER_SIZE / 8))

int layout_init(struct layout *l, uint64_t size, struct pst_err *err)
{
	if (size == 0 || size % 512 != 0)
		return pst_err_set(err, PST_EINVAL, "a disk of %llu bytes: not a positive multiple of 512",
			(unsigned long long)size);
	if (size > QCOW2_SIZE_MAX)
		return pst_err_set(err, PST_ELIMIT, "a disk of %llu bytes: at most 64 TiB", (unsigned long long)size);

	l->size = size;
	l->l1_entries = (uint32_t)((size + BYTES_PER_L1_ENTRY - 1) / BYTES_PER_L1_ENTRY);
	uint32_t l1_clusters = (l->l1_entries * 8 + QCOW2_CLUSTER_SIZE - 1) / QCOW2_CLUSTER_SIZE;
	l->clusters = LAYOUT_L1_AT / QCOW2_CLUSTER_SIZE + l1_clusters;
	l->file_size = (uint64_t)l->clusters * QCOW2_CLUSTER_SIZE;
	PRE(l->clusters <= LAYOUT_CLUSTERS_MAX);
	return 0;
}

/* The extensions after the header: a type, a length, bytes filled up to eight. */
static void put_backing_format(struct pst_buf *b, const char *format)
{
	size_t len = strlen(format);

	pst_buf_put_be32(b, EXTENSION_BACKING_FORMAT);
	pst_buf_put_be32(b, (uint32_t)len);
	pst_buf_append(b, format, len);
	pst_buf_put_zero(b, (8 - len % 8) % 8);
}

static void put_end(struct pst_buf *b)
{
	pst_buf_put_be32(b, EXTENSION_END);
	pst_buf_put_be32(b, 0);
}

static void put_header(struct pst_buf *b, const struct layout *l, uint32_t name_at, uint32_t name_len)
{
	pst_buf_append(b, "QFI\xfb", 4);
	pst_buf_put_be32(b, 3); /* version */
	pst_buf_put_be64(b, name_at);
	pst_buf_put_be32(b, name_len);
	pst_buf_put_be32(b, 16); /* cluster bits */
	pst_buf_put_be64(b, l->size);
	pst_buf_put_be32(b, 0); /* no encryption */
	pst_buf_put_be32(b, l->l1_entries);
	pst_buf_put_be64(b, LAYOUT_L1_AT);
	pst_buf_put_be64(b, LAYOUT_TABLE_AT);
	pst_buf_put_be32(b, 1);  /* clusters of the refcount table */
	pst_buf_put_zero(b, 12); /* no internal snapshots */
	pst_buf_put_zero(b, 24); /* no incompatible, compatible or autoclear features */
	pst_buf_put_be32(b, REFCOUNT_ORDER);
	pst_buf_put_be32(b, HEADER_LENGTH);
}

/* QEMU takes what stands before a colon for a protocol, unless a slash stands before that: two of them are meant. */
static bool is_name(const char *backing)
{
	struct pst_err ignored = PST_ERR_INIT;
	struct disk_place p;

	return backing[0] == '/' || strncmp(backing, "../", 3) == 0 || (place_is_remote(backing) && place_parse(backing, &p, &ignored) == 0);
}

int layout_head(const struct layout *l, const char *backing, enum disk_format format,
	uint8_t out[LAYOUT_HEAD_MAX], struct pst_err *err)
{
	size_t name_len = backing ? strlen(backing) : 0;
	const char *word = disk_format_name(format);
	uint32_t name_at = HEADER_LENGTH + 8 + ((uint32_t)strlen(word) + 7) / 8 * 8 + 8;
	struct pst_buf b;

	if (backing && (!is_name(backing) || name_len > QCOW2_BACKING_MAX))
		return pst_err_set(err, PST_EINVAL, "%.100s: no absolute path, none that begins with \"../\", and no place (place.h), of at most %d bytes", backing,
			QCOW2_BACKING_MAX);
	pst_buf_init(&b, LAYOUT_HEAD_MAX);
	put_header(&b, l, backing ? name_at : 0, (uint32_t)name_len);
	if (backing)
		put_backing_format(&b, word);
	put_end(&b);
	if (backing)
		pst_buf_append(&b, backing, name_len);
	int len = b.failed ? PST_ENOMEM : (int)b.len;
	if (len > 0)
		memcpy(out, b.data, b.len);
	pst_buf_finish(&b);
	return len < 0 ? pst_err_set(err, len, "out of memory") : len;
}

void layout_refcount_table(uint8_t out[8])
{
	memset(out, 0, 8);
	out[5] = LAYOUT_BLOCK_AT >> 16; /* big endian; the lower 16 bits of a cluster's offset are zero */
}

void layout_refcount_block(const struct layout *l, uint8_t *out)
{
	memset(out, 0, LAYOUT_BLOCK_SIZE(l));
	for (uint32_t i = 0; i < l->clusters; i++)
		out[2 * i + 1] = 1;
}
