/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files below one directory stay readable, and nothing else does. */
#include "base/landlock.h"

#include "tests/unit/base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static void make_file(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0644);

	cr_assert_geq(fd, 0);
	close(fd);
}

static int open_error(const char *path, int flags)
{
	int fd = open(path, flags, 0600);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? errno : 0;
}

/* In a process of its own: the restriction is for good. */
static int locked_in(int dir, const char *inside)
{
	struct pst_err err;
	int rc;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	rc = pst_landlock_read_below(dir, &err);
	if (rc == PST_EUNSUPPORTED)
		return 77;
	if (rc < 0)
		return 1;
	if (open_error(inside, O_RDONLY) != 0)
		return 2;
	if (open_error(inside, O_RDWR) != EACCES || open_error(inside, O_WRONLY | O_APPEND) != EACCES)
		return 3;
	if (open_error("/etc/passwd", O_RDONLY) != EACCES)
		return 4;
	if (unlink(inside) == 0 || open_error("/tmp/puesto-landlock", O_CREAT | O_WRONLY) != EACCES)
		return 5;
	return 0;
}

Test(landlock, only_files_below_the_directory_are_read)
{
	char dir[64], path[96];
	int fd, status;

	temp_dir_make(dir);
	snprintf(path, sizeof(path), "%s/file", dir);
	make_file(path);
	fd = open(dir, O_PATH | O_DIRECTORY);
	cr_assert_geq(fd, 0);
	pid_t pid = fork();
	if (pid == 0)
		_exit(locked_in(fd, path));
	waitpid(pid, &status, 0);
	close(fd);
	temp_dir_remove(dir);
	cr_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		cr_skip_test("this kernel has no Landlock");
	cr_assert_eq(WEXITSTATUS(status), 0, "step %d", WEXITSTATUS(status));
}
