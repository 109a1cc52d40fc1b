/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * LUNs that a storage system has made: which of them are free for us. Records say which ones are ours; of the others
 * only those are taken whose first and last megabyte is empty, where every file system, partition table and volume
 * manager has its marks, or whose start has the mark that we leave.
 */
#include "broker/hypervisor/libvirt/pool.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/disk/place_io.h"
#include "broker/hypervisor/disk/temp.h"
#include "broker/hypervisor/libvirt/libvirt_priv.h"
#include "broker/hypervisor/path.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_BYTES (1u << 20)
#define LOOK_MS 30000
#define MARK "puesto: a free disk of datastore "
#define CANDIDATES_MAX 1024
#define NAMES_STEP 64
#define NAMES_MAX 65536

struct lun {
	char name[VOLUME_NAME_SIZE];
	uint64_t size;
};

struct choice {
	struct lv_pool *p;
	uint64_t needs;
	struct lun_names names;
	struct lun luns[CANDIDATES_MAX];
	size_t n;
	unsigned small, taken, foreign;
};

/* --- records ------------------------------------------------------------------------------------ */

static int name_add(struct lun_names *names, const char *name, struct pst_err *err)
{
	char (*list)[VOLUME_NAME_SIZE] = names->list;

	if (!name[0])
		return 0;
	if (names->n % NAMES_STEP == 0) {
		list = names->n < NAMES_MAX ? realloc(list, (names->n + NAMES_STEP) * sizeof(*list)) : NULL;
		if (!list)
			return pst_err_set(err, PST_ELIMIT, "more than %d records of volumes, or no memory for them", NAMES_MAX);
		names->list = list;
	}
	return pst_strlcpy(names->list[names->n++], VOLUME_NAME_SIZE, name);
}

static int unreadable(const char *path, struct pst_err *err)
{
	return pst_err_set(err, PST_EBUSY, "%.200s cannot be read and may name any volume: repair or remove it", path);
}

static int desktop_name(const char *path, const struct volume_record *r, void *arg, struct pst_err *err)
{
	return r->volume[0] || r->base[0] ? name_add(arg, r->volume, err) : unreadable(path, err);
}

/* Versions, those on their way and those in the bin too. */
static int version_names(const char *folder, unsigned depth, struct lun_names *names, struct pst_err *err)
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	char path[PATH_MAX];
	int rc = 0;

	while (dir && rc == 0 && (e = readdir(dir))) {
		struct pst_err why = PST_ERR_INIT;
		struct volume_record r;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || e->d_type == DT_LNK)
			continue;
		rc = path_make(path, err, "%s/%s", folder, e->d_name);
		if (rc == 0 && strcmp(e->d_name, VOLUME_OF_VERSION) == 0)
			rc = volume_record_read(path, &r, &why) == 0 ? name_add(names, r.volume, err) : unreadable(path, err);
		else if (rc == 0 && depth > 0 && e->d_type != DT_REG)
			rc = version_names(path, depth - 1, names, err);
	}
	if (dir)
		closedir(dir);
	return rc;
}

int pool_lun_names(const struct lv_pool *p, struct lun_names *ret, struct pst_err *err)
{
	struct lun_names names = { .list = NULL };
	char images[PATH_MAX], bin[PATH_MAX];
	int rc = volume_records_each(p->s->path, desktop_name, &names, err);

	if (rc == 0 && (path_make(images, err, "%s/images", p->s->path) < 0 || path_make(bin, err, "%s/recycle", p->s->path) < 0))
		rc = err->code;
	if (rc == 0)
		rc = version_names(images, 2, &names, err);
	if (rc == 0)
		rc = version_names(bin, 3, &names, err);
	if (rc < 0)
		free(names.list);
	else
		*ret = names;
	return rc;
}

bool pool_lun_is_taken(const struct lun_names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++) {
		if (strcmp(names->list[i], name) == 0)
			return true;
	}
	return false;
}

/* --- what lies on one ------------------------------------------------------------------------------ */

static int note_path(const struct lv_pool *p, const char *name, char out[PATH_MAX], struct pst_err *err)
{
	return path_make(out, err, "%s/" POOL_FOREIGN "/%s", p->s->path, name);
}

bool pool_lun_is_foreign(const struct lv_pool *p, const char *name)
{
	char path[PATH_MAX];

	return note_path(p, name, path, NULL) == 0 && access(path, F_OK) == 0;
}

static void foreign_note(const struct lv_pool *p, const char *name, bool is_foreign)
{
	struct pst_err ignored = PST_ERR_INIT;
	char path[PATH_MAX], folder[PATH_MAX];

	if (note_path(p, name, path, &ignored) < 0 || path_make(folder, &ignored, "%s/" POOL_FOREIGN, p->s->path) < 0)
		return;
	if (!is_foreign)
		unlink(path);
	else if (pst_mkdirs(folder, 0700, &ignored) == 0)
		pst_file_write(path, "", 0, 0600, &ignored);
}

static bool is_zero(const uint8_t *data, size_t len)
{
	return len == 0 || (data[0] == 0 && memcmp(data, data + 1, len - 1) == 0);
}

