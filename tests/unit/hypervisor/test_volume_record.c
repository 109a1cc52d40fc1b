/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records of volumes: written, read, walked, and what is none. */
#include "broker/hypervisor/storage/volume_record.h"

#include "base/file.h"
#include "tests/unit/hypervisor/disk_folder.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

TestSuite(volume_record, .init = disk_folder_make, .fini = disk_folder_remove);

Test(volume_record, is_read_as_it_was_written)
{
	struct volume_record r = { .volume = "puesto-x", .url = "iscsi://h:3260/t/1", .initiator = "iqn.me", .base = "/images/desk/1/disk.volume" }, got;
	struct pst_err err = PST_ERR_INIT;
	struct disk_place p;

	cr_assert_eq(volume_record_write(disk_at("r"), &r, &err), 0, "%s", err.text);
	cr_assert_eq(volume_record_read(disk_at("r"), &got, &err), 0, "%s", err.text);
	cr_assert_str_eq(got.volume, r.volume);
	cr_assert_str_eq(got.base, r.base);
	cr_assert_eq(volume_record_place(&got, &p, &err), 0, "%s", err.text);
	cr_assert(p.kind == PLACE_ISCSI && p.lun == 1 && strcmp(p.initiator, "iqn.me") == 0);
	r = (struct volume_record){ .volume = "x", .url = "/dev/vg/x", .is_block = true };
	cr_assert_eq(volume_record_place(&r, &p, &err), 0);
	cr_assert_eq(p.kind, PLACE_BLOCK);
	r = (struct volume_record){ .volume = "x", .url = "rbd:vdi/x@puesto:id=desk", .secret = "1b4e28ba-2fa1-41d2-883f-0016d3cca427" };
	cr_assert_eq(volume_record_write(disk_at("r"), &r, &err), 0, "%s", err.text);
	cr_assert_eq(volume_record_read(disk_at("r"), &got, &err), 0, "%s", err.text);
	cr_assert_eq(volume_record_place(&got, &p, &err), 0, "%s", err.text);
	cr_assert(p.kind == PLACE_RBD && strcmp(p.snapshot, "puesto") == 0 && strcmp(p.initiator, "desk") == 0 && strcmp(p.secret, r.secret) == 0);
	r.url[0] = '\0';
	cr_assert_eq(volume_record_place(&r, &p, &err), PST_EBUSY, "it is not whole");
	cr_assert_eq(volume_record_read(disk_at("none"), &got, &err), PST_ENOTFOUND);
}

Test(volume_record, what_is_none_is_refused)
{
	static const char *const cases[] = { "", "{}", "[]", "{\"v\":2,\"volume\":\"a\",\"url\":\"\",\"base\":\"\"}", "{\"v\":1,\"volume\":7,\"url\":\"\",\"base\":\"\"}",
		"{\"v\":1,\"volume\":\"a\",\"url\":\"\"}", "not json" };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pst_err err = PST_ERR_INIT;
		struct volume_record r;
		char name[16];

		snprintf(name, sizeof(name), "r%zu", i);
		disk_file(name, cases[i], strlen(cases[i]), strlen(cases[i]));
		cr_assert_lt(volume_record_read(disk_at(name), &r, &err), 0, "%s", cases[i]);
	}
}

struct seen {
	unsigned n, unreadable;
};

static int see(const char *path, const struct volume_record *r, void *arg, struct pst_err *err)
{
	struct seen *s = arg;

	(void)path;
	(void)err;
	s->n++;
	s->unreadable += !r->volume[0] && !r->base[0];
	return 0;
}

static void folder(const char *name)
{
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(pst_mkdirs(disk_at(name), 0700, &err), 0, "%s", err.text);
}

Test(volume_record, those_in_the_recycle_bin_are_found_too_and_links_are_not_followed)
{
	struct volume_record r = { .volume = "a" };
	struct pst_err err = PST_ERR_INIT;
	struct seen s = { 0 };

	cr_assert_eq(volume_records_each(disk_folder, see, &s, &err), 0, "nothing is there yet");
	folder("desktops/i-p/one");
	folder("desktops/i-p/two");
	folder("recycle/token/item/three");
	cr_assert_eq(volume_record_write(disk_at("desktops/i-p/one/volume.json"), &r, &err), 0, "%s", err.text);
	cr_assert_eq(volume_record_write(disk_at("recycle/token/item/three/volume.json"), &r, &err), 0, "%s", err.text);
	disk_file("desktops/i-p/two/volume.json", "?", 1, 1);
	cr_assert_eq(symlink("i-p", disk_at("desktops/link")), 0);
	cr_assert_eq(volume_records_each(disk_folder, see, &s, &err), 0, "%s", err.text);
	cr_assert(s.n == 3 && s.unreadable == 1, "%u %u", s.n, s.unreadable);
}
