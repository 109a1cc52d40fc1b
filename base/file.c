/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole small files. */
#include "base/file.h"

#include "base/hash.h"
#include "base/unixsock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 4096

static int make_dir(const char *path, mode_t mode, struct pst_err *err)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return 0;
	if (errno != EEXIST)
		return pst_err_sys(err, PST_EIO, errno, "%s: mkdir", path);
	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return pst_err_set(err, PST_ECONFLICT, "%s: exists and is not a directory", path);
	return 0;
}

int pst_mkdirs(const char *path, mode_t mode, struct pst_err *err)
{
	char part[PATH_SIZE];
	size_t n = strlen(path);

	if (n == 0 || n >= sizeof(part))
		return pst_err_set(err, PST_EINVAL, "%.200s: not a usable path", path);

	memcpy(part, path, n + 1);
	for (size_t i = 1; i < n; i++) {
		if (part[i] != '/')
			continue;
		part[i] = '\0';
		int rc = make_dir(part, 0755, err);
		if (rc < 0)
			return rc;
		part[i] = '/';
	}
	return make_dir(path, mode, err);
}

/* n bytes or until the end; returns how many, or -1. */
static ssize_t read_full(int fd, char *out, size_t n)
{
	size_t at = 0;

	while (at < n) {
		ssize_t got = read(fd, out + at, n - at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		at += (size_t)got;
	}
	return (ssize_t)at;
}

/* Reads one byte more than max, so that a file that grows meanwhile is noticed too. */
static int read_text(int fd, const char *path, size_t max, char **ret_text, size_t *ret_len,
	struct pst_err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return pst_err_sys(err, PST_EIO, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return pst_err_set(err, PST_EINVAL, "%s: is not a regular file", path);

	char *text = malloc(max + 2);
	if (!text)
		return pst_err_set(err, PST_ENOMEM, "%s: out of memory", path);
	ssize_t got = read_full(fd, text, max + 1);
	if (got < 0 || (size_t)got > max) {
		int saved = errno;

		free(text);
		if (got < 0)
			return pst_err_sys(err, PST_EIO, saved, "%s: read", path);
		return pst_err_set(err, PST_ELIMIT, "%s: larger than %zu bytes", path, max);
	}

	text[got] = '\0';
	*ret_text = text;
	*ret_len = (size_t)got;
	return 0;
}

int pst_file_read(const char *path, size_t max, char **ret_text, size_t *ret_len,
	struct pst_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return pst_err_sys(err, errno == ENOENT ? PST_ENOTFOUND :
			errno == EACCES ? PST_EDENIED : PST_EIO, errno, "%s", path);

	int rc = read_text(fd, path, max, ret_text, ret_len, err);
	pst_fd_close(&fd);
	return rc;
}

static int write_full(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

/* The rename itself is on the disk only when the directory is synced. */
static void sync_dir_of(const char *path)
{
	char dir[PATH_SIZE];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;

	if (n >= sizeof(dir))
		return;
	memcpy(dir, path, n);
	dir[n] = '\0';
	int fd = open(slash ? (n ? dir : "/") : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		fsync(fd);
	pst_fd_close(&fd);
}

int pst_file_write(const char *path, const void *data, size_t len, mode_t mode,
	struct pst_err *err)
{
	char temp[PATH_SIZE], suffix[PST_TOKEN_SIZE(9)];

	pst_token(suffix, 9);
	int n = snprintf(temp, sizeof(temp), "%s.%s.tmp", path, suffix);
	if (n < 0 || (size_t)n >= sizeof(temp))
		return pst_err_set(err, PST_EINVAL, "%.200s...: the path is too long", path);

	int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return pst_err_sys(err, errno == EACCES ? PST_EDENIED : PST_EIO, errno, "%s", path);

	bool ok = write_full(fd, data, len) == 0 && fchmod(fd, mode) == 0 && fsync(fd) == 0 &&
		rename(temp, path) == 0;
	int saved = errno;
	pst_fd_close(&fd);
	if (!ok) {
		unlink(temp);
		return pst_err_sys(err, PST_EIO, saved, "%s: write", path);
	}
	sync_dir_of(path);
	return 0;
}
