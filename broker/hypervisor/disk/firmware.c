/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looks at a disk's first sectors, through a qcow2's tables where it is one. */
#include "broker/hypervisor/disk/firmware.h"

#include "base/cursor.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/unixsock.h"
#include "broker/hypervisor/disk/info.h"
#include "broker/hypervisor/path.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTOR 512u
#define WORD_MAX 64
#define ENTRIES_MAX 128u
#define ENTRY_SIZE 128u
#define ATTRIBUTE_LEGACY_BOOT (UINT64_C(1) << 2)
#define L1_OFFSET UINT64_C(0x00fffffffffffe00) /* qcow2.txt, "L1 table entry" */
#define L2_COMPRESSED (UINT64_C(1) << 62)
#define L2_ZERO UINT64_C(1)

/* GUIDs as they lie on the disk. */
static const uint8_t type_efi[16] = { 0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b };
static const uint8_t type_bios[16] = { 0x48, 0x61, 0x68, 0x21, 0x49, 0x64, 0x6f, 0x6e, 0x74, 0x4e, 0x65, 0x65, 0x64, 0x45, 0x46, 0x49 };

bool firmware_head_is_efi(const uint8_t *head, size_t len)
{
	struct pst_cursor c;
	uint64_t entries_at;
	uint32_t n, size;
	bool has_efi = false;

	if (len < 2 * SECTOR || memcmp(head + SECTOR, "EFI PART", 8) != 0)
		return false;
	pst_cursor_init(&c, head + SECTOR, SECTOR);
	pst_cursor_skip(&c, 72);
	entries_at = pst_cursor_le64(&c);
	n = pst_cursor_le32(&c);
	size = pst_cursor_le32(&c);
	if (entries_at != 2 || size != ENTRY_SIZE)
		return false;
	pst_cursor_init(&c, head + 2 * SECTOR, len - 2 * SECTOR);
	for (uint32_t i = 0; i < PST_MIN(n, ENTRIES_MAX); i++) {
		const uint8_t *type = pst_cursor_bytes(&c, 16);

		pst_cursor_skip(&c, 32);
		uint64_t attributes = pst_cursor_le64(&c);
		pst_cursor_skip(&c, ENTRY_SIZE - 56);
		if (!pst_cursor_ok(&c))
			break;
		if (memcmp(type, type_bios, 16) == 0 || (attributes & ATTRIBUTE_LEGACY_BOOT))
			return false;
		has_efi |= memcmp(type, type_efi, 16) == 0;
	}
	return has_efi;
}

static bool entry_read(int fd, uint64_t at, uint64_t *ret)
{
	struct pst_cursor c;
	uint8_t bytes[8];

	if (at > INT64_MAX - 8 || pread(fd, bytes, 8, (off_t)at) != 8)
		return false;
	pst_cursor_init(&c, bytes, 8);
	*ret = pst_cursor_be64(&c);
	return true;
}

/*
 * Where the guest's cluster lies in the file; 0: nowhere, or not plainly. Clusters of the first 17 KiB are the first ones of
 * the first L2 table, whose entries have 8 bytes (16 with subclusters, which our own disks have not).
 */
static uint64_t cluster_find(int fd, const struct qcow2_header *h, uint64_t index)
{
	uint64_t l2, entry;

	if (index >= (UINT64_C(1) << h->cluster_bits) / 8 || !entry_read(fd, h->l1_offset, &l2) || (l2 & L1_OFFSET) == 0 ||
		!entry_read(fd, (l2 & L1_OFFSET) + 8 * index, &entry))
		return 0;
	return entry & (L2_COMPRESSED | L2_ZERO) ? 0 : entry & L1_OFFSET;
}

static size_t qcow2_head(int fd, const struct qcow2_header *h, uint8_t *head)
{
	size_t cluster = (size_t)1 << h->cluster_bits, at = 0;

	while (at < FIRMWARE_HEAD_SIZE) {
		size_t n = PST_MIN(cluster, FIRMWARE_HEAD_SIZE - at);
		uint64_t where = cluster_find(fd, h, at / cluster);

		if (where == 0 || where > INT64_MAX - n || pread(fd, head + at, n, (off_t)where) != (ssize_t)n)
			break;
		at += n;
	}
	return at;
}

static int disk_look(const char *path, enum disk_format format, bool *ret_efi, struct pst_err *err)
{
	uint8_t *head = pst_zalloc(1, FIRMWARE_HEAD_SIZE);
	int fd = head ? disk_open(path, NULL, err) : pst_err_set(err, PST_ENOMEM, "no memory"), rc = fd < 0 ? fd : 0;
	struct disk_info info;
	ssize_t n = 0;

	if (rc == 0)
		rc = disk_info_read(fd, format, &info, err);
	if (rc == 0)
		n = format == DISK_QCOW2 ? (ssize_t)qcow2_head(fd, &info.qcow2, head) : pread(fd, head, FIRMWARE_HEAD_SIZE, 0);
	if (rc == 0)
		*ret_efi = n > 0 && firmware_head_is_efi(head, (size_t)n);
	pst_fd_close(&fd);
	free(head);
	return rc;
}

int firmware_is_efi(const char *path, enum disk_format format, bool *ret_efi, struct pst_err *err)
{
	const char *slash = strrchr(path, '/');
	char file[PATH_MAX], *word = NULL;
	size_t len;
	int rc;

	if (path_make(file, err, "%.*s/firmware", slash ? (int)(slash - path) : 0, path) < 0)
		return err->code;
	if (access(file, F_OK) < 0)
		return disk_look(path, format, ret_efi, err);
	rc = pst_file_read(file, WORD_MAX, &word, &len, err);
	if (rc == 0) {
		word[strcspn(word, " \r\n")] = '\0';
		*ret_efi = strcmp(word, "efi") == 0;
		if (!*ret_efi && strcmp(word, "bios") != 0)
			rc = pst_err_set(err, PST_EINVAL, "%.200s: write \"efi\" or \"bios\" into it", file);
	}
	free(word);
	return rc;
}
