/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Accounts of an image and ours; an enrolment file in a directory that a desktop can write to. */
#include "broker/hypervisor/identity.h"

#include "base/file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

Test(identity, an_images_own_user_gives_way_to_ours)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "root:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/home/old:/bin/sh\nuserx:x:1:1::/:/bin/sh", "root:x:0:0::/root:/bin/sh\nuserx:x:1:1::/:/bin/sh\n" },
		{ "", "" },
		{ "\n\nroot:x:0:\n", "root:x:0:\n" },
	};
	char own[IDENTITY_LINE_SIZE], all[1024];
	struct pst_buf b;

	identity_passwd(5000, own);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pst_buf_init(&b, 4096);
		identity_accounts(&b, cases[i].in, own);
		snprintf(all, sizeof(all), "%suser:x:5000:5000:Puesto:/home/user:/bin/bash\n", cases[i].out);
		cr_assert_str_eq(pst_buf_cstr(&b), all);
		pst_buf_finish(&b);
	}
	identity_machine_id("1b4e28ba-2fa1-41d2-883f-0016d3cca427", own);
	cr_assert_str_eq(own, "1b4e28ba2fa141d2883f0016d3cca427\n");
}

Test(identity, an_enrolment_replaces_what_a_desktop_put_there)
{
	struct pst_err err = PST_ERR_INIT;
	char run[64] = "/tmp/puesto-run-XXXXXX", path[96], bait[96], *text;
	struct stat st;
	size_t len;

	cr_assert_not_null(mkdtemp(run));
	snprintf(path, sizeof(path), "%s/enrol.json", run);
	snprintf(bait, sizeof(bait), "%s/bait", run);
	cr_assert_eq(symlink(bait, path), 0);
	cr_assert_eq(identity_enrol(run, "d", "", geteuid(), &err), 0, "without a token there is nothing to do");
	cr_assert_eq(lstat(path, &st), 0);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(identity_enrol(run, "d", "t", geteuid(), &err), 0, "%s", err.text);
		cr_assert_neq(access(bait, F_OK), 0);
		cr_assert_eq(pst_file_read(path, 100, &text, &len, &err), 0);
		cr_assert_str_eq(text, "{\"desktop\":\"d\",\"token\":\"t\"}");
		free(text);
		cr_assert(lstat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
		unlink(path);
		mkdir(path, 0700);
	}
	rmdir(path);
	rmdir(run);
	cr_assert_lt(identity_enrol(run, "d", "t", geteuid(), &err), 0);
}
