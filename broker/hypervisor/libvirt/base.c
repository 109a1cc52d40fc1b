/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Golden disks in all the places where they may be. */
#include "broker/hypervisor/libvirt/base.h"

#include "base/file.h"
#include "base/text.h"
#include "broker/hypervisor/disk/info.h"
#include "broker/hypervisor/disk/manifest.h"
#include "broker/hypervisor/disk/place_io.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/storage/volume_record.h"

#include <stdlib.h>
#include <string.h>

enum disk_format lv_base_format(const char *path)
{
	return pst_str_ends(path, ".qcow2") ? DISK_QCOW2 : DISK_RAW;
}

static int on_layer(unsigned depth, const char *path, const struct disk_info *info, void *arg)
{
	struct lv_base *b = arg;

	if (depth >= LV_LAYERS_MAX)
		return PST_ELIMIT;
	pst_strlcpy(b->layers[depth].path, sizeof(b->layers[depth].path), path);
	b->layers[depth].format = disk_format_name(info->format);
	b->n = depth + 1;
	return 0;
}

static int files_find(const char *image, struct lv_base *b, struct pst_err *err)
{
	struct disk_info info;

	if (disk_chain_walk(image, lv_base_format(image), NULL, on_layer, b, &info, err) < 0)
		return err->code;
	b->size = info.size;
	return 0;
}

static int layer_set(struct lv_base *b, enum disk_format format, struct pst_err *err)
{
	b->n = 1;
	b->layers[0].place = &b->place;
	b->layers[0].format = disk_format_name(format);
	return place_url(&b->place, b->layers[0].path, err);
}

/* The manifest beside the record says what no reader of a volume has to ask. */
static int manifest_find(const char *record, struct manifest *m, struct pst_err *err)
{
	char path[PATH_MAX], *text;
	size_t len;
	int rc;

	if (path_make(path, err, "%.*s/manifest.json", (int)(strrchr(record, '/') - record), record) < 0 ||
		pst_file_read(path, MANIFEST_MAX, &text, &len, err) < 0)
		return err->code;
	rc = manifest_parse(text, len, m, err);
	free(text);
	return rc;
}

static int volume_find(const char *image, struct lv_base *b, struct pst_err *err)
{
	struct volume_record r;
	struct manifest m;

	if (manifest_find(image, &m, err) < 0 || volume_record_read(image, &r, err) < 0 || volume_record_place(&r, &b->place, err) < 0)
		return err->code;
	b->size = m.size;
	return layer_set(b, m.format, err);
}

static int remote_find(const char *image, struct lv_base *b, struct pst_err *err)
{
	if (place_parse(image, &b->place, err) < 0)
		return err->code;
	/* QEMU would have to be let write into it (its driver "nfs" does not fall back to reading, and libvirt asks for both). */
	if (b->place.kind == PLACE_NFS)
		return pst_err_set(err, PST_EUNSUPPORTED, "\"%.200s\": libvirt's QEMU does not open a disk on NFS for reading only: mount the folder, and name the path", image);
	return layer_set(b, lv_base_format(image), err);
}

int lv_base_find(const char *image, struct lv_base *ret, struct pst_err *err)
{
	ret->n = 0;
	ret->size = 0;
	for (size_t i = 0; i < LV_LAYERS_MAX; i++)
		ret->layers[i].place = NULL;
	if (place_is_remote(image))
		return remote_find(image, ret, err);
	if (image[0] != '/')
		return pst_err_set(err, PST_EUNSUPPORTED, "its base \"%.200s\" is no path of a golden disk (qcow2 or raw), and no iscsi:// or nfs://", image);
	return pst_str_ends(image, "/" VOLUME_OF_VERSION) ? volume_find(image, ret, err) : files_find(image, ret, err);
}

int lv_base_size(struct lv_base *b, const char *tool, struct pst_err *err)
{
	enum disk_format format = strcmp(b->layers[0].format, disk_format_name(DISK_QCOW2)) == 0 ? DISK_QCOW2 : DISK_RAW;

	return b->size ? 0 : place_size(tool, &b->place, format, &b->size, err);
}
