/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Disks of desktops and versions as volumes of a datastore's pool: records first, volumes after. Any thread; everything blocks. */
#pragma once

#include "broker/hypervisor/storage/store.h"
#include "broker/hypervisor/storage/volume_record.h"

#include <stdint.h>

/* The record's volume ends; the record stays. 0 for one that never was. */
int volume_end(const struct store_settings *s, const char *record, struct pst_err *err);

/* PST_EBUSY, naming one, while volumes of desktops there, or on the others (folders of datastores; may be NULL), stand on that version's record, or one cannot be read that might. */
int volume_references(const struct store_settings *s, const char *const *others, const char *record, struct pst_err *err);

/* What a new disk stands on. */
struct volume_base {
	char record[PATH_MAX]; /* or path, or URL: for volume_references */
	char url[PLACE_URL_SIZE]; /* for the header */
	enum disk_format format;
	uint64_t size;         /* virtual bytes */
};

/*
 * A desktop's disk, anew: its record is FOLDER/volume.json, its volume's name tells the desktop. An earlier one of that record is no more.
 * size: virtual bytes, at least the base's.
 */
int volume_disk_make(const struct store_settings *s, const char *folder, const char *desktop, const struct volume_base *base, uint64_t size,
	struct pst_err *err);
/* Virtual bytes for which the volume has room are size from now on. PST_EUNSUPPORTED where the pool cannot. */
int volume_disk_grow(const struct store_settings *s, const char *folder, uint64_t size, struct pst_err *err);

/* volume_version.c: slots of struct store_type. */
int volume_version_publish(const struct store_settings *s, const struct version_params *p, struct manifest *ret, struct pst_err *err);
int volume_version_verify(const struct store_settings *s, const char *image, const char *version, struct pst_err *err);
int volume_version_fetch(const struct store_settings *s, const struct store_fetch *f, struct pst_err *err);
int volume_version_remove(const struct store_settings *s, const char *const *others, const char *image, const char *version,
	const char *reason, int64_t keep_ms, struct pst_err *err);

/* Makes r's volume of at least size bytes (a LUN is chosen for it) and writes the record twice: with its name, and with its place. */
struct lv_pool;
int volume_claim(struct lv_pool *p, struct volume_record *r, const char *path, uint64_t size, bool is_golden, struct pst_err *err);
