/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table of places. */
#include "agent/seed/find.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/seed/guestinfo.h"
#include "agent/seed/iso.h"
#include "agent/seed/kvp.h"
#include "agent/seed/seed.h"
#include "agent/seed/smbios.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

#define DMI_MAX (256 * 1024)
#define DISKS_MAX 64
#define GUESTINFO "guestinfo"
#define SEED_FILE "file"

static int from_fw_cfg(const char *root, char **ret_text, size_t *ret_len, struct pst_err *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/sys/firmware/qemu_fw_cfg/by_name/opt/org.puesto/seed/raw", root);
	return pst_file_read(path, SEED_MAX, ret_text, ret_len, err);
}

static int from_disk(
	const char *root, const char *name, char **ret_text, size_t *ret_len, struct pst_err *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/dev/%s", root, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return PST_ENOTFOUND;
	int rc = iso_seed_read(fd, SEED_MAX, ret_text, ret_len, err);
	close(fd);
	return rc;
}

/* An empty drive and a disk of somebody else are no seed; only a seed disk can be a damaged one. */
static int from_disks(const char *root, char **ret_text, size_t *ret_len, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	char path[PATH_MAX];
	struct dirent *e;
	int rc = PST_ENOTFOUND, n = 0;

	snprintf(path, sizeof(path), "%s/sys/block", root);
	DIR *dir = opendir(path);
	while (dir && rc == PST_ENOTFOUND && n < DISKS_MAX && (e = readdir(dir))) {
		if (e->d_name[0] == '.' || pst_str_starts(e->d_name, "ram") ||
			pst_str_starts(e->d_name, "zram"))
			continue;
		n++;
		rc = from_disk(root, e->d_name, ret_text, ret_len, &why);
	}
	if (dir)
		closedir(dir);
	return pst_err_pass(err, rc, &why);
}

static int base64_take(const char *text, char **ret_text, size_t *ret_len, struct pst_err *err)
{
	size_t len = strlen(text), size = len / 4 * 3 + 1;
	char *out = len <= PST_BASE64_LEN(SEED_MAX) ? pst_zalloc(1, size) : NULL;
	long n = out ? pst_base64_decode(text, len, out, size - 1) : PST_EINVAL;

	if (n < 0) {
		free(out);
		return pst_err_set(err, PST_EINVAL, "it is no base64");
	}
	*ret_text = out;
	*ret_len = (size_t)n;
	return 0;
}

static int from_smbios(const char *root, char **ret_text, size_t *ret_len, struct pst_err *err)
{
	char path[PATH_MAX], *table = NULL;
	size_t len;

	snprintf(path, sizeof(path), "%s/sys/firmware/dmi/tables/DMI", root);
	int rc = pst_file_read(path, DMI_MAX, &table, &len, err);
	if (rc < 0)
		return rc;
	const char *text = smbios_seed_find(table, len);
	rc = text ? base64_take(text, ret_text, ret_len, err) : PST_ENOTFOUND;
	free(table);
	return rc;
}

static int from_kvp(const char *root, char **ret_text, size_t *ret_len, struct pst_err *err)
{
	char path[PATH_MAX], *pool = NULL, *copy;
	const char *value;
	size_t len, n = 0;

	snprintf(path, sizeof(path), "%s/var/lib/hyperv/.kvp_pool_0", root);
	int rc = pst_file_read(path, KVP_POOL_MAX, &pool, &len, err);
	if (rc < 0)
		return rc;
	value = kvp_find(pool, len, KVP_SEED, &n);
	copy = value ? pst_zalloc(1, n + 1) : NULL;
	if (copy) {
		memcpy(copy, value, n);
		*ret_text = copy;
		*ret_len = n;
	}
	pst_wipe(pool, len);
	free(pool);
	if (copy)
		return 0;
	return value ? pst_err_set(err, PST_ENOMEM, "no memory for the seed") : PST_ENOTFOUND;
}

/* Where the host can write into a machine that has no firmware: a jail, a zone, a container. Root's own folder. */
static void file_path(const char *root, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/var/lib/puesto/seed.json", root);
}

static int from_file(const char *root, char **ret_text, size_t *ret_len, struct pst_err *err)
{
	char path[PATH_MAX];

	file_path(root, path);
	return pst_file_read(path, SEED_MAX, ret_text, ret_len, err);
}

static int from_guestinfo(const char *root, char **ret_text, size_t *ret_len, struct pst_err *err)
{
	char *text;
	int rc = guestinfo_read(root, PST_BASE64_LEN(SEED_MAX), &text, err);

	if (rc < 0)
		return rc;
	rc = base64_take(text, ret_text, ret_len, err);
	pst_wipe(text, strlen(text));
	free(text);
	return rc;
}

int seed_find(const char *root, char **ret_text, size_t *ret_len, const char **ret_where, struct pst_err *err)
{
	static const struct {
		const char *where;
		int (*look)(const char *root, char **ret_text, size_t *ret_len, struct pst_err *err);
	} places[] = { { "fw_cfg", from_fw_cfg }, { "seed disk", from_disks }, { "SMBIOS", from_smbios },
		{ GUESTINFO, from_guestinfo }, { "Hyper-V", from_kvp }, { SEED_FILE, from_file } };

	for (size_t i = 0; i < PST_ARRAY_LEN(places); i++) {
		struct pst_err why = PST_ERR_INIT;
		int rc = places[i].look(root, ret_text, ret_len, &why);
		if (rc == PST_ENOTFOUND)
			continue;
		*ret_where = places[i].where;
		return rc < 0 ? pst_err_set(err, rc, "%s: %s", places[i].where, why.text) : 0;
	}
	return pst_err_set(err, PST_ENOTFOUND, "this machine was given no seed");
}

void seed_forget(const char *root, const char *where)
{
	char path[PATH_MAX];

	file_path(root, path);
	if (strcmp(where, GUESTINFO) == 0)
		guestinfo_clear(root);
	else if (strcmp(where, SEED_FILE) == 0)
		unlink(path);
}
