/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two volume descriptors, their end, path tables and root directories, and the file (ECMA-119, 8.4 to 9.4). */
#include "broker/hypervisor/iso.h"

#include "base/err.h"

#include <string.h>

#define SECTOR 2048

enum {
	SECTOR_PRIMARY = 16,
	SECTOR_JOLIET,
	SECTOR_END,
	SECTOR_PATH_L, /* little-endian path tables, then big-endian; Joliet's have the same root record but for the place */
	SECTOR_PATH_M,
	SECTOR_JOLIET_PATH_L,
	SECTOR_JOLIET_PATH_M,
	SECTOR_ROOT,
	SECTOR_JOLIET_ROOT,
	SECTOR_FILE,
};

/* Both byte orders (7.3.3, 7.2.3). */
static void both32(uint8_t *at, uint32_t v)
{
	for (int i = 0; i < 4; i++) {
		at[i] = (uint8_t)(v >> 8 * i);
		at[7 - i] = at[i];
	}
}

static void both16(uint8_t *at, uint16_t v)
{
	at[0] = at[3] = (uint8_t)v;
	at[1] = at[2] = (uint8_t)(v >> 8);
}

/* A directory record (9.1); returns its length. The date is left at zero: "not specified". */
static size_t record(uint8_t *at, uint32_t sector, uint32_t len, bool is_directory, const void *name, uint8_t name_len)
{
	size_t size = 33u + name_len + (name_len % 2 == 0);

	at[0] = (uint8_t)size;
	both32(at + 2, sector);
	both32(at + 10, len);
	at[25] = is_directory ? 2 : 0;
	both16(at + 28, 1);
	at[32] = name_len;
	memcpy(at + 33, name, name_len);
	return size;
}

/* Letters in two bytes, the high one first. */
static uint8_t wide(const char *text, uint8_t *out)
{
	uint8_t n = 0;

	for (; *text; text++) {
		out[n++] = 0;
		out[n++] = (uint8_t)*text;
	}
	return n;
}

static void text_pad(uint8_t *at, size_t size, const char *text, bool is_joliet)
{
	for (size_t i = 0; i < size; i++) {
		bool is_high = is_joliet && i % 2 == 0;

		at[i] = is_high ? 0 : *text ? (uint8_t)*text++ : ' ';
	}
}

/* 8.4 and 8.5. */
static void descriptor(uint8_t *d, uint32_t sectors, bool is_joliet)
{
	d[0] = is_joliet ? 2 : 1;
	memcpy(d + 1, "CD001", 5);
	d[6] = 1;
	text_pad(d + 8, 32, "", is_joliet);
	text_pad(d + 40, 32, "CIDATA", is_joliet);
	both32(d + 80, sectors);
	if (is_joliet)
		memcpy(d + 88, "%/E", 3); /* UCS-2 level 3 */
	both16(d + 120, 1);
	both16(d + 124, 1);
	both16(d + 128, SECTOR);
	both32(d + 132, 10);
	d[140] = is_joliet ? SECTOR_JOLIET_PATH_L : SECTOR_PATH_L;
	d[151] = is_joliet ? SECTOR_JOLIET_PATH_M : SECTOR_PATH_M;
	record(d + 156, is_joliet ? SECTOR_JOLIET_ROOT : SECTOR_ROOT, SECTOR, true, "", 1);
	text_pad(d + 190, 623, "", is_joliet); /* the set, publisher, preparer, application, and files of theirs */
	for (int i = 0; i < 4; i++)
		memset(d + 813 + 17 * i, '0', 16);
	d[881] = 1;
}

/* The root's one record (9.4). */
static void paths(uint8_t *image, uint32_t little, uint32_t big, uint8_t root)
{
	uint8_t *l = image + little * SECTOR, *m = image + big * SECTOR;

	l[0] = m[0] = 1;
	l[2] = m[5] = root;
	l[6] = m[7] = 1;
}

static void directory(uint8_t *at, uint32_t own, const void *name, uint8_t name_len, uint32_t len)
{
	at += record(at, own, SECTOR, true, "\0", 1);
	at += record(at, own, SECTOR, true, "\1", 1);
	record(at, SECTOR_FILE, len, false, name, name_len);
}

int iso_make(struct pst_buf *out, const void *data, size_t len)
{
	static const char plain[] = "PUESTO.JSO;1";
	uint32_t sectors = SECTOR_FILE + (uint32_t)(len + SECTOR - 1) / SECTOR;
	uint8_t name[64], *image;
	uint8_t name_len = wide("puesto.json", name);

	if (len > ISO_FILE_MAX)
		return PST_ELIMIT;
	image = pst_buf_reserve(out, (size_t)sectors * SECTOR);
	if (!image)
		return PST_ENOMEM;
	memset(image, 0, (size_t)sectors * SECTOR);
	descriptor(image + SECTOR_PRIMARY * SECTOR, sectors, false);
	descriptor(image + SECTOR_JOLIET * SECTOR, sectors, true);
	image[SECTOR_END * SECTOR] = 255;
	memcpy(image + SECTOR_END * SECTOR + 1, "CD001\1", 6);
	paths(image, SECTOR_PATH_L, SECTOR_PATH_M, SECTOR_ROOT);
	paths(image, SECTOR_JOLIET_PATH_L, SECTOR_JOLIET_PATH_M, SECTOR_JOLIET_ROOT);
	directory(image + SECTOR_ROOT * SECTOR, SECTOR_ROOT, plain, sizeof(plain) - 1, (uint32_t)len);
	directory(image + SECTOR_JOLIET_ROOT * SECTOR, SECTOR_JOLIET_ROOT, name, name_len, (uint32_t)len);
	memcpy(image + (size_t)SECTOR_FILE * SECTOR, data, len);
	pst_buf_commit(out, (size_t)sectors * SECTOR);
	return 0;
}
