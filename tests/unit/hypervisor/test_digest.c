/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Digests of files, told as they grow, and given up. */
#include "broker/hypervisor/disk/digest.h"

#include "tests/unit/hypervisor/disk_folder.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <unistd.h>

TestSuite(digest, .init = disk_folder_make, .fini = disk_folder_remove);

struct watch {
	uint32_t last;
	unsigned calls, stop_after;
};

static bool go_on(void *arg, uint32_t basis_points)
{
	struct watch *w = arg;

	cr_assert_geq(basis_points, w->last);
	w->last = basis_points;
	return ++w->calls != w->stop_after;
}

Test(digest, known_files_have_known_digests)
{
	struct pst_err err = PST_ERR_INIT;
	char hex[PST_SHA256_HEX_SIZE];
	uint64_t size = 9;
	int fd = open(disk_file("abc", "abc", 3, 3), O_RDONLY);

	cr_assert_eq(digest_file(fd, NULL, NULL, hex, &size, &err), 0, "%s", err.text);
	cr_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	cr_assert_eq(size, 3);
	close(fd);
	fd = open(disk_file("empty", "", 0, 0), O_RDONLY);
	cr_assert_eq(digest_file(fd, NULL, NULL, hex, NULL, &err), 0);
	cr_assert_str_eq(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	close(fd);
}

Test(digest, a_large_file_is_read_in_pieces_and_can_be_given_up)
{
	struct pst_err err = PST_ERR_INIT;
	char hex[PST_SHA256_HEX_SIZE];
	struct watch w = { .stop_after = 0 };
	int fd = open(disk_file("zeros", "", 0, 5 << 20), O_RDONLY);

	cr_assert_eq(digest_file(fd, go_on, &w, hex, NULL, &err), 0);
	cr_assert_str_eq(hex, "c036cbb7553a909f8b8877d4461924307f27ecb66cff928eeeafd569c3887e29");
	cr_assert(w.calls == 5 && w.last == 10000);
	w = (struct watch){ .stop_after = 2 };
	cr_assert_eq(digest_file(fd, go_on, &w, hex, NULL, &err), PST_ECLOSED);
	cr_assert_eq(w.calls, 2);
	close(fd);
	cr_assert_eq(digest_file(-1, NULL, NULL, hex, NULL, &err), PST_EIO);
}
