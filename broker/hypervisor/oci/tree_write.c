/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Makes the files of layers, one by one. */
#include "broker/hypervisor/oci/tree_write.h"

#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PART_MAX 255 /* bytes of a name in a folder */

static int sys_fail(struct pst_err *err, const char *path)
{
	return pst_err_sys(err, errno == ENOSPC || errno == EDQUOT ? PST_ENOSPC : PST_EIO, errno, "unpack %.200s", path);
}

/* "./a//b/" is "a/b", "/" is "". */
static int path_clean(const char *in, char out[RECORD_PATH_MAX + 1], struct pst_err *err)
{
	size_t n = 0, depth = 0;

	for (const char *p = in; *p;) {
		size_t part = strcspn(p, "/");
		bool is_dot = part == 0 || (part == 1 && p[0] == '.');

		if (part > PART_MAX || ++depth > TREE_WRITE_DEPTH_MAX || (part == 2 && p[0] == '.' && p[1] == '.'))
			return pst_err_set(err, PST_EINVAL, "the layer has a name that is not possible: \"%.100s\"", in);
		if (!is_dot) {
			if (n > 0)
				out[n++] = '/';
			memcpy(out + n, p, part); /* never longer than in */
			n += part;
		}
		p += part + (p[part] == '/');
	}
	out[n] = '\0';
	return 0;
}

static int open_in(int root, const char *path, uint64_t flags)
{
	struct open_how how = { .flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV };

	return (int)syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof(how));
}

/* A folder whose own folder is there: opened, or made. Returns a descriptor (owned), or -1 with errno. */
static int folder_step(struct tree_write *t, const char *path)
{
	int fd = open_in(t->root, path, O_RDONLY | O_DIRECTORY), parent;
	char above[RECORD_PATH_MAX + 1];
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	if (fd >= 0 || errno != ENOENT)
		return fd;
	/* One long name makes many of them: each counts as an entry. */
	if (t->entries >= t->limits.entries) {
		errno = EOVERFLOW;
		return -1;
	}
	t->entries++;
	memcpy(above, path, slash ? (size_t)(slash - path) : 0);
	above[slash ? slash - path : 0] = '\0';
	parent = open_in(t->root, above, O_RDONLY | O_DIRECTORY);
	/* Where a link leads nowhere it is EEXIST. */
	if (parent >= 0 && mkdirat(parent, name, 0755) == 0)
		fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	pst_fd_close(&parent);
	return fd;
}

static int folder_refuse(const struct tree_write *t, const char *path, struct pst_err *err)
{
	if (errno == EOVERFLOW)
		return pst_err_set(err, PST_ELIMIT, "the image has more than %llu entries", (unsigned long long)t->limits.entries);
	if (errno == ENOTDIR || errno == ELOOP || errno == EEXIST || errno == EXDEV)
		return pst_err_set(err, PST_EINVAL, "the layer has something in %.100s, which is no folder", path);
	return sys_fail(err, path);
}

/* The folder of that (clean) path, and what is missing of it; returns a descriptor (owned), or a negative code. */
static int folder_make(struct tree_write *t, const char *path, struct pst_err *err)
{
	int fd = open_in(t->root, path, O_RDONLY | O_DIRECTORY);
	char part[RECORD_PATH_MAX + 1];
	size_t n = 0;

	if (fd < 0 && errno != ENOENT)
		return folder_refuse(t, path, err);
	while (fd < 0) {
		n += strcspn(path + n, "/");
		memcpy(part, path, n);
		part[n] = '\0';
		fd = folder_step(t, part);
		if (fd < 0)
			return folder_refuse(t, path, err);
		if (path[n++] == '\0')
			break;
		pst_fd_close(&fd);
	}
	return fd;
}

