/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a program in the sandbox can still do: a shell tries. Needs root. */
#include "broker/hypervisor/disk/sandbox.h"

#include "broker/hypervisor/disk/child.h"
#include "tests/unit/hypervisor/disk_folder.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void make(void)
{
	if (geteuid() != 0)
		cr_skip_test("the sandbox needs root");
	disk_folder_make();
}

TestSuite(sandbox, .init = make, .fini = disk_folder_remove);

/* The script with $1 (may be read), $2 (may be written) and $3 (neither). */
static int confined(const char *script, struct pst_err *err)
{
	char a[PATH_MAX], b[PATH_MAX], c[PATH_MAX];

	snprintf(a, sizeof(a), "%s", disk_file("read", "abc", 3, 3));
	snprintf(b, sizeof(b), "%s", disk_file("write", "", 0, 0));
	snprintf(c, sizeof(c), "%s", disk_file("other", "xyz", 3, 3));
	const char *const argv[] = { "/bin/sh", "-c", script, "sh", a, b, c, NULL };
	int read_fd = open(a, O_RDONLY);
	struct sandbox_params params = { .memory_max = 1 << 30, .file_max = 100000, .cpu_s_max = 2,
		.read_fds = &read_fd, .n_read = 1, .write_fd = open(b, O_RDWR) };
	struct sandbox s;

	cr_assert_eq(sandbox_init(&s, &params, err), 0, "%s", err->text);
	struct child_params p = { .argv = argv, .sandbox = &s, .timeout_ms = 30000, .cancel_fd = -1 };
	int rc = child_run(&p, err);
	sandbox_finish(&s);
	close(read_fd);
	close(params.write_fd);
	return rc;
}

Test(sandbox, it_can_do_its_work_and_nothing_else)
{
	static const struct {
		const char *script;
		int code;
	} cases[] = {
		{ "cat $1 >/dev/null", PST_EIO }, /* /dev/null is for reading */
		{ "test \"$(cat $1)\" = abc", 0 },
		{ "cat $1 > $2 && test \"$(cat $2)\" = abc", 0 },
		{ "cat $3", PST_EIO },
		{ "cat /etc/passwd", PST_EIO },
		{ "cat /etc/shadow", PST_EIO },
		{ "ls /", PST_EIO },
		{ "echo x > $1", PST_EIO },
		{ "echo x > $3", PST_EIO },
		{ "echo x > /tmp/puesto-sandbox-escape", PST_EIO },
		{ "chmod 777 $1", PST_EIO },
		{ "chmod 777 $3", PST_EIO },
		{ "truncate -s 0 $3", PST_EIO },
		{ "rm $3", PST_EIO },
		{ "mv $2 $3", PST_EIO },
		{ "mkdir $3.d", PST_EIO },
		{ "kill -0 1", PST_EIO },
		{ "test $(id -u) -ge 2130000000 && test $(id -g) -ge 2130000000", 0 },
		{ "unshare -U true", PST_EIO },
		{ "head -c 200000 /usr/bin/sh /usr/bin/env > $2", PST_EIO }, /* a file's ceiling */
		{ "cat $(printf '/usr/../etc/passwd')", PST_EIO },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pst_err err = PST_ERR_INIT;

		cr_assert_eq(confined(cases[i].script, &err), cases[i].code, "%s: %s", cases[i].script, err.text);
		cr_assert_neq(access("/tmp/puesto-sandbox-escape", F_OK), 0);
	}
}

Test(sandbox, an_endless_program_meets_its_ceilings)
{
	struct pst_err err = PST_ERR_INIT;

	/* Killed by the ceiling of processor time, or of memory. */
	cr_assert_eq(confined("exec head -c 5000000000 /dev/urandom > $2", &err), PST_ELIMIT, "%s", err.text);
	cr_assert_lt(confined("x=aaaaaaaa; while :; do x=$x$x; done", &err), 0);
}

Test(sandbox, the_written_file_belongs_to_a_uid_of_its_own)
{
	struct pst_err err = PST_ERR_INIT;
	struct stat a, b;

	cr_assert_eq(confined("true", &err), 0, "%s", err.text);
	cr_assert_eq(stat(disk_at("write"), &a), 0);
	cr_assert_eq(confined("true", &err), 0, "%s", err.text);
	cr_assert_eq(stat(disk_at("write"), &b), 0);
	cr_assert(a.st_uid >= 2130000000u && b.st_uid >= 2130000000u && a.st_uid != b.st_uid);
}
