/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The spawner's way to a display link: no step of it may lead elsewhere. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/unixsock.h"
#include "protocol/spawn_open.h"

#define UUID "11111111-2222-3333-4444-555555555555"

static char dir[64];

static const char *below(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void make_dirs(void)
{
	snprintf(dir, sizeof(dir), "/tmp/puesto-spawn-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	cr_assert_eq(mkdir(below(UUID), 0755), 0);
	cr_assert_eq(mkdir(below(UUID "/run"), 0755), 0);
}

Test(spawn_open, test_a_listening_agent_is_reached)
{
	struct pst_err err;
	int fd, listener;

	make_dirs();
	listener = pst_unix_listen(below(UUID "/run/display.sock"), 0600, 5, &err);
	cr_assert_geq(listener, 0);
	fd = spawn_open_display(dir, UUID);
	cr_assert_geq(fd, 0);
	close(fd);
	close(listener);
	cr_assert_eq(spawn_open_display(dir, UUID), -ECONNREFUSED);
}

Test(spawn_open, test_names_that_are_no_desktops_are_refused)
{
	static const char *const names[] = { "", "..", "../../etc", UUID "/", "11111111-2222-3333-4444-55555555555", "11111111-2222-3333-4444-55555555555G",
					     "11111111-2222-3333-4444-5555555555555", "11111111/2222-3333-4444-555555555555" };

	make_dirs();
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		cr_assert_eq(spawn_open_display(dir, names[i]), -EINVAL, "%s", names[i]);
	cr_assert_eq(spawn_open_display(dir, "99999999-2222-3333-4444-555555555555"), -ENOENT);
}

Test(spawn_open, test_links_and_files_in_the_way_are_refused)
{
	struct pst_err err;
	char elsewhere[256];

	make_dirs();
	snprintf(elsewhere, sizeof(elsewhere), "%s", below("other.sock"));
	cr_assert_geq(pst_unix_listen(elsewhere, 0600, 5, &err), 0);
	cr_assert_eq(spawn_open_display(dir, UUID), -ENOENT);
	cr_assert_eq(symlink(elsewhere, below(UUID "/run/display.sock")), 0);
	cr_assert_eq(spawn_open_display(dir, UUID), -ENOTSOCK);
	unlink(below(UUID "/run/display.sock"));
	cr_assert_eq(mkdir(below(UUID "/run/display.sock"), 0755), 0);
	cr_assert_eq(spawn_open_display(dir, UUID), -ENOTSOCK);
	rmdir(below(UUID "/run/display.sock"));
	rmdir(below(UUID "/run"));
	cr_assert_eq(symlink(dir, below(UUID "/run")), 0);
	cr_assert_eq(spawn_open_display(dir, UUID), -ENOTDIR);
}