/* Opens (or keeps open) the folder that path lies in; *ret_name is the rest. */
static int parent_open(struct tree_write *t, const char *path, const char **ret_name, struct pst_err *err)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;

	*ret_name = slash ? slash + 1 : path;
	if (t->folder >= 0 && strlen(t->folder_path) == n && memcmp(t->folder_path, path, n) == 0)
		return 0;
	pst_fd_close(&t->folder);
	memcpy(t->folder_path, path, n);
	t->folder_path[n] = '\0';
	t->folder = folder_make(t, t->folder_path, err);
	if (t->folder >= 0)
		return 0;
	t->folder = -1;
	return err->code;
}

/* With all that is in it. */
static int name_remove(int folder, const char *name, struct pst_err *err)
{
	char path[PATH_MAX];

	if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (path_make(path, err, "/proc/self/fd/%d/%s", folder, name) < 0)
		return err->code;
	return tree_remove(path, err);
}

static void folder_forget(struct tree_write *t)
{
	pst_fd_close(&t->folder);
}

static int whiteout(struct tree_write *t, const char *path, struct pst_err *err)
{
	const char *slash = strrchr(path, '/');
	char above[RECORD_PATH_MAX + 1] = "";
	int folder, rc;

	if (slash)
		memcpy(above, path, (size_t)(slash - path));
	above[slash ? slash - path : 0] = '\0';
	folder_forget(t);
	folder = open_in(t->root, above, O_RDONLY | O_DIRECTORY);
	if (folder < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : sys_fail(err, path);
	rc = name_remove(folder, slash ? slash + 1 : path, err);
	pst_fd_close(&folder);
	return rc;
}

static int opaque(struct tree_write *t, const char *path, struct pst_err *err)
{
	int fd = open_in(t->root, path, O_RDONLY | O_DIRECTORY), rc = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	folder_forget(t);
	if (!dir) {
		rc = fd < 0 && (errno == ENOENT || errno == ENOTDIR) ? 0 : sys_fail(err, path);
		pst_fd_close(&fd);
		return rc;
	}
	while (rc == 0 && (e = readdir(dir))) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			rc = name_remove(dirfd(dir), e->d_name, err);
	}
	closedir(dir);
	return rc;
}

static int folder_put(struct tree_write *t, const char *name, const struct record *r, struct pst_err *err)
{
	struct stat st;
	int fd, rc = 0;

	if (*name && fstatat(t->folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode) && name_remove(t->folder, name, err) < 0)
		return err->code;
	if (*name && mkdirat(t->folder, name, 0700) < 0 && errno != EEXIST)
		return sys_fail(err, r->path);
	fd = openat(t->folder, *name ? name : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchown(fd, r->uid, r->gid) < 0 || fchmod(fd, r->mode & 07777) < 0)
		rc = sys_fail(err, r->path);
	pst_fd_close(&fd);
	return rc;
}

static int file_end(struct tree_write *t, struct pst_err *err)
{
	const struct timespec times[2] = { { .tv_sec = t->now.mtime }, { .tv_sec = t->now.mtime } };
	int rc = 0;

	/* The mode last: a change of the owner takes set-uid bits away. */
	if (fchown(t->file, t->now.uid, t->now.gid) < 0 || fchmod(t->file, t->now.mode & 07777) < 0)
		rc = sys_fail(err, t->now.path);
	futimens(t->file, times); /* a time that the file system has not is no fault */
	pst_fd_close(&t->file);
	return rc;
}

