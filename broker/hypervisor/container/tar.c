/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes small archives and finds a file in one that somebody else wrote. */
#include "broker/hypervisor/container/tar.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define TYPE_OLD_FILE '\0'
#define TYPE_PAX 'x'
#define PAX_MAX 16384

/* One header block. */
struct header {
	char name[100];
	char mode[8], uid[8], gid[8];
	char size[12], mtime[12];
	char sum[8];
	char type;
	char link[100];
	char magic[6], version[2];
	char rest[247];
};

_Static_assert(sizeof(struct header) == TAR_BLOCK, "a header is one block");

/* Of all bytes, those of the sum itself taken as spaces. */
static unsigned header_sum(const struct header *h)
{
	const unsigned char *p = (const unsigned char *)h;
	unsigned sum = 0;

	for (size_t i = 0; i < sizeof(*h); i++)
		sum += i >= offsetof(struct header, sum) && i < offsetof(struct header, type) ? ' ' : p[i];
	return sum;
}

static void number_put(char *field, size_t size, unsigned long v)
{
	char text[24];

	snprintf(text, sizeof(text), "%0*lo", (int)size - 1, v);
	memcpy(field, text, size);
}

/* Uids of more than 21 bits have no place in an octal field: GNU's and star's base 256, which all engines read. */
static void id_put(char field[8], uid_t id)
{
	if (id <= 07777777) {
		number_put(field, 8, id);
		return;
	}
	memset(field, 0, 8);
	field[0] = (char)0x80;
	for (int i = 7; i >= 4; i--, id >>= 8)
		field[i] = (char)(id & 0xff);
}

/* What is too long is cut: a header of pax before it has the whole. */
static void header_put(struct pst_buf *b, const struct tar_entry *e)
{
	const char *link = e->link ? e->link : "";
	struct header h;

	PRE(e->size < TAR_SIZE_MAX);
	memset(&h, 0, sizeof(h));
	memcpy(h.name, e->name, PST_MIN(strlen(e->name), (size_t)TAR_NAME_MAX));
	memcpy(h.link, link, PST_MIN(strlen(link), (size_t)TAR_NAME_MAX));
	number_put(h.mode, sizeof(h.mode), e->mode);
	id_put(h.uid, e->uid);
	id_put(h.gid, e->gid);
	number_put(h.size, sizeof(h.size), e->size);
	number_put(h.mtime, sizeof(h.mtime), (unsigned long)PST_CLAMP(e->mtime, (int64_t)0, (int64_t)077777777777));
	h.type = (char)e->type;
	memcpy(h.magic, "ustar", 6);
	memcpy(h.version, "00", 2);
	number_put(h.sum, sizeof(h.sum) - 1, header_sum(&h));
	h.sum[7] = ' ';
	pst_buf_append(b, &h, sizeof(h));
}

static void head_put(struct pst_buf *b, const char *name, enum tar_type type, mode_t mode, uid_t uid, uint64_t size)
{
	const struct tar_entry e = { .type = type, .name = name, .mode = mode, .uid = uid, .gid = uid, .size = size };

	PRE(strlen(name) <= TAR_NAME_MAX);
	header_put(b, &e);
}

/* "LENGTH KEY=VALUE\n": the length counts its own digits. */
static void pax_put(struct pst_buf *b, const char *key, const char *value)
{
	size_t rest = strlen(key) + strlen(value) + 3, len = rest + 1;
	char digits[24];

	while (len != rest + (size_t)snprintf(digits, sizeof(digits), "%zu", len))
		len = rest + strlen(digits);
	pst_buf_put_str(b, digits);
	pst_buf_put_str(b, " ");
	pst_buf_put_str(b, key);
	pst_buf_put_str(b, "=");
	pst_buf_put_str(b, value);
	pst_buf_put_str(b, "\n");
}

void tar_put_entry(struct pst_buf *b, const struct tar_entry *e)
{
	struct tar_entry more = { .type = (enum tar_type)TYPE_PAX, .name = "pax", .mode = 0644 };
	struct pst_buf pax;

	pst_buf_init(&pax, PAX_MAX);
	if (strlen(e->name) > TAR_NAME_MAX)
		pax_put(&pax, "path", e->name);
	if (e->link && strlen(e->link) > TAR_NAME_MAX)
		pax_put(&pax, "linkpath", e->link);
	more.size = pax.len;
	if (pax.len) {
		header_put(b, &more);
		pst_buf_append(b, pax.data, pax.len);
		pst_buf_put_zero(b, (TAR_BLOCK - pax.len % TAR_BLOCK) % TAR_BLOCK);
	}
	b->failed = b->failed || pax.failed;
	pst_buf_finish(&pax);
	header_put(b, e);
}

void tar_put_head(struct pst_buf *b, const char *name, mode_t mode, uint64_t size)
{
	head_put(b, name, TAR_FILE, mode, 0, size);
}

void tar_put(struct pst_buf *b, const char *name, mode_t mode, uid_t uid, const char *data, size_t len)
{
	head_put(b, name, data ? TAR_FILE : TAR_FOLDER, mode, uid, data ? len : 0);
	if (data) {
		pst_buf_append(b, data, len);
		pst_buf_put_zero(b, (TAR_BLOCK - len % TAR_BLOCK) % TAR_BLOCK);
	}
}

void tar_end(struct pst_buf *b)
{
	pst_buf_put_zero(b, 2 * TAR_BLOCK);
}

/* Octal digits, with spaces and zeros around them; false for anything else. */
static bool number_read(const char *field, size_t size, size_t *ret)
{
	size_t v = 0, i = 0;

	while (i < size && field[i] == ' ')
		i++;
	for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
		v = v << 3 | (size_t)(field[i] - '0');
	while (i < size && (field[i] == ' ' || field[i] == '\0'))
		i++;
	*ret = v;
	return i == size;
}

static bool is_end(const struct header *h)
{
	for (size_t i = 0; i < sizeof(*h); i++) {
		if (((const char *)h)[i])
			return false;
	}
	return true;
}

int tar_first(const char *data, size_t len, const char **ret_data, size_t *ret_len, struct pst_err *err)
{
	for (size_t at = 0; at + TAR_BLOCK <= len;) {
		struct header h;
		size_t size, sum;

		memcpy(&h, data + at, sizeof(h));
		if (is_end(&h))
			break;
		at += TAR_BLOCK;
		if (!number_read(h.sum, sizeof(h.sum), &sum) || sum != header_sum(&h) || !number_read(h.size, sizeof(h.size), &size) ||
			size > len - at)
			return pst_err_set(err, PST_EPROTO, "no archive, or it is cut off");
		if (h.type == TAR_FILE || h.type == TYPE_OLD_FILE) {
			*ret_data = data + at;
			*ret_len = size;
			return 0;
		}
		/* Whatever else there is, pax headers too, is passed over. */
		size = (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
		at += PST_MIN(size, len - at);
	}
	return pst_err_set(err, PST_ENOTFOUND, "no file in the archive");
}
