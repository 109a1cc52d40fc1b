/* SPDX-License-Identifier: GPL-3.0-or-later */
/* glibc has no wrappers for these three calls. */
#include "base/landlock.h"

#include <errno.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The rights of the first version, which every kernel with Landlock knows. */
#define RIGHTS_1 ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

static int restrict_to(int ruleset, int dir_fd)
{
	struct landlock_path_beneath_attr below = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
		.parent_fd = dir_fd,
	};

	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &below, 0) < 0)
		return -1;
	return (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
}

int pst_landlock_read_below(int dir_fd, struct pst_err *err)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = RIGHTS_1 };
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	int rc = ruleset < 0 ? -1 : restrict_to(ruleset, dir_fd), error = errno;

	if (ruleset >= 0)
		close(ruleset);
	if (rc == 0)
		return 0;
	if (error == ENOSYS || error == EOPNOTSUPP)
		return pst_err_set(err, PST_EUNSUPPORTED, "this kernel has no Landlock");
	return pst_err_sys(err, PST_EIO, error, "Landlock");
}
