/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kind "volumes" of datastores: disks are volumes of a libvirt storage pool, and its folder has the records of them. */
#include "broker/hypervisor/libvirt/volumes.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/disk/recycle.h"
#include "broker/hypervisor/disk/temp.h"
#include "broker/hypervisor/libvirt/libvirt_priv.h"
#include "broker/hypervisor/libvirt/pool.h"
#include "broker/hypervisor/path.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RESERVE_PERCENT 10

static int volumes_settings_read(struct pst_conf *conf, const char *section, struct store_settings *s, struct pst_err *err)
{
	const char *pool = pst_conf_str(conf, section, "pool", ""), *path = pst_conf_str(conf, section, "path", "");
	const char *uri = pst_conf_str(conf, section, "uri", "qemu:///system");
	const char *tool = pst_conf_str(conf, "provisioner", "qemu_img", "/usr/bin/qemu-img");

	if (pst_conf_u32(conf, section, "reserve", 0, 400, RESERVE_PERCENT, &s->reserve_percent, err) < 0)
		return err->code;
	if (!pool[0] || strchr(pool, '/') || pst_strlcpy(s->pool, sizeof(s->pool), pool) < 0)
		return pst_err_set(err, PST_EINVAL, "pool: \"%.80s\" must be the name of a storage pool of libvirt", pool);
	if (!strchr(uri, ':') || pst_strlcpy(s->uri, sizeof(s->uri), uri) < 0)
		return pst_err_set(err, PST_EINVAL, "uri: \"%.80s\" is none of libvirt's, such as qemu:///system", uri);
	if (pst_strlcpy(s->tool, sizeof(s->tool), tool) < 0)
		return pst_err_set(err, PST_EINVAL, "[provisioner] qemu_img: the path is too long");
	/* "": DATA/volumes/NAME, see storage_configure. */
	if (path[0] && (path[0] != '/' || strstr(path, "/../") || pst_str_ends(path, "/") || pst_strlcpy(s->path, sizeof(s->path), path) < 0))
		return pst_err_set(err, PST_EINVAL, "path: \"%.80s\" must be the absolute path of a folder, without \"..\" and \"/\" at its end", path);
	return 0;
}

/* --- which pool it is --------------------------------------------------------------------- */

static int mark_compare(const struct store_settings *s, const char *data, const char *there, struct pst_err *err)
{
	char path[PATH_MAX], expected[STORE_MARK_SIZE];

	if (store_mark_path(s, data, path, err) < 0 || store_mark_read(path, expected, err) < 0)
		return err->code;
	if (!expected[0])
		return store_mark_write(path, there, err);
	if (strcmp(expected, there) == 0)
		return 0;
	return pst_err_set(err, PST_ENOTFOUND, "pool %s is another one than before, by its UUID (if that is meant, remove %.200s)", s->pool, path);
}

static int volumes_check(const struct store_settings *s, const char *data, struct pst_err *err)
{
	char mark[STORE_MARK_SIZE];
	struct lv_pool p;
	int rc;

	if (pst_mkdirs(s->path, 0711, err) < 0 || pool_open(s, &p, err) < 0)
		return err->code;
	rc = pool_mark(&p, mark, err);
	pool_close(&p);
	if (rc == 0)
		rc = mark_compare(s, data, mark, err);
	return rc < 0 ? rc : store_folders_make(s, err);
}

/* --- how full it is -------------------------------------------------------------------------- */

struct lun_sum {
	struct lv_pool *p;
	struct lun_names names;
	struct datastore_space space;
};

static int lun_add(const char *name, const virStorageVolInfo *info, void *arg, struct pst_err *err)
{
	struct lun_sum *sum = arg;

	(void)err;
	if (pool_lun_is_foreign(sum->p, name))
		return 0;
	sum->space.total += info->capacity;
	if (!pool_lun_is_taken(&sum->names, name))
		sum->space.free += info->capacity;
	return 0;
}

/* Of LUNs, those count that are ours or may become so. */
static int luns_measure(struct lv_pool *p, struct datastore_space *ret, struct pst_err *err)
{
	struct lun_sum sum = { .p = p };
	int rc = pool_lun_names(p, &sum.names, err);

	if (rc == 0)
		rc = pool_each(p, lun_add, &sum, err);
	free(sum.names.list);
	sum.space.used = sum.space.total - sum.space.free;
	if (rc == 0)
		*ret = sum.space;
	return rc;
}

static int pool_measure(struct lv_pool *p, struct datastore_space *ret, struct pst_err *err)
{
	virStoragePoolInfo info;

	if (!(p->kind->can & POOL_CREATES))
		return luns_measure(p, ret, err);
	if (virStoragePoolGetInfo(p->pool, &info) < 0)
		return lv_error(err, NULL, "ask how full pool %s is", p->s->pool);
	ret->total = info.capacity;
	ret->free = info.available;
	ret->used = info.capacity - PST_MIN(info.capacity, info.available);
	return 0;
}

static int volumes_measure(const struct store_settings *s, struct store_look *ret, struct pst_err *err)
{
	struct lv_pool p;
	int rc;

	memset(ret, 0, sizeof(*ret));
	if (pool_open(s, &p, err) < 0)
		return err->code;
	ret->takes_whole = p.kind->can & POOL_WHOLE;
	pst_strlcpy(ret->about, sizeof(ret->about), p.kind->type);
	rc = pool_measure(&p, &ret->space, err);
	pool_close(&p);
	return rc;
}

struct count {
	struct lv_pool *p;
	struct lun_names names;
	struct datastore_census c;
};

