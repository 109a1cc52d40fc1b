/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A seed's disk, byte by byte where ECMA-119 says what stands; tests/integration/test_proxmox.py has puesto-seed read one. */
#include "broker/hypervisor/iso.h"

#include "base/err.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint32_t le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

Test(iso, has_two_names_for_one_file)
{
	static const char text[] = "{\"desktop\":\"x\"}";
	struct pst_buf b;

	pst_buf_init(&b, ISO_SIZE_MAX);
	cr_assert_eq(iso_make(&b, text, strlen(text)), 0);
	cr_assert_eq(b.len % 2048, 0);
	for (size_t sector = 16; sector < 18; sector++) {
		const uint8_t *d = b.data + sector * 2048, *root, *file;

		cr_assert_eq(memcmp(d + 1, "CD001", 5), 0);
		cr_assert_eq(le32(d + 80) * 2048, b.len, "the volume is as large as the image");
		root = b.data + (size_t)le32(d + 156 + 2) * 2048;
		file = root + root[0] + (root + root[0])[0];
		cr_assert_eq(le32(file + 10), strlen(text));
		cr_assert_eq(memcmp(b.data + (size_t)le32(file + 2) * 2048, text, strlen(text)), 0);
		cr_assert_eq(memcmp(file + 33, sector == 16 ? "PUESTO.JSO;1" : "\0p\0u\0e\0s", sector == 16 ? 12 : 8), 0);
		cr_assert_eq(memcmp(d + 40, sector == 16 ? "CIDATA " : "\0C\0I\0D\0A\0T\0A\0 ", sector == 16 ? 7 : 14), 0);
	}
	cr_assert_eq(b.data[18 * 2048], 255);
	pst_buf_finish(&b);
}

/* Windows reads the Joliet name; another reader of it says what it sees. */
Test(iso, another_program_reads_label_and_name)
{
	static const char text[] = "{\"desktop\":\"x\"}";
	char path[] = "/tmp/puesto-iso-XXXXXX", command[200], listing[4096] = "";
	int fd = mkstemp(path);
	struct pst_buf b;

	if (access("/usr/bin/7z", X_OK) < 0) {
		unlink(path);
		cr_skip_test("7z is missing: apt-get install p7zip-full");
	}
	pst_buf_init(&b, ISO_SIZE_MAX);
	cr_assert_eq(iso_make(&b, text, strlen(text)), 0);
	cr_assert_eq(write(fd, b.data, b.len), (ssize_t)b.len);
	snprintf(command, sizeof(command), "7z l -slt -tiso %s; 7z x -so -tiso %s puesto.json; /sbin/blkid -p %s", path, path, path);
	FILE *out = popen(command, "r");
	size_t n = fread(listing, 1, sizeof(listing) - 1, out);
	listing[n] = '\0';
	cr_assert_eq(pclose(out), 0, "%s", listing);
	unlink(path);
	close(fd);
	cr_assert(strstr(listing, "LABEL=\"CIDATA\""), "%s", listing);
	cr_assert(strstr(listing, "Path = puesto.json"), "%s", listing);
	cr_assert(strstr(listing, text), "%s", listing);
	pst_buf_finish(&b);
}

Test(iso, too_much_is_refused)
{
	static char much[ISO_FILE_MAX + 1];
	struct pst_buf b;

	pst_buf_init(&b, ISO_SIZE_MAX);
	cr_assert_eq(iso_make(&b, much, sizeof(much)), PST_ELIMIT);
	cr_assert_eq(iso_make(&b, much, sizeof(much) - 1), 0);
	pst_buf_finish(&b);
	pst_buf_init(&b, 4096);
	cr_assert_eq(iso_make(&b, much, 1), PST_ENOMEM);
	pst_buf_finish(&b);
}
