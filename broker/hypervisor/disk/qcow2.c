/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads a qcow2 header as hostile data (qcow2.txt: Header, Header extensions). */
#include "broker/hypervisor/disk/qcow2.h"

#include "base/cursor.h"

#include <string.h>

#define MAGIC UINT32_C(0x514649fb)
#define V2_LENGTH 72
#define V3_LENGTH 104
#define EXTENSION_END 0
#define EXTENSION_BACKING_FORMAT UINT32_C(0xe2792aca)
#define EXTENSION_BITMAPS UINT32_C(0x23852875)
#define EXTENSIONS_MAX 64

/* The same ceilings as QEMU's own. */
#define L1_BYTES_MAX (32u << 20)
#define REFCOUNT_BYTES_MAX (8u << 20)
#define SNAPSHOTS_MAX 65536

enum {
	INCOMPATIBLE_DIRTY = 1 << 0,
	INCOMPATIBLE_CORRUPT = 1 << 1,
	INCOMPATIBLE_DATA_FILE = 1 << 2,
	INCOMPATIBLE_COMPRESSION = 1 << 3,
	INCOMPATIBLE_EXTENDED_L2 = 1 << 4,
	INCOMPATIBLE_KNOWN = (1 << 5) - 1,
};

/* What is only needed while reading. */
struct fields {
	uint64_t backing_at, snapshots_at, incompatible;
	uint32_t backing_len, crypt_method, refcount_order, header_length;
};

static int invalid(struct pst_err *err, const char *what)
{
	return pst_err_set(err, PST_EINVAL, "not a valid qcow2 header: %s", what);
}

static void read_fields(struct pst_cursor *c, struct qcow2_header *h, struct fields *f)
{
	f->backing_at = pst_cursor_be64(c);
	f->backing_len = pst_cursor_be32(c);
	h->cluster_bits = pst_cursor_be32(c);
	h->size = pst_cursor_be64(c);
	f->crypt_method = pst_cursor_be32(c);
	h->l1_entries = pst_cursor_be32(c);
	h->l1_offset = pst_cursor_be64(c);
	h->refcount_offset = pst_cursor_be64(c);
	h->refcount_clusters = pst_cursor_be32(c);
	h->snapshots = pst_cursor_be32(c);
	f->snapshots_at = pst_cursor_be64(c);
	f->refcount_order = 4;
	f->header_length = V2_LENGTH;
	if (h->version == 2)
		return;
	f->incompatible = pst_cursor_be64(c);
	pst_cursor_skip(c, 16); /* compatible and autoclear features do not change what is read */
	f->refcount_order = pst_cursor_be32(c);
	f->header_length = pst_cursor_be32(c);
}

static int check_features(const struct qcow2_header *h, const struct fields *f, struct pst_err *err)
{
	if (f->incompatible & ~(uint64_t)INCOMPATIBLE_KNOWN)
		return pst_err_set(err, PST_EUNSUPPORTED, "the qcow2 header has unknown incompatible features: %#llx",
			(unsigned long long)(f->incompatible & ~(uint64_t)INCOMPATIBLE_KNOWN));
	if (f->incompatible & INCOMPATIBLE_CORRUPT)
		return invalid(err, "it is marked as corrupt");
	if ((f->incompatible & INCOMPATIBLE_EXTENDED_L2) && h->cluster_bits < 14)
		return invalid(err, "its clusters are too small for subclusters");
	if (f->crypt_method > 2)
		return pst_err_set(err, PST_EUNSUPPORTED, "the qcow2 header has the unknown encryption method %u",
			f->crypt_method);
	return 0;
}

/* Does a table of n bytes at an offset keep to whole clusters and to a file's largest offset? */
static bool table_ok(const struct qcow2_header *h, uint64_t at, uint64_t n, uint64_t max)
{
	return n <= max && at <= INT64_MAX - n && at % (UINT64_C(1) << h->cluster_bits) == 0;
}

static int check_tables(const struct qcow2_header *h, const struct fields *f, struct pst_err *err)
{
	unsigned entry_bits = f->incompatible & INCOMPATIBLE_EXTENDED_L2 ? 4 : 3;
	unsigned l1_bits = 2 * h->cluster_bits - entry_bits;
	uint64_t needed = (h->size >> l1_bits) + ((h->size & ((UINT64_C(1) << l1_bits) - 1)) != 0);

	if (h->size > QCOW2_SIZE_MAX)
		return pst_err_set(err, PST_ELIMIT, "the qcow2 disk has %llu bytes: at most 64 TiB",
			(unsigned long long)h->size);
	if (h->l1_entries < needed || !table_ok(h, h->l1_offset, UINT64_C(8) * h->l1_entries, L1_BYTES_MAX))
		return invalid(err, "its L1 table is impossible");
	if (h->refcount_clusters == 0 || h->refcount_offset == 0 ||
		!table_ok(h, h->refcount_offset, (uint64_t)h->refcount_clusters << h->cluster_bits,
			REFCOUNT_BYTES_MAX))
		return invalid(err, "its refcount table is impossible");
	if (h->snapshots > SNAPSHOTS_MAX || !table_ok(h, f->snapshots_at, 0, 0))
		return invalid(err, "its snapshot table is impossible");
	return f->refcount_order > 6 ? invalid(err, "its refcounts are too wide") : 0;
}

