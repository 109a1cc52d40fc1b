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

int temp_publish(int folder, const char *from, const char *to, struct pst_err *err)
{
	if (renameat2(folder, from, folder, to, RENAME_NOREPLACE) == 0)
		return 0;
	/* File systems that cannot rename so (NFS) can link. */
	if ((errno == EINVAL || errno == ENOSYS) && linkat(folder, from, folder, to, 0) == 0) {
		unlinkat(folder, from, 0);
		return 0;
	}
	if (errno == EEXIST)
		return pst_err_set(err, PST_ECONFLICT, "%s: exists already", to);
	return pst_err_sys(err, errno == ENOSPC ? PST_ENOSPC : PST_EIO, errno, "name %s", to);
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
