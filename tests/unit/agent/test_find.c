/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The places of a seed, and their order. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/seed/find.h"
#include "tests/unit/agent/seed_kit.h"
#include "tests/unit/fine.h"

#define FW_CFG "/sys/firmware/qemu_fw_cfg/by_name/opt/org.puesto/seed/raw"
#define DMI "/sys/firmware/dmi/tables/DMI"

TestSuite(find, .init = kit_open, .fini = kit_close);

static void finds(const char *want, const char *want_where)
{
	const char *where;
	struct pst_err err;
	char *text;
	size_t len;

	FINE(seed_find(kit_root(), &text, &len, &where, &err));
	cr_assert(len == strlen(want) && memcmp(text, want, len) == 0, "%s", text);
	cr_assert_str_eq(where, want_where);
	free(text);
}

static void finds_none(int code)
{
	struct pst_err err = PST_ERR_INIT;
	const char *where;
	char *text;
	size_t len;

	cr_assert_eq(seed_find(kit_root(), &text, &len, &where, &err), code, "%s", err.text);
}

static void put_dmi(const char *base64)
{
	char table[256] = "\x0b\x05\x01\x00\x01";
	int n = sprintf(table + 5, "org.puesto.seed=%s", base64);

	kit_put(DMI, table, (size_t)n + 7);
}

static void put_disk(void)
{
	static char disk[22 * 2048];

	memcpy(disk + 16 * 2048, "\1CD001\1", 7);
	memcpy(disk + 16 * 2048 + 40, "CIDATA                          ", 32);
	memcpy(disk + 16 * 2048 + 156 + 2, "\x13\0\0\0", 4);
	memcpy(disk + 16 * 2048 + 156 + 10, "\0\x08\0\0", 4);
	memcpy(disk + 19 * 2048, "\x30\0\x15\0\0\0\0\0\0\0\4\0\0\0", 14);
	disk[19 * 2048 + 32] = 11;
	memcpy(disk + 19 * 2048 + 33, "PUESTO.JSON", 11);
	memcpy(disk + 21 * 2048, "disk", 4);
	kit_put("/dev/sr0", disk, sizeof(disk));
	kit_put("/sys/block/sr0/size", "44\n", 3);
	kit_put("/sys/block/sda/size", "44\n", 3);
	kit_put("/dev/sda", "", 0);
}

Test(find, test_the_places_in_their_order)
{
	finds_none(PST_ENOTFOUND);
	kit_put("/var/lib/puesto/seed.json", "file", 4);
	finds("file", "file");
	seed_forget(kit_root(), "SMBIOS");
	finds("file", "file");
	seed_forget(kit_root(), "file");
	seed_forget(kit_root(), "file");
	finds_none(PST_ENOTFOUND);
	static char pool[2560] = "org.puesto.seed";
	strcpy(pool + 512, "kvp");
	kit_put("/var/lib/hyperv/.kvp_pool_0", pool, sizeof(pool));
	finds("kvp", "Hyper-V");
	put_dmi("ZG1p");
	finds("dmi", "SMBIOS");
	put_disk();
	finds("disk", "seed disk");
	kit_put(FW_CFG, "fw", 2);
	finds("fw", "fw_cfg");
}

Test(find, test_what_is_damaged_is_no_reason_to_look_elsewhere)
{
	static char big[64 * 1024 + 1];

	put_dmi("ZG1p");
	kit_put(FW_CFG, big, sizeof(big));
	finds_none(PST_ELIMIT);
}

Test(find, test_a_string_that_is_no_base64)
{
	put_dmi("?");
	finds_none(PST_EINVAL);
	kit_put(DMI, "\x0b", 1);
	finds_none(PST_ENOTFOUND);
}
