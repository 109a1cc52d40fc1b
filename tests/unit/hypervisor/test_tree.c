/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Removal of trees that somebody hostile has filled. */
#include "broker/hypervisor/local/tree.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char top[PATH_MAX];

static void top_make(void)
{
	snprintf(top, sizeof(top), "/tmp/puesto-tree-XXXXXX");
	cr_assert_not_null(mkdtemp(top));
	cr_assert_eq(chdir(top), 0);
}

static void file_make(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	cr_assert_geq(fd, 0);
	close(fd);
}

Test(tree, links_lead_nowhere_and_odd_names_go, .init = top_make)
{
	struct pst_err err = PST_ERR_INIT;

	mkdir("precious", 0700);
	file_make("precious/keep");
	mkdir("tree", 0700);
	mkdir("tree/-rf", 0700);
	file_make("tree/-rf/a\nb");
	file_make("tree/...");
	cr_assert_eq(symlink("../precious", "tree/link"), 0);
	cr_assert_eq(symlink("/", "tree/root"), 0);
	cr_assert_eq(mkfifo("tree/pipe", 0600), 0);
	cr_assert_eq(tree_remove("tree", &err), 0, "%s", err.text);
	cr_assert_eq(access("tree", F_OK), -1);
	cr_assert_eq(access("precious/keep", F_OK), 0);
	cr_assert_eq(tree_remove("tree", &err), 0, "what is not there is removed");
	cr_assert_eq(symlink("precious", "tree"), 0);
	cr_assert_eq(tree_remove("tree", &err), 0, "%s", err.text);
	cr_assert_eq(access("precious/keep", F_OK), 0, "only the link goes");
	cr_assert_eq(tree_remove("precious", &err), 0, "%s", err.text);
	cr_assert_eq(rmdir(top), 0);
}

Test(tree, depth_has_no_ceiling, .init = top_make)
{
	struct pst_err err = PST_ERR_INIT;

	for (int i = 0; i < 4000; i++) {
		cr_assert_eq(mkdir("d", 0700), 0);
		file_make("f");
		cr_assert_eq(chdir("d"), 0);
	}
	cr_assert_eq(chdir("/"), 0);
	cr_assert_eq(tree_remove(top, &err), 0, "%s", err.text);
	cr_assert_eq(access(top, F_OK), -1);
}
