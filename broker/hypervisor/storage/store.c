/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A datastore's section, and what its kinds share: marks and folders. */
#include "broker/hypervisor/storage/store.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/disk/datastore.h"
#include "broker/hypervisor/disk/name.h"
#include "broker/hypervisor/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK_BYTES ((STORE_MARK_SIZE - 1) / 2)
#define KEEP_FREE_MB 512

/* "a, b" as ",a,b,". */
static int pools_read(const char *text, struct store_settings *s, struct pst_err *err)
{
	char *copy = strdup(text), *rest = copy, *word;
	size_t at = 0;
	int rc = copy ? 0 : pst_err_set(err, PST_ENOMEM, "no memory");

	while (rc == 0 && (word = strsep(&rest, ","))) {
		word += strspn(word, " \t");
		word[strcspn(word, " \t")] = '\0';
		if (!*word)
			continue;
		int n = snprintf(s->pools + at, sizeof(s->pools) - at, "%s%s,", at ? "" : ",", word);
		if (!pst_name_valid(word, 64) || (size_t)n >= sizeof(s->pools) - at)
			rc = pst_err_set(err, PST_EINVAL, "pools: \"%.40s\" is no name of a pool, or there are too many", word);
		else
			at += (size_t)n;
	}
	free(copy);
	return rc;
}

static int limits_read(struct pst_conf *conf, const char *section, struct store_settings *s, struct pst_err *err)
{
	const struct level_limits usual = LEVEL_LIMITS_DEFAULT;
	uint32_t warning, critical;
	uint64_t keep_free_mb;

	if (pst_conf_u32(conf, section, "warning", 1, 99, usual.warning, &warning, err) < 0 ||
		pst_conf_u32(conf, section, "critical", 2, 100, usual.critical, &critical, err) < 0 ||
		pst_conf_u32(conf, section, "jobs", 1, 1024, STORE_JOBS_DEFAULT, &s->jobs_max, err) < 0 ||
		pst_conf_u32(conf, section, "overcommit", 0, 100000, 0, &s->overcommit_percent, err) < 0 ||
		pst_conf_u64(conf, section, "keep_free_mb", 0, UINT64_C(1) << 40, KEEP_FREE_MB, &keep_free_mb, err) < 0)
		return err->code;
	s->keeps_free = keep_free_mb << 20;
	s->limits = (struct level_limits){ .warning = (uint8_t)warning, .critical = (uint8_t)critical,
		.back = (uint8_t)PST_MIN(warning - 1, (uint32_t)usual.back) };
	if (level_limits_check(&s->limits) < 0)
		return pst_err_set(err, PST_EINVAL, "warning must be below critical");
	return 0;
}

static int section_read(struct pst_conf *conf, const char *section, const char *name, struct store_settings *s,
	struct pst_err *err)
{
	const char *kind = pst_conf_str(conf, section, "kind", "directory");
	const char *role = pst_conf_str(conf, section, "role", "desktops");
	const char *pools = pst_conf_str(conf, section, "pools", "");

	if (limits_read(conf, section, s, err) < 0 || pools_read(pools, s, err) < 0)
		return err->code;
	if (!disk_name_valid(name) || pst_strlcpy(s->name, sizeof(s->name), name) < 0)
		return pst_err_set(err, PST_EINVAL, "\"%.80s\" is no name for a datastore", name);
	s->is_backups = strcmp(role, "backups") == 0;
	if (!s->is_backups && strcmp(role, "desktops") != 0)
		return pst_err_set(err, PST_EINVAL, "role: \"%.20s\" must be desktops or backups", role);
	s->type = store_type_find(kind);
	if (!s->type)
		return pst_err_set(err, PST_EINVAL, "kind: \"%.20s\" must be one of: %s; NFS or iSCSI that is mounted is a directory", kind,
			store_type_kinds());
	if (s->is_backups && strcmp(kind, "directory") != 0)
		return pst_err_set(err, PST_EINVAL, "role: back-ups lie in a directory, not in %.20s", kind);
	return s->type->settings_read(conf, section, s, err);
}

int store_settings_read(struct pst_conf *conf, const char *section, const char *name, struct store_settings *ret,
	struct pst_err *err)
{
	struct store_settings s;

	memset(&s, 0, sizeof(s));
	if (section_read(conf, section, name, &s, err) < 0)
		return pst_err_wrap(err, "[%s]", section);
	*ret = s;
	return 0;
}

bool store_allows(const struct store_settings *s, const char *pool)
{
	char word[80];

	if (!s->pools[0])
		return true;
	snprintf(word, sizeof(word), ",%.70s,", pool);
	return pool[0] && strstr(s->pools, word);
}

int store_mark_read(const char *path, char out[STORE_MARK_SIZE], struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	uint8_t bytes[MARK_BYTES];
	char *text;
	size_t len;
	int rc;

	out[0] = '\0';
	rc = pst_file_read(path, 64, &text, &len, &why);
	if (rc < 0)
		return rc == PST_ENOTFOUND ? 0 : pst_err_pass(err, rc, &why);
	text[strcspn(text, "\r\n")] = '\0';
	rc = pst_hex_decode(text, strlen(text), bytes, sizeof(bytes)) == MARK_BYTES ? pst_strlcpy(out, STORE_MARK_SIZE, text) :
		pst_err_set(err, PST_EINVAL, "%.200s: is no mark of a datastore", path);
	free(text);
	return rc;
}

int store_mark_write(const char *path, const char *mark, struct pst_err *err)
{
	return pst_file_write(path, mark, strlen(mark), 0644, err);
}

int store_folders_make(const struct store_settings *s, struct pst_err *err)
{
	char incoming[PATH_MAX];

	if (datastore_init(s->path, err) < 0 || path_make(incoming, err, "%s/incoming", s->path) < 0)
		return err->code;
	return pst_mkdirs(incoming, 0700, err);
}

int store_mark_path(const struct store_settings *s, const char *data, char out[PATH_MAX], struct pst_err *err)
{
	char folder[PATH_MAX];

	if (path_make(folder, err, "%s/datastores", data) < 0 || path_make(out, err, "%s/%s", folder, s->name) < 0)
		return err->code;
	return pst_mkdirs(folder, 0755, err);
}

int store_check(const struct store_settings *s, const char *data, struct pst_err *err)
{
	return store_type_of(s)->check(s, data, err);
}
