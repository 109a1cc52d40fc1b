/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Temporary names and the step to the final one. */
#include "broker/hypervisor/disk/temp.h"

#include "base/hash.h"
#include "base/text.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN_BYTES 9 /* 12 characters */

int temp_name(const char *name, char out[TEMP_SIZE], struct pst_err *err)
{
	char token[PST_TOKEN_SIZE(TOKEN_BYTES)];
	size_t n = strlen(name);

	if (n == 0 || n > TEMP_NAME_MAX || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return pst_err_set(err, PST_EINVAL, "\"%.60s\": not a usable name of a file", name);
	pst_token(token, TOKEN_BYTES);
	snprintf(out, TEMP_SIZE, ".%s.%s.tmp", name, token);
	return 0;
}

/*
 * For file systems that cannot rename without replacing: a file gets a second name and loses the first
 * one; a folder never replaces another one that has something in it, nor a file.
 */
static int move_otherwise(int from_folder, const char *from, int to_folder, const char *to)
{
	struct stat st;

	if (fstatat(from_folder, from, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	if (S_ISDIR(st.st_mode))
		return renameat(from_folder, from, to_folder, to);
	if (linkat(from_folder, from, to_folder, to, 0) < 0)
		return -1;
	return unlinkat(from_folder, from, 0);
}

static int move_code(int errnum)
{
	switch (errnum) {
	case EEXIST:
	case ENOTEMPTY:
	case ENOTDIR:
		return PST_ECONFLICT;
	case ENOENT:
		return PST_ENOTFOUND;
	case EXDEV:
		return PST_EINVAL;
	case ENOSPC:
	case EDQUOT:
		return PST_ENOSPC;
	default:
		return PST_EIO;
	}
}

int temp_move(int from_folder, const char *from, int to_folder, const char *to, struct pst_err *err)
{
	if (renameat2(from_folder, from, to_folder, to, RENAME_NOREPLACE) == 0)
		return 0;
	if ((errno == EINVAL || errno == ENOSYS) && move_otherwise(from_folder, from, to_folder, to) == 0)
		return 0;
	if (move_code(errno) == PST_ECONFLICT)
		return pst_err_set(err, PST_ECONFLICT, "%.200s: exists already", to);
	return pst_err_sys(err, move_code(errno), errno, "move %.200s to %.200s", from, to);
}

int temp_publish(int folder, const char *from, const char *to, struct pst_err *err)
{
	return temp_move(folder, from, folder, to, err);
}

static bool is_temporary(const char *name)
{
	return name[0] == '.' && pst_str_ends(name, ".tmp") && strlen(name) > 1 + 1 + 12 + 4;
}

int temp_sweep(const char *folder, size_t *ret_n, struct pst_err *err)
{
	char path[PATH_MAX];
	struct dirent *e;
	DIR *dir = opendir(folder);
	size_t n = 0;
	int rc = 0;

	if (!dir)
		return pst_err_sys(err, errno == ENOENT ? PST_ENOTFOUND : PST_EIO, errno, "%s", folder);
	while (rc == 0 && (e = readdir(dir))) {
		if (!is_temporary(e->d_name))
			continue;
		rc = path_make(path, err, "%s/%s", folder, e->d_name);
		if (rc == 0)
			rc = tree_remove(path, err);
		n += rc == 0;
	}
	closedir(dir);
	if (ret_n)
		*ret_n = n;
	return rc;
}
