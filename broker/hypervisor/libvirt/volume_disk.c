/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Volumes of desktops: claimed, made, ended, and counted as what stands on a version. */
#include "broker/hypervisor/libvirt/volumes.h"

#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/disk/volume.h"
#include "broker/hypervisor/libvirt/libvirt_priv.h"
#include "broker/hypervisor/libvirt/pool.h"
#include "broker/hypervisor/path.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A LUN is one record's only. */
static pthread_mutex_t choosing = PTHREAD_MUTEX_INITIALIZER;

static int lun_claim(struct lv_pool *p, struct volume_record *r, const char *path, uint64_t size, struct pst_err *err)
{
	int rc;

	pthread_mutex_lock(&choosing);
	rc = pool_lun_choose(p, size, r->volume, err);
	if (rc == 0)
		rc = volume_record_write(path, r, err);
	pthread_mutex_unlock(&choosing);
	return rc;
}

int volume_claim(struct lv_pool *p, struct volume_record *r, const char *path, uint64_t size, bool is_golden, struct pst_err *err)
{
	int rc = p->kind->can & POOL_CREATES ? volume_record_write(path, r, err) : lun_claim(p, r, path, size, err);

	if (rc < 0 || pool_volume_make(p, r, size, is_golden, err) < 0)
		return err->code;
	return volume_record_write(path, r, err);
}

int volume_end(const struct store_settings *s, const char *record, struct pst_err *err)
{
	struct volume_record r;
	struct lv_pool p;
	int rc = volume_record_read(record, &r, err);

	if (rc < 0 || pool_open(s, &p, err) < 0)
		return err->code;
	rc = pool_volume_remove(&p, &r, err);
	pool_close(&p);
	return rc;
}

/* A LUN that it has already is kept where it is large enough; whatever stood there is overwritten. */
static int disk_claim(struct lv_pool *p, struct volume_record *r, const char *path, uint64_t room, struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;
	struct volume_record old;
	uint64_t size;

	if (p->kind->can & POOL_CREATES || volume_record_read(path, &old, &ignored) < 0 || !old.volume[0])
		return volume_claim(p, r, path, room, false, err);
	if (pool_volume_size(p, old.volume, &size, err) < 0)
		return err->code;
	if (size < room)
		return pst_err_set(err, PST_ENOSPC, "LUN %s has %llu MB, the disk needs %llu", old.volume, (unsigned long long)(size >> 20),
			(unsigned long long)(room >> 20));
	pst_strlcpy(r->volume, sizeof(r->volume), old.volume);
	return pool_volume_make(p, r, room, false, err) < 0 ? err->code : volume_record_write(path, r, err);
}

int volume_disk_make(const struct store_settings *s, const char *folder, const char *desktop, const struct volume_base *base, uint64_t size,
	struct pst_err *err)
{
	struct volume_record r = { .is_block = false };
	char path[PATH_MAX];
	struct lv_pool p;
	uint8_t *bytes;
	size_t len;
	int rc;

	size = (PST_MAX(size, base->size) + 511) / 512 * 512;
	if (path_make(path, err, "%s/" VOLUME_OF_DESKTOP, folder) < 0)
		return err->code;
	bytes = volume_overlay(size, base->url, base->format, &len, err);
	if (!bytes)
		return err->code;
	snprintf(r.volume, sizeof(r.volume), "puesto-%s", desktop);
	pst_strlcpy(r.base, sizeof(r.base), base->record);
	rc = pool_open(s, &p, err);
	if (rc == 0)
		rc = disk_claim(&p, &r, path, volume_room(size, s->reserve_percent), err);
	if (rc == 0)
		rc = pool_volume_put(&p, &r, bytes, len, err);
	pool_close(&p);
	free(bytes);
	return rc;
}

int volume_disk_grow(const struct store_settings *s, const char *folder, uint64_t size, struct pst_err *err)
{
	uint64_t room = volume_room(size, s->reserve_percent);
	struct volume_record r;
	char path[PATH_MAX];
	struct lv_pool p;
	int rc;

	if (path_make(path, err, "%s/" VOLUME_OF_DESKTOP, folder) < 0 || volume_record_read(path, &r, err) < 0 || pool_open(s, &p, err) < 0)
		return err->code;
	rc = pool_volume_grow(&p, &r, room, err);
	pool_close(&p);
	return rc;
}

struct search {
	const char *record;
	unsigned n, unreadable;
	char first[PATH_MAX];
};

static int reference_count(const char *path, const struct volume_record *r, void *arg, struct pst_err *err)
{
	struct search *s = arg;
	bool is_read = r->volume[0] || r->base[0];

	(void)err;
	if (is_read && strcmp(r->base, s->record) != 0)
		return 0;
	s->n += is_read;
	s->unreadable += !is_read;
	if (!s->first[0])
		pst_strlcpy(s->first, sizeof(s->first), path);
	return 0;
}

int volume_references(const struct store_settings *s, const char *const *others, const char *record, struct pst_err *err)
{
	struct search f = { .record = record };

	if (volume_records_each(s->path, reference_count, &f, err) < 0)
		return err->code;
	for (; others && *others; others++) {
		if (volume_records_each(*others, reference_count, &f, err) < 0)
			return err->code;
	}
	if (f.n > 0)
		return pst_err_set(err, PST_EBUSY, "%u disks stand on it, one is %.200s", f.n, f.first);
	return f.unreadable ? pst_err_set(err, PST_EBUSY, "%.200s cannot be read and may stand on it", f.first) : 0;
}
