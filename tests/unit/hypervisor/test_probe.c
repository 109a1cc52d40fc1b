/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files by their first bytes, and only what is on the list. */
#include "broker/hypervisor/disk/probe.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define RAW PROBE_ALLOW(DISK_RAW)
#define ALL (RAW | PROBE_ALLOW(DISK_QCOW2) | PROBE_ALLOW(DISK_VMDK) | PROBE_ALLOW(DISK_VHDX))

Test(probe, only_what_is_allowed_comes_out)
{
	static const struct {
		size_t at;
		const char *bytes;
		unsigned allowed;
		int code, format;
	} cases[] = {
		{ 0, "QFI\xfb", ALL, 0, DISK_QCOW2 },
		{ 0, "QFI\xfb", RAW, 0, DISK_RAW }, /* a guest's disk stays what it is */
		{ 0, "QFI\xfb", RAW | PROBE_ALLOW(DISK_VMDK), PST_EDENIED, 0 },
		{ 0, "QFI", ALL, 0, DISK_RAW },
		{ 1, "QFI\xfb", ALL, 0, DISK_RAW },
		{ 0, "KDMV", ALL, 0, DISK_VMDK },
		{ 0, "# Disk DescriptorFile\nversion=1", ALL, 0, DISK_VMDK },
		{ 0, "vhdxfile", ALL, 0, DISK_VHDX },
		{ 0, "vhdxfile", ALL & ~PROBE_ALLOW(DISK_VHDX), PST_EDENIED, 0 },
		{ 510, "\x55\xaa", ALL, 0, DISK_RAW },
		{ 510, "\x55\xaa", ALL & ~RAW, PST_EINVAL, 0 },
		{ 32769, "CD001", ALL, PST_EUNSUPPORTED, 0 },
		{ 32769, "CD001", RAW, 0, DISK_RAW },
		{ 257, "ustar", ALL, PST_EUNSUPPORTED, 0 },
		{ 0, "\x1f\x8b", ALL, PST_EUNSUPPORTED, 0 },
		{ 0, "conectix", ALL, PST_EUNSUPPORTED, 0 },
		{ 64, "\x7f\x10\xda\xbe", ALL, PST_EUNSUPPORTED, 0 },
		{ 0, "", 0, PST_EINVAL, 0 },
	};
	uint8_t *head = malloc(PROBE_SIZE);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pst_err err = PST_ERR_INIT;
		enum disk_format format = DISK_RAW;

		memset(head, 0, PROBE_SIZE);
		memcpy(head + cases[i].at, cases[i].bytes, strlen(cases[i].bytes));
		cr_assert_eq(probe_format(head, PROBE_SIZE, cases[i].allowed, &format, &err), cases[i].code, "%s at %zu: %s",
			cases[i].bytes, cases[i].at, err.text);
		cr_assert(cases[i].code < 0 || (int)format == cases[i].format, "%s at %zu", cases[i].bytes, cases[i].at);
	}
	free(head);
}

Test(probe, a_short_file_is_not_read_behind_its_end)
{
	struct pst_err err = PST_ERR_INIT;
	enum disk_format format;
	uint8_t *byte = malloc(1);

	*byte = 'Q';
	cr_assert_eq(probe_format(byte, 1, ALL, &format, &err), 0);
	cr_assert_eq(probe_format(byte, 0, ALL, &format, &err), 0);
	cr_assert_eq(format, DISK_RAW);
	free(byte);
}