static int check_length(const struct qcow2_header *h, const struct fields *f, struct pst_err *err)
{
	if (h->cluster_bits < 9 || h->cluster_bits > 21)
		return invalid(err, "its cluster size is not between 512 bytes and 2 MiB");
	if (h->version == 3 && (f->header_length < V3_LENGTH || f->header_length % 8 != 0 ||
				       f->header_length > UINT64_C(1) << h->cluster_bits))
		return invalid(err, "its header length is impossible");
	return 0;
}

static int read_name(const uint8_t *data, size_t len, const struct fields *f, struct qcow2_header *h,
	struct pst_err *err)
{
	if (f->backing_at == 0)
		return 0;
	if (f->backing_len == 0 || f->backing_len > QCOW2_BACKING_MAX || f->backing_at < f->header_length ||
		f->backing_at > UINT64_C(1) << h->cluster_bits ||
		f->backing_at + f->backing_len > UINT64_C(1) << h->cluster_bits)
		return invalid(err, "its backing file's name lies nowhere");
	if (f->backing_at + f->backing_len > len)
		return invalid(err, "its backing file's name is cut off");
	if (memchr(data + f->backing_at, '\0', f->backing_len))
		return invalid(err, "its backing file's name has a zero byte");
	memcpy(h->backing, data + f->backing_at, f->backing_len);
	return 0;
}

static int read_backing_format(struct pst_cursor *c, uint32_t n, struct qcow2_header *h, struct pst_err *err)
{
	const uint8_t *word = pst_cursor_bytes(c, n);

	if (!word || n == 0 || n >= sizeof(h->backing_format) || memchr(word, '\0', n))
		return invalid(err, "its backing format is no word");
	memcpy(h->backing_format, word, n);
	h->backing_format[n] = '\0';
	return 0;
}

/* Version 2 has extensions too; they end at the backing name, or with the cluster. */
static int read_extensions(struct pst_cursor *c, const struct fields *f, struct qcow2_header *h,
	struct pst_err *err)
{
	size_t end = f->backing_at ? (size_t)f->backing_at : (size_t)1 << h->cluster_bits;

	c->len = c->len < end ? c->len : end;
	for (unsigned i = 0; i < EXTENSIONS_MAX && pst_cursor_left(c) >= 8; i++) {
		uint32_t type = pst_cursor_be32(c), n = pst_cursor_be32(c);
		size_t next = c->at + n + (8 - n % 8) % 8;

		if (type == EXTENSION_END)
			return 0;
		if (n > pst_cursor_left(c))
			return invalid(err, "a header extension is cut off");
		if (type == EXTENSION_BACKING_FORMAT && read_backing_format(c, n, h, err) < 0)
			return err->code;
		h->has_bitmaps |= type == EXTENSION_BITMAPS;
		c->at = next < c->len ? next : c->len;
	}
	return 0;
}

int qcow2_parse(const uint8_t *data, size_t len, struct qcow2_header *ret_header, struct pst_err *err)
{
	struct qcow2_header h = { 0 };
	struct fields f = { 0 };
	struct pst_cursor c;

	pst_cursor_init(&c, data, len);
	if (pst_cursor_be32(&c) != MAGIC)
		return invalid(err, "its first bytes are others");
	h.version = pst_cursor_be32(&c);
	if (pst_cursor_ok(&c) && h.version != 2 && h.version != 3)
		return pst_err_set(err, PST_EUNSUPPORTED, "qcow2 of version %u", h.version);
	read_fields(&c, &h, &f);
	if (!pst_cursor_ok(&c))
		return invalid(err, "it is cut off");
	if (check_length(&h, &f, err) < 0 || check_features(&h, &f, err) < 0 || check_tables(&h, &f, err) < 0)
		return err->code;
	if (read_name(data, len, &f, &h, err) < 0)
		return err->code;
	c.at = f.header_length < len ? f.header_length : len;
	if (read_extensions(&c, &f, &h, err) < 0)
		return err->code;

	h.is_dirty = f.incompatible & INCOMPATIBLE_DIRTY;
	h.is_encrypted = f.crypt_method != 0;
	h.has_data_file = f.incompatible & INCOMPATIBLE_DATA_FILE;
	*ret_header = h;
	return 0;
}
