/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Volume descriptors, one directory, one extent (ECMA-119, 8.4, 8.5 and 9.1). */
#include "agent/seed/iso.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/mem.h"

#define FIRST_DESCRIPTOR 16
#define DESCRIPTORS_MAX 16
#define DIRECTORY_MAX ((size_t)64 * ISO_SECTOR)
#define NAME_MAX_LEN 64
#define IS_DIRECTORY 2

enum descriptor {
	PRIMARY = 1,
	SUPPLEMENTARY = 2,
	LAST = 255,
};

struct extent {
	uint32_t sector, len;
};

static int sectors_read(int fd, const struct extent *e, void *out, struct pst_err *err)
{
	size_t at = 0;

	while (at < e->len) {
		ssize_t n =
			pread(fd, (char *)out + at, e->len - at, (off_t)e->sector * ISO_SECTOR + (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return pst_err_set(err, PST_EINVAL, "the seed disk ends early");
		at += (size_t)n;
	}
	return 0;
}

/* The volume's name is padded with spaces; Joliet writes it and file names in two bytes a letter (UCS-2, high
 * byte first). */
static void name_copy(const uint8_t *from, size_t n, bool is_joliet, char *out)
{
	size_t len = 0;

	for (size_t i = is_joliet ? 1 : 0; i < n && len + 1 < NAME_MAX_LEN; i += is_joliet ? 2 : 1)
		out[len++] = is_joliet && from[i - 1] ? '?' : (char)from[i];
	while (len > 0 && out[len - 1] == ' ')
		len--;
	out[len] = 0;
	out[strcspn(out, ";")] = 0;
}

static bool is_ours(const char *name)
{
	return strcasecmp(name, "puesto.json") == 0 || strcasecmp(name, "puesto.jso") == 0;
}

/* Extent of the record at the cursor (9.1): sector and length stand in both byte orders, little-endian first.
 */
static struct extent record_read(const uint8_t *record, size_t len)
{
	struct pst_cursor c;
	struct extent e;

	pst_cursor_init(&c, record, len);
	pst_cursor_skip(&c, 2);
	e.sector = pst_cursor_le32(&c);
	pst_cursor_skip(&c, 4);
	e.len = pst_cursor_le32(&c);
	return e;
}

/* Records do not cross sectors; a length of zero means that the sector has no more of them. */
static bool directory_find(const uint8_t *dir, size_t len, bool is_joliet, struct extent *ret)
{
	char name[NAME_MAX_LEN];

	for (size_t at = 0; at + 33 < len;) {
		size_t size = dir[at], name_len = dir[at + 32];
		if (size == 0) {
			at = (at / ISO_SECTOR + 1) * ISO_SECTOR;
			continue;
		}
		if (size < 34 || size > len - at || name_len > size - 33)
			return false;
		name_copy(dir + at + 33, name_len, is_joliet, name);
		if (is_ours(name) && !(dir[at + 25] & IS_DIRECTORY)) {
			*ret = record_read(dir + at, size);
			return true;
		}
		at += size;
	}
	return false;
}

static int root_find(int fd, const uint8_t *descriptor, struct extent *ret, struct pst_err *err)
{
	struct extent root = record_read(descriptor + 156, 34);

	if (root.len == 0 || root.len > DIRECTORY_MAX)
		return pst_err_set(err, PST_EINVAL, "the seed disk's directory has an impossible size");
	uint8_t *dir = pst_zalloc(1, root.len);
	if (!dir)
		return pst_err_set(err, PST_ENOMEM, "no memory for the seed disk's directory");
	int rc = sectors_read(fd, &root, dir, err);
	if (rc == 0 && !directory_find(dir, root.len, descriptor[0] == SUPPLEMENTARY, ret))
		rc = pst_err_set(err, PST_ENOTFOUND, "there is no puesto.json on the seed disk");
	free(dir);
	return rc;
}

/* Goes through the descriptors of a disk whose primary one is called CIDATA. */
static int file_find(int fd, struct extent *ret, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	bool is_cidata = false;
	int rc = PST_ENOTFOUND;

	for (uint32_t i = 0; i < DESCRIPTORS_MAX && rc == PST_ENOTFOUND; i++) {
		const struct extent e = { FIRST_DESCRIPTOR + i, ISO_SECTOR };
		uint8_t d[ISO_SECTOR];
		char name[NAME_MAX_LEN];

		if (sectors_read(fd, &e, d, &why) < 0 || memcmp(d + 1, "CD001", 5) != 0 || d[0] == LAST)
			break;
		name_copy(d + 40, 32, false, name);
		if (d[0] == PRIMARY)
			is_cidata = strcasecmp(name, "cidata") == 0;
		if (is_cidata && (d[0] == PRIMARY || d[0] == SUPPLEMENTARY))
			rc = root_find(fd, d, ret, &why);
	}
	if (rc == PST_ENOTFOUND)
		return pst_err_set(err, rc, is_cidata ? "there is no puesto.json on the seed disk" : "this is no seed disk");
	return pst_err_pass(err, rc, &why);
}

int iso_seed_read(int fd, size_t max, char **ret_text, size_t *ret_len, struct pst_err *err)
{
	struct extent file;
	int rc = file_find(fd, &file, err);
	if (rc < 0)
		return rc;

	if (file.len > max)
		return pst_err_set(err, PST_EINVAL, "puesto.json has more than %zu bytes", max);
	char *text = pst_zalloc(1, (size_t)file.len + 1);
	if (!text)
		return pst_err_set(err, PST_ENOMEM, "no memory for the seed");
	rc = sectors_read(fd, &file, text, err);
	if (rc < 0) {
		free(text);
		return rc;
	}
	*ret_text = text;
	*ret_len = file.len;
	return 0;
}