static int volume_count(const char *name, const virStorageVolInfo *info, void *arg, struct pst_err *err)
{
	struct count *c = arg;

	(void)err;
	if (!pool_lun_is_taken(&c->names, name))
		return 0;
	c->c.disks++;
	c->c.allocated += info->allocation;
	c->c.promised += info->capacity;
	return 0;
}

/* What libvirt knows of a pool is as old as its last look; one that is in the middle of a copy keeps it. */
static int volumes_census(const struct store_settings *s, struct datastore_census *ret, struct pst_err *err)
{
	struct count c = { .p = NULL };
	struct lv_pool p;
	int rc;

	if (pool_open(s, &p, err) < 0)
		return err->code;
	(void)virStoragePoolRefresh(p.pool, 0);
	rc = pool_lun_names(&p, &c.names, err);
	if (rc == 0)
		rc = pool_each(&p, volume_count, &c, err);
	free(c.names.list);
	pool_close(&p);
	if (rc == 0)
		*ret = c.c;
	return rc;
}

/* --- what a crash has left ------------------------------------------------------------------------ */

/* A version on its way: ".VERSION.TOKEN.tmp". Its volume goes before the record of it. */
static int unfinished_end(const struct store_settings *s, const char *folder, unsigned *n, struct pst_err *err)
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	char path[PATH_MAX];
	int rc = 0;

	while (dir && rc == 0 && (e = readdir(dir))) {
		if (e->d_name[0] != '.' || !pst_str_ends(e->d_name, ".tmp"))
			continue;
		rc = path_make(path, err, "%s/%s/" VOLUME_OF_VERSION, folder, e->d_name);
		if (rc == 0 && access(path, F_OK) == 0) {
			rc = volume_end(s, path, err);
			++*n;
		}
	}
	if (dir)
		closedir(dir);
	return rc;
}

static int volumes_sweep(const struct store_settings *s, int64_t now_ms, unsigned *ret_n, struct pst_err *err)
{
	char images[PATH_MAX], path[PATH_MAX];
	struct pst_err ignored = PST_ERR_INIT;
	struct dirent *e;
	size_t files = 0;
	DIR *dir;
	int rc = path_make(images, err, "%s/images", s->path);

	(void)now_ms;
	dir = rc == 0 ? opendir(images) : NULL;
	while (dir && rc == 0 && (e = readdir(dir))) {
		if (e->d_name[0] == '.' || path_make(path, &ignored, "%s/%s", images, e->d_name) < 0)
			continue;
		rc = unfinished_end(s, path, ret_n, err);
		/* A record that stays would keep its LUN from everybody, and mark it again at each start. */
		if (rc == 0)
			(void)temp_sweep(path, NULL, &ignored);
	}
	if (dir)
		closedir(dir);
	if (rc == 0)
		rc = temp_sweep(images, &files, err);
	*ret_n += (unsigned)files;
	return rc;
}

/* --- the recycle bin ---------------------------------------------------------------------------------- */

struct bin {
	const struct store_settings *s;
	const char *const *others;
	const char *token; /* this one, or NULL: those that are over */
	int64_t now_ms;
	unsigned n;
	bool is_found;
};

/* A desktop's or a version's folder in the bin: its volume first. */
static int item_end(const struct store_settings *s, const struct recycle_entry *e, struct pst_err *err)
{
	static const char *const names[] = { VOLUME_OF_DESKTOP, VOLUME_OF_VERSION };
	char path[PATH_MAX];

	for (size_t i = 0; i < PST_ARRAY_LEN(names); i++) {
		if (path_make(path, err, "%s/%s", e->item, names[i]) < 0)
			return err->code;
		if (access(path, F_OK) == 0 && volume_end(s, path, err) < 0)
			return err->code;
	}
	return recycle_end(s->path, NULL, e->token, err);
}

static int entry_look(const struct recycle_entry *e, void *arg, struct pst_err *err)
{
	struct bin *b = arg;
	struct pst_err why = PST_ERR_INIT;
	char record[PATH_MAX];
	int rc;

	if (b->token ? strcmp(b->token, e->token) != 0 : e->is_whole && e->until_ms > b->now_ms)
		return 0;
	b->is_found = true;
	rc = path_make(record, &why, "%s/" VOLUME_OF_VERSION, e->path);
	if (rc == 0)
		rc = volume_references(b->s, b->others, record, &why);
	if (rc == PST_EBUSY && !b->token)
		return 0;
	if (rc == 0)
		rc = item_end(b->s, e, &why);
	b->n += rc == 0;
	return pst_err_pass(err, rc, &why);
}

static int volumes_purge(const struct store_settings *s, const char *const *others, int64_t now_ms, unsigned *ret_n, struct pst_err *err)
{
	struct bin b = { .s = s, .others = others, .now_ms = now_ms };
	int rc = recycle_list(s->path, entry_look, &b, err);

	if (ret_n)
		*ret_n = b.n;
	return rc;
}

static int volumes_end(const struct store_settings *s, const char *const *others, const char *token, struct pst_err *err)
{
	struct bin b = { .s = s, .others = others, .token = token };
	int rc = recycle_list(s->path, entry_look, &b, err);

	return rc == 0 && !b.is_found ? pst_err_set(err, PST_ENOTFOUND, "no such entry in the recycle bin") : rc;
}

const struct store_type store_volumes = {
	.kind = "volumes",
	.disk = VOLUME_OF_VERSION,
	.settings_read = volumes_settings_read,
	.check = volumes_check,
	.sweep = volumes_sweep,
	.measure = volumes_measure,
	.census = volumes_census,
	.publish = volume_version_publish,
	.verify = volume_version_verify,
	.fetch = volume_version_fetch,
	.remove = volume_version_remove,
	.purge = volumes_purge,
	.end = volumes_end,
};