/* A megabyte of the LUN, returns owned. */
static char *piece_read(const struct lv_pool *p, const struct disk_place *place, uint64_t at, size_t len, struct pst_err *err)
{
	char path[PATH_MAX], name[TEMP_SIZE], *text = NULL;
	struct place_io io = { .tool = p->s->tool, .place = place, .at = at, .len = len, .file = path, .timeout_ms = LOOK_MS, .cancel_fd = -1 };
	size_t got;

	if (temp_name("lun", name, err) < 0 || path_make(path, err, "%s/images/%s", p->s->path, name) < 0 || place_read(&io, err) < 0)
		return NULL;
	if (pst_file_read(path, len, &text, &got, err) == 0 && got != len) {
		pst_err_set(err, PST_EIO, "a LUN was read in part");
		free(text);
		text = NULL;
	}
	unlink(path);
	return text;
}

/* 1: it may be taken. */
static int lun_look(struct choice *c, const struct lun *l, struct pst_err *err)
{
	char mark[sizeof(MARK) + PLACEMENT_NAME_SIZE + 2];
	size_t len = (size_t)PST_MIN(l->size, (uint64_t)LOOK_BYTES);
	struct disk_place place;
	char *head, *tail = NULL;
	int rc = 0;

	if (pool_place(c->p->kind, c->p->xml, "", l->name, &place, err) < 0)
		return err->code;
	snprintf(mark, sizeof(mark), MARK "%s\n", c->p->s->name);
	head = piece_read(c->p, &place, 0, len, err);
	if (head && pst_str_starts(head, mark) && is_zero((uint8_t *)head + strlen(mark), len - strlen(mark)))
		rc = 1;
	else if (head && is_zero((uint8_t *)head, len)) {
		tail = piece_read(c->p, &place, l->size - len, len, err);
		rc = tail ? is_zero((uint8_t *)tail, len) : err->code;
	} else if (!head)
		rc = err->code;
	free(head);
	free(tail);
	return rc;
}

/* --- the choice -------------------------------------------------------------------------------------- */

static int candidate_add(const char *name, const virStorageVolInfo *info, void *arg, struct pst_err *err)
{
	struct choice *c = arg;
	bool is_taken = name && pool_lun_is_taken(&c->names, name);

	(void)err;
	if (!name || strlen(name) >= VOLUME_NAME_SIZE || strchr(name, '/'))
		return 0;
	if (info->capacity < c->needs) {
		c->small++;
		return 0;
	}
	c->taken += is_taken;
	if (is_taken || c->n == CANDIDATES_MAX)
		return 0;
	pst_strlcpy(c->luns[c->n].name, VOLUME_NAME_SIZE, name);
	c->luns[c->n++].size = info->capacity;
	return 0;
}

static int by_size(const void *a, const void *b)
{
	const struct lun *x = a, *y = b;

	return x->size < y->size ? -1 : x->size > y->size;
}

static int choose(struct choice *c, char ret_name[VOLUME_NAME_SIZE], struct pst_err *err)
{
	if (pool_lun_names(c->p, &c->names, err) < 0 || pool_each(c->p, candidate_add, c, err) < 0)
		return err->code;
	qsort(c->luns, c->n, sizeof(c->luns[0]), by_size);
	for (size_t i = 0; i < c->n; i++) {
		int rc = lun_look(c, &c->luns[i], err);

		if (rc < 0)
			return rc;
		foreign_note(c->p, c->luns[i].name, rc == 0);
		if (rc > 0)
			return pst_strlcpy(ret_name, VOLUME_NAME_SIZE, c->luns[i].name);
		c->foreign++;
	}
	return pst_err_set(err, PST_ENOSPC, "pool %s has no free LUN of %llu MB: %u are taken, %u too small, %u hold data of others (empty them, or make new ones)",
		c->p->s->pool, (unsigned long long)(c->needs >> 20), c->taken, c->small, c->foreign);
}

int pool_lun_choose(struct lv_pool *p, uint64_t size, char ret_name[VOLUME_NAME_SIZE], struct pst_err *err)
{
	struct choice *c = pst_zalloc(1, sizeof(*c));
	int rc;

	if (!c)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	c->p = p;
	c->needs = size;
	rc = choose(c, ret_name, err);
	free(c->names.list);
	free(c);
	return rc;
}

int pool_lun_release(struct lv_pool *p, const char *name, const struct disk_place *place, struct pst_err *err)
{
	struct volume_record r = { .is_block = false };
	char *bytes = pst_zalloc(1, LOOK_BYTES);
	struct pst_err why = PST_ERR_INIT;
	uint64_t size = 0;
	int rc;

	if (!bytes)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	pst_strlcpy(r.volume, sizeof(r.volume), name);
	snprintf(bytes, LOOK_BYTES, MARK "%s\n", p->s->name);
	pst_strlcpy(r.initiator, sizeof(r.initiator), place->initiator);
	rc = pool_volume_size(p, name, &size, &why);
	if (rc == 0)
		rc = place_url(place, r.url, &why);
	if (rc == 0)
		rc = pool_volume_put(p, &r, bytes, (size_t)PST_MIN(size, (uint64_t)LOOK_BYTES), &why);
	free(bytes);
	/* A LUN that the storage system has taken away is not ours any more. */
	return rc == PST_ENOTFOUND ? 0 : pst_err_pass(err, rc, &why);
}
