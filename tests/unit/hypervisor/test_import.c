/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is made of qemu-img's words, and imports that never reach it. */
#include "broker/hypervisor/disk/import.h"

#include "tests/unit/hypervisor/disk_folder.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(import, .init = disk_folder_make, .fini = disk_folder_remove);

#define VMDK(extents) \
	"{\"format\":\"vmdk\",\"virtual-size\":1048576,\"format-specific\":{\"type\":\"vmdk\",\"data\":{\"extents\":" extents "}}}"

Test(import, the_words_of_qemu_img_are_judged)
{
	static const struct {
		enum disk_format format;
		const char *json;
		int code;
	} cases[] = {
		{ DISK_RAW, "{\"format\":\"raw\",\"virtual-size\":1048576,\"filename\":\"x\"}", 0 },
		{ DISK_VHDX, "{\"format\":\"vhdx\",\"virtual-size\":512}", 0 },
		{ DISK_VMDK, VMDK("[{\"filename\":\"/in/disk\"}]"), 0 },
		{ DISK_VMDK, VMDK("[{\"filename\":\"/in/disk\"},{\"filename\":\"/etc/shadow\"}]"), PST_EDENIED },
		{ DISK_VMDK, VMDK("[{\"format\":\"FLAT\"}]"), PST_EDENIED },
		{ DISK_VMDK, VMDK("[7]"), PST_EDENIED },
		{ DISK_RAW, "{\"format\":\"qcow2\",\"virtual-size\":1048576}", PST_EINVAL },
		{ DISK_RAW, "{\"format\":\"raw\",\"virtual-size\":2097153}", PST_ELIMIT },
		{ DISK_RAW, "{\"format\":\"raw\",\"virtual-size\":0}", PST_EINVAL },
		{ DISK_RAW, "{\"format\":\"raw\",\"virtual-size\":-1}", PST_EINVAL },
		{ DISK_RAW, "{\"format\":\"raw\",\"virtual-size\":1e6}", PST_EINVAL },
		{ DISK_RAW, "{\"format\":\"raw\"}", PST_EINVAL },
		{ DISK_RAW, "{\"virtual-size\":512}", PST_EINVAL },
		{ DISK_RAW, "{\"format\":\"raw\",\"virtual-size\":512,\"backing-filename\":\"x\"}", PST_EDENIED },
		{ DISK_RAW, "{\"format\":\"raw\",\"virtual-size\":512,\"full-backing-filename\":\"x\"}", PST_EDENIED },
		{ DISK_QCOW2, "{\"format\":\"qcow2\",\"virtual-size\":512,\"encrypted\":true}", PST_EDENIED },
		{ DISK_QCOW2, "{\"format\":\"qcow2\",\"virtual-size\":512,\"format-specific\":{\"data\":{\"data-file\":\"x\"}}}",
			PST_EDENIED },
		{ DISK_RAW, "[]", PST_EINVAL },
		{ DISK_RAW, "", PST_EINVAL },
		{ DISK_RAW, "{\"format\":\"raw\",\"virtual-size\":512} x", PST_EINVAL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct import_params p = { .source = "/in/disk", .format = cases[i].format, .size_max = 2097152 };
		struct pst_err err = PST_ERR_INIT;
		uint64_t size = 0;

		cr_assert_eq(import_judge(&p, cases[i].json, strlen(cases[i].json), &size, &err), cases[i].code,
			"%s: %s", cases[i].json, err.text);
		cr_assert_eq(size > 0, cases[i].code == 0);
	}
}

Test(import, what_can_be_told_at_once_starts_no_program)
{
	struct import_params p = { .program = "/nonexistent", .source = disk_file("a", "a", 1, 4096), .format = DISK_RAW,
		.target = disk_at("b"), .size_max = 4095, .file_max = 1 << 20, .timeout_ms = 1000, .cancel_fd = -1 };
	struct pst_err err = PST_ERR_INIT;
	struct disk_info info;

	cr_assert_eq(import_run(&p, &info, &err), PST_ELIMIT, "%s", err.text);
	p.size_max = 4096;
	p.format = DISK_QCOW2;
	cr_assert_eq(import_run(&p, &info, &err), PST_EINVAL, "%s", err.text);
	p.format = DISK_RAW;
	p.target = p.source;
	cr_assert_eq(import_run(&p, &info, &err), PST_ECONFLICT, "%s", err.text);
	p.target = "b";
	cr_assert_eq(import_run(&p, &info, &err), PST_EINVAL, "%s", err.text);
	p.source = "/dev/zero";
	cr_assert_eq(import_run(&p, &info, &err), PST_EINVAL, "%s", err.text);
	p.source = disk_at("none");
	cr_assert_eq(import_run(&p, &info, &err), PST_ENOTFOUND, "%s", err.text);
	cr_assert_eq(disk_names(), 1);
}
