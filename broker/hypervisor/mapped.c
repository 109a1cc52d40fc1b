/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The mapping is that of a user namespace which nobody lives in: a child makes it and ends. */
#include "broker/hypervisor/mapped.h"

#include "base/unixsock.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool file_put(pid_t pid, const char *name, const char *text)
{
	char path[64];
	int fd;
	bool is_good;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	is_good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	pst_fd_close(&fd);
	return is_good;
}

/* In the child of a program with threads: system calls alone. */
static _Noreturn void child_run(int up, int down)
{
	char c = '+';

	if (unshare(CLONE_NEWUSER) < 0)
		c = '-';
	if (write(up, &c, 1) == 1)
		(void)!read(down, &c, 1);
	_exit(0);
}

/* While the child lives. */
static int namespace_fill(pid_t pid, int up, uid_t from, uid_t to, struct pst_err *err)
{
	char map[40], path[40], c = '-';
	int fd;

	if (read(up, &c, 1) != 1 || c != '+')
		return pst_err_set(err, PST_EUNSUPPORTED, "this machine makes no user namespace (see user.max_user_namespaces)");
	snprintf(map, sizeof(map), "%u %u 1\n", (unsigned)from, (unsigned)to);
	if (!file_put(pid, "uid_map", map) || !file_put(pid, "gid_map", map))
		return pst_err_sys(err, PST_EIO, errno, "map the ids of a user namespace");
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? pst_err_sys(err, PST_EIO, errno, "open a user namespace") : fd;
}

/* Returns owned: a descriptor of the namespace. */
static int namespace_open(uid_t from, uid_t to, struct pst_err *err)
{
	int up[2] = { -1, -1 }, down[2] = { -1, -1 }, fd = PST_EIO;
	pid_t pid = -1;

	if (pipe2(up, O_CLOEXEC) < 0 || pipe2(down, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		pst_err_sys(err, PST_EIO, errno, "make a user namespace");
	if (pid == 0) {
		close(down[1]); /* else we would wait for ourselves */
		child_run(up[1], down[0]);
	}
	pst_fd_close(&up[1]);
	pst_fd_close(&down[0]);
	if (pid > 0)
		fd = namespace_fill(pid, up[0], from, to, err);
	pst_fd_close(&up[0]);
	pst_fd_close(&down[1]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return fd < 0 ? err->code : fd;
}

static int ids_map(int tree, uid_t from, uid_t to, struct pst_err *err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV };
	int space = -1, rc = 0;

	if (from != to) {
		space = namespace_open(from, to, err);
		if (space < 0)
			return space;
		attr.attr_set |= MOUNT_ATTR_IDMAP;
		attr.userns_fd = (uint64_t)space;
	}
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		rc = pst_err_sys(err, errno == EINVAL || errno == ENOSYS ? PST_EUNSUPPORTED : PST_EIO, errno,
			"map ids (the file system must know mapped mounts: ext4, xfs, btrfs, or tmpfs of Linux 6.3)");
	pst_fd_close(&space);
	return rc;
}

static int owner_of(int tree, const char *path, uid_t *ret, struct pst_err *err)
{
	struct stat st;

	if (fstat(tree, &st) < 0 || !S_ISDIR(st.st_mode))
		return pst_err_set(err, PST_EINVAL, "%.200s: is no folder", path);
	*ret = st.st_uid;
	return 0;
}

int mapped_mount(int mount, const char *name, uid_t to, struct pst_err *err)
{
	uid_t owner = 0;

	if (owner_of(mount, name, &owner, err) < 0 || ids_map(mount, owner, to, err) < 0)
		return pst_err_wrap(err, "%.200s", name);
	return 0;
}

static int mapped_as(const char *path, const uid_t *as, uid_t to, struct pst_err *err)
{
	int tree = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	uid_t owner = 0;

	if (tree < 0)
		return pst_err_sys(err, errno == ENOSYS ? PST_EUNSUPPORTED : PST_EIO, errno, "open the tree %.200s", path);
	if (owner_of(tree, path, &owner, err) < 0 || ids_map(tree, as ? *as : owner, to, err) < 0) {
		close(tree);
		return pst_err_wrap(err, "%.200s", path);
	}
	return tree;
}

int mapped_open(const char *path, uid_t to, struct pst_err *err)
{
	return mapped_as(path, NULL, to, err);
}

int mapped_check(const char *path, struct pst_err *err)
{
	static const uid_t one = 1;
	int tree = mapped_as(path, &one, 2, err);

	if (tree < 0)
		return err->code;
	close(tree);
	return 0;
}