static int file_put(struct tree_write *t, const char *name, const struct record *r, struct pst_err *err)
{
	if (r->size > t->limits.bytes - t->bytes)
		return pst_err_set(err, PST_ELIMIT, "the image takes more than %llu MB when it is unpacked", (unsigned long long)t->limits.bytes >> 20);
	t->bytes += r->size;
	if (name_remove(t->folder, name, err) < 0)
		return err->code;
	t->file = openat(t->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (t->file < 0)
		return sys_fail(err, r->path);
	t->now = *r;
	t->file_left = r->size;
	return r->size == 0 ? file_end(t, err) : 0;
}

static int symlink_put(struct tree_write *t, const char *name, const struct record *r, struct pst_err *err)
{
	if (name_remove(t->folder, name, err) < 0)
		return err->code;
	if (symlinkat(r->link, t->folder, name) < 0 || fchownat(t->folder, name, r->uid, r->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return sys_fail(err, r->path);
	return 0;
}

/* A second name of what the tree has already; what a link there points to is not followed. */
static int hardlink_put(struct tree_write *t, const char *name, const struct record *r, struct pst_err *err)
{
	char target[RECORD_PATH_MAX + 1], *slash;
	struct stat st, old;
	int folder, rc = 0;

	if (path_clean(r->link, target, err) < 0)
		return err->code;
	slash = strrchr(target, '/');
	if (slash)
		*slash = '\0';
	folder = open_in(t->root, slash ? target : "", O_RDONLY | O_DIRECTORY);
	if (folder < 0 || fstatat(folder, slash ? slash + 1 : target, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR(st.st_mode))
		rc = pst_err_set(err, PST_EINVAL, "the layer has a link %.100s to %.100s, which is no file", r->path, r->link);
	else if (fstatat(t->folder, name, &old, AT_SYMLINK_NOFOLLOW) == 0 && old.st_dev == st.st_dev && old.st_ino == st.st_ino)
		rc = 0; /* it is that already, or its own name */
	else if (name_remove(t->folder, name, err) < 0)
		rc = err->code;
	else if (linkat(folder, slash ? slash + 1 : target, t->folder, name, 0) < 0)
		rc = sys_fail(err, r->path);
	pst_fd_close(&folder);
	return rc;
}

static int entry_put(struct tree_write *t, const char *path, const struct record *r, struct pst_err *err)
{
	const char *name;

	if (parent_open(t, path, &name, err) < 0)
		return err->code;
	if (r->kind == RECORD_FOLDER)
		return folder_put(t, name, r, err);
	if (!*name)
		return pst_err_set(err, PST_EINVAL, "the layer has a file without a name");
	if (r->kind == RECORD_FILE)
		return file_put(t, name, r, err);
	return r->kind == RECORD_SYMLINK ? symlink_put(t, name, r, err) : hardlink_put(t, name, r, err);
}

int tree_write_record(struct tree_write *t, const struct record *r, struct pst_err *err)
{
	char path[RECORD_PATH_MAX + 1];

	if (t->entries++ >= t->limits.entries)
		return pst_err_set(err, PST_ELIMIT, "the image has more than %llu entries", (unsigned long long)t->limits.entries);
	if (path_clean(r->path, path, err) < 0)
		return err->code;
	switch (r->kind) {
	case RECORD_WHITEOUT:
		return *path ? whiteout(t, path, err) : pst_err_set(err, PST_EINVAL, "the layer takes everything away");
	case RECORD_OPAQUE:
		return opaque(t, path, err);
	case RECORD_OTHER:
		t->left_out++;
		return 0;
	case RECORD_FILE:
	case RECORD_FOLDER:
	case RECORD_SYMLINK:
	case RECORD_HARDLINK:
		return entry_put(t, path, r, err);
	default:
		return pst_err_set(err, PST_EPROTO, "the unpacking program says what it should not");
	}
}

int tree_write_content(struct tree_write *t, const uint8_t *data, size_t len, struct pst_err *err)
{
	if (t->file < 0 || len > t->file_left)
		return pst_err_set(err, PST_EPROTO, "the unpacking program says what it should not");
	while (len > 0) {
		ssize_t n = write(t->file, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return sys_fail(err, t->now.path);
		data += n;
		len -= (size_t)n;
		t->file_left -= (uint64_t)n;
	}
	return t->file_left == 0 ? file_end(t, err) : 0;
}

int tree_write_init(struct tree_write *t, const char *path, const struct tree_limits *limits, struct pst_err *err)
{
	*t = (struct tree_write){ .limits = *limits, .folder = -1, .file = -1 };
	t->root = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return t->root < 0 ? sys_fail(err, path) : 0;
}

void tree_write_finish(struct tree_write *t)
{
	pst_fd_close(&t->file);
	pst_fd_close(&t->folder);
	pst_fd_close(&t->root);
}
