/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What starts a disk: by its partitions, in raw and qcow2 files, or as somebody says. */
#include "broker/hypervisor/disk/firmware.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint8_t efi[16] = { 0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b };
static const uint8_t bios[16] = { 0x48, 0x61, 0x68, 0x21, 0x49, 0x64, 0x6f, 0x6e, 0x74, 0x4e, 0x65, 0x65, 0x64, 0x45, 0x46, 0x49 };

static void gpt_make(uint8_t head[FIRMWARE_HEAD_SIZE], const uint8_t *first, const uint8_t *second)
{
	memset(head, 0, FIRMWARE_HEAD_SIZE);
	memcpy(head + 512, "EFI PART", 8);
	head[512 + 72] = 2;
	head[512 + 80] = 128;
	head[512 + 84] = 128;
	if (first)
		memcpy(head + 1024, first, 16);
	if (second)
		memcpy(head + 1024 + 127 * 128, second, 16);
}

Test(firmware, a_disk_says_what_starts_it)
{
	uint8_t head[FIRMWARE_HEAD_SIZE];

	gpt_make(head, efi, NULL);
	cr_assert(firmware_head_is_efi(head, sizeof(head)));
	cr_assert(firmware_head_is_efi(head, 1024 + 128));
	cr_assert_not(firmware_head_is_efi(head, 1024 + 127), "an entry that is cut off is none");
	gpt_make(head, NULL, efi);
	cr_assert(firmware_head_is_efi(head, sizeof(head)));
	gpt_make(head, efi, bios);
	cr_assert_not(firmware_head_is_efi(head, sizeof(head)), "it starts by either, and BIOS is what everybody has");
	gpt_make(head, efi, NULL);
	head[1024 + 48] = 4;
	cr_assert_not(firmware_head_is_efi(head, sizeof(head)), "legacy BIOS bootable");
	gpt_make(head, efi, NULL);
	head[512 + 84] = 0;
	cr_assert_not(firmware_head_is_efi(head, sizeof(head)), "entries of another size");
	gpt_make(head, efi, NULL);
	memset(head + 512 + 80, 255, 4);
	cr_assert(firmware_head_is_efi(head, sizeof(head)), "more entries than there are");
	memset(head, 255, sizeof(head));
	cr_assert_not(firmware_head_is_efi(head, sizeof(head)));
	for (size_t len = 0; len < 1024; len += 37)
		cr_assert_not(firmware_head_is_efi(head, len));
}

static void write_at(const char *path, const void *data, size_t len, off_t at)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	cr_assert_eq(pwrite(fd, data, len, at), (ssize_t)len);
	close(fd);
}

Test(firmware, files_are_looked_into_and_a_word_beside_them_wins)
{
	char dir[] = "/tmp/puesto-firmware-XXXXXX", raw[64], qcow2[64], word[64], command[256];
	uint8_t head[FIRMWARE_HEAD_SIZE];
	struct pst_err err = PST_ERR_INIT;
	bool is_efi = false;

	if (access("/usr/bin/qemu-img", X_OK) < 0)
		cr_skip_test("qemu-img is missing");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(raw, sizeof(raw), "%s/disk.raw", dir);
	snprintf(qcow2, sizeof(qcow2), "%s/disk.qcow2", dir);
	snprintf(word, sizeof(word), "%s/firmware", dir);
	gpt_make(head, efi, NULL);
	write_at(raw, head, sizeof(head), 0);
	cr_assert_eq(truncate(raw, 1 << 20), 0);
	cr_assert_eq(firmware_is_efi(raw, DISK_RAW, &is_efi, &err), 0, "%s", err.text);
	cr_assert(is_efi);
	for (int bits = 9; bits <= 21; bits += 4) {
		snprintf(command, sizeof(command), "qemu-img convert -f raw -O qcow2 -o cluster_size=%d %s %s", 1 << bits, raw, qcow2);
		cr_assert_eq(system(command), 0);
		is_efi = false;
		cr_assert_eq(firmware_is_efi(qcow2, DISK_QCOW2, &is_efi, &err), 0, "%s", err.text);
		cr_assert(is_efi, "clusters of %d bytes", 1 << bits);
		/* Wherever its tables lead, it is looked at and no more. */
		uint8_t wild[8] = { 0x7f, 255, 255, 255, 255, 255, 254, 0 };
		write_at(qcow2, wild, 8, (off_t)3 << bits);
		cr_assert_eq(firmware_is_efi(qcow2, DISK_QCOW2, &is_efi, &err), 0, "%s", err.text);
	}
	write_at(word, "bios\n", 5, 0);
	cr_assert_eq(firmware_is_efi(raw, DISK_RAW, &is_efi, &err), 0);
	cr_assert_not(is_efi);
	write_at(word, "moon\n", 5, 0);
	cr_assert_eq(firmware_is_efi(raw, DISK_RAW, &is_efi, &err), PST_EINVAL);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	cr_assert_eq(system(command), 0);
	cr_assert_eq(firmware_is_efi(raw, DISK_RAW, &is_efi, &err), PST_ENOTFOUND);
}
