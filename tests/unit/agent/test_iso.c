/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Seed disks as tools write them, and as nobody does. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/seed/iso.h"
#include "base/mem.h"

#define SECTORS 24
static uint8_t disk[SECTORS * ISO_SECTOR];

static void le32(uint8_t *at, uint32_t v)
{
	memcpy(at, &v, 4);
}

static uint8_t *record(
	uint8_t *at, uint32_t sector, uint32_t len, const char *name, size_t name_len, uint8_t flags)
{
	at[0] = (uint8_t)(33 + name_len + (name_len + 1) % 2);
	le32(at + 2, sector);
	le32(at + 10, len);
	at[25] = flags;
	at[32] = (uint8_t)name_len;
	memcpy(at + 33, name, name_len);
	return at + at[0];
}

static void descriptor(uint32_t sector, uint8_t type, const char *volume, uint32_t root)
{
	uint8_t *d = disk + sector * ISO_SECTOR;

	d[0] = type;
	memcpy(d + 1, "CD001\1", 6);
	memset(d + 40, ' ', 32);
	memcpy(d + 40, volume, strlen(volume));
	record(d + 156, root, ISO_SECTOR, "\0", 1, 2);
}

/* Primary root in sector 19, Joliet root in sector 20, the file in sector 21. */
static void make(const char *volume, const char *name)
{
	memset(disk, 0, sizeof(disk));
	descriptor(16, 1, volume, 19);
	descriptor(17, 2, "", 20);
	memcpy(disk + 18 * ISO_SECTOR,
		"\xff"
		"CD001\1",
		7);
	uint8_t *at = record(disk + 19 * ISO_SECTOR, 19, ISO_SECTOR, "\0", 1, 2);
	at = record(at, 22, 3, "META.;1", 7, 0);
	record(at, 21, 5, name, strlen(name), 0);
	memcpy(disk + 21 * ISO_SECTOR, "hello", 5);
}

static int look(size_t size, char **text, size_t *len)
{
	struct pst_err err = PST_ERR_INIT;
	int fd = memfd_create("iso", MFD_CLOEXEC);

	cr_assert_eq(write(fd, disk, size), (ssize_t)size);
	int rc = iso_seed_read(fd, 100, text, len, &err);
	close(fd);
	return rc;
}

static void found(void)
{
	char *text = NULL;
	size_t len = 0;

	cr_assert_eq(look(sizeof(disk), &text, &len), 0);
	cr_assert(len == 5 && strcmp(text, "hello") == 0);
	free(text);
}

static void refused(int code)
{
	char *text = NULL;
	size_t len;

	cr_assert_eq(look(sizeof(disk), &text, &len), code);
	cr_assert_null(text);
}

Test(iso, test_names_as_tools_write_them)
{
	static const char *const names[] = { "PUESTO.JSON;1", "PUESTO.JSO;1", "puesto.json", "PUESTO.JSON" };

	for (size_t i = 0; i < PST_ARRAY_LEN(names); i++) {
		make("CIDATA", names[i]);
		found();
	}
	make("cidata", "PUESTO.JSON;1");
	found();
}

Test(iso, test_a_joliet_name)
{
	make("CIDATA", "PUEST000.000;1");
	uint8_t *at = record(disk + 20 * ISO_SECTOR, 20, ISO_SECTOR, "\0", 1, 2);
	record(at, 21, 5, "\0p\0u\0e\0s\0t\0o\0.\0j\0s\0o\0n", 22, 0);
	found();
}

Test(iso, test_other_disks)
{
	make("DEBIAN", "PUESTO.JSON;1");
	refused(PST_ENOTFOUND);
	make("CIDATA", "USERDATA;1");
	refused(PST_ENOTFOUND);
	make("CIDATA", "PUESTO.JSON;1");
	disk[19 * ISO_SECTOR + 34 + 40 + 25] = 2; /* a folder of that name */
	refused(PST_ENOTFOUND);
	memset(disk, 0, sizeof(disk));
	refused(PST_ENOTFOUND);
	memset(disk, 0xff, sizeof(disk));
	refused(PST_ENOTFOUND);
}

Test(iso, test_damaged_disks)
{
	uint8_t *file = disk + 19 * ISO_SECTOR + 34 + 40;

	make("CIDATA", "PUESTO.JSON;1");
	le32(file + 10, 101); /* longer than may be */
	refused(PST_EINVAL);
	make("CIDATA", "PUESTO.JSON;1");
	le32(file + 2, 0xffffffff); /* beyond the end */
	refused(PST_EINVAL);
	make("CIDATA", "PUESTO.JSON;1");
	le32(disk + 16 * ISO_SECTOR + 156 + 10, 0x7fffffff); /* a folder of 2 GiB */
	refused(PST_EINVAL);
	for (unsigned size = 1; size < 256; size += 3) {
		char *text = NULL;
		size_t len;

		make("CIDATA", "PUESTO.JSON;1");
		disk[19 * ISO_SECTOR] = (uint8_t)size; /* records that overlap or run out */
		if (look(sizeof(disk), &text, &len) == 0)
			free(text);
	}
}

Test(iso, test_a_disk_that_is_cut_anywhere)
{
	make("CIDATA", "PUESTO.JSON;1");
	for (size_t size = 0; size < 21 * ISO_SECTOR; size += 512) {
		char *text = NULL;
		size_t len;

		cr_assert_lt(look(size, &text, &len), 0, "%zu", size);
	}
}
