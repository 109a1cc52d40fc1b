/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A user's own disk: made once, held by one desktop, and kept for a while when it goes. */
#include "broker/hypervisor/disk/personal.h"

#include "broker/hypervisor/disk/datastore.h"
#include "broker/hypervisor/disk/info.h"
#include "tests/unit/hypervisor/disk_folder.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

static void make(void)
{
	struct pst_err err = PST_ERR_INIT;

	disk_folder_make();
	cr_assert_eq(datastore_init(disk_folder, &err), 0, "%s", err.text);
}

TestSuite(personal, .init = make, .fini = disk_folder_remove);

static const char one[] = "11111111-2222-4333-8444-555555555555", two[] = "aaaaaaaa-2222-4333-8444-555555555555";

static int create(const char *owner, const char *name, uint64_t size, struct pst_err *err)
{
	return personal_create(disk_folder, owner, name, size, getuid(), getgid(), err);
}

Test(personal, a_disk_is_made_once_and_whole)
{
	struct pst_err err = PST_ERR_INIT;
	struct disk_info info;
	char path[PATH_MAX];

	cr_assert_eq(create("ana", "data", 10 << 20, &err), 0, "%s", err.text);
	cr_assert_eq(create("ana", "data", 10 << 20, &err), PST_ECONFLICT);
	cr_assert_eq(personal_path(disk_folder, "ana", "data", path, &err), 0);
	cr_assert_eq(disk_chain_walk(path, DISK_QCOW2, disk_folder, NULL, NULL, &info, &err), 0, "%s", err.text);
	cr_assert(info.size == 10 << 20 && info.qcow2.backing[0] == '\0');
	cr_assert_eq(create("ana", "small", 512, &err), PST_EINVAL);
	cr_assert_eq(create("ana", "odd", (1 << 20) + 1, &err), PST_EINVAL);
	cr_assert_eq(create("../ana", "x", 1 << 20, &err), PST_EINVAL);
	cr_assert_eq(create("ana", "../x", 1 << 20, &err), PST_EINVAL);
}

Test(personal, serials_are_steady_and_different)
{
	char a[PERSONAL_SERIAL_SIZE], b[PERSONAL_SERIAL_SIZE];

	personal_serial("ana", "data", a);
	cr_assert_eq(strlen(a), 20);
	cr_assert_str_eq(a, "puesto-39e10e5ea4ccf");
	personal_serial("ana", "data2", b);
	cr_assert_str_neq(a, b);
	personal_serial("anad", "ata", b);
	cr_assert_str_neq(a, b);
}

Test(personal, one_desktop_holds_it_at_a_time)
{
	struct pst_err err = PST_ERR_INIT;
	char holder[PST_UUID_SIZE];

	cr_assert_eq(personal_attach(disk_folder, "ana", "data", one, &err), PST_ENOTFOUND);
	cr_assert_eq(create("ana", "data", 1 << 20, &err), 0, "%s", err.text);
	cr_assert_eq(personal_holder(disk_folder, "ana", "data", holder, &err), 0);
	cr_assert_str_eq(holder, "");
	cr_assert_eq(personal_attach(disk_folder, "ana", "data", "desktop", &err), PST_EINVAL);
	cr_assert_eq(personal_attach(disk_folder, "ana", "data", one, &err), 0, "%s", err.text);
	cr_assert_eq(personal_attach(disk_folder, "ana", "data", one, &err), 0, "again: %s", err.text);
	cr_assert_eq(personal_attach(disk_folder, "ana", "data", two, &err), PST_EBUSY);
	cr_assert(strstr(err.text, one), "%s", err.text);
	cr_assert_eq(personal_detach(disk_folder, "ana", "data", two, &err), PST_ECONFLICT);
	cr_assert_eq(personal_remove(disk_folder, "ana", "data", "r", 0, 0, &err), PST_EBUSY);
	cr_assert_eq(personal_detach(disk_folder, "ana", "data", one, &err), 0, "%s", err.text);
	cr_assert_eq(personal_detach(disk_folder, "ana", "data", one, &err), 0, "again: %s", err.text);
	cr_assert_eq(personal_attach(disk_folder, "ana", "data", two, &err), 0, "%s", err.text);
	cr_assert_eq(personal_holder(disk_folder, "ana", "data", holder, &err), 0);
	cr_assert_str_eq(holder, two);
}

Test(personal, a_removed_one_lies_in_the_bin)
{
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(create("ana", "data", 1 << 20, &err), 0, "%s", err.text);
	cr_assert_eq(personal_remove(disk_folder, "ana", "data", "gone", 0, 1000, &err), 0, "%s", err.text);
	cr_assert_eq(personal_remove(disk_folder, "ana", "data", "gone", 0, 1000, &err), PST_ENOTFOUND);
	cr_assert_eq(create("ana", "data", 1 << 20, &err), 0, "another may be made: %s", err.text);
}

Test(personal, a_holder_that_is_no_desktop_is_told)
{
	struct pst_err err = PST_ERR_INIT;
	char holder[PST_UUID_SIZE];

	cr_assert_eq(create("ana", "data", 1 << 20, &err), 0);
	cr_assert_eq(symlink("/etc/passwd", disk_at("personal/ana/data/holder")), 0);
	cr_assert_eq(personal_holder(disk_folder, "ana", "data", holder, &err), PST_EIO);
	cr_assert_eq(personal_attach(disk_folder, "ana", "data", one, &err), PST_EIO);
}
