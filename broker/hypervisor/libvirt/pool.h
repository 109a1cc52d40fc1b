/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A storage pool of a datastore and what is done with its volumes. Connections are the process's, one for each libvirt,
 * and opened anew when they break. Any thread; everything blocks.
 */
#pragma once

#include "broker/hypervisor/disk/digest.h"
#include "broker/hypervisor/libvirt/pool_kind.h"
#include "broker/hypervisor/storage/store.h"
#include "broker/hypervisor/storage/volume_record.h"

#include <libvirt/libvirt.h>
#include <stdbool.h>
#include <stdint.h>

#define POOL_FOREIGN "foreign" /* FOLDER/foreign/NAME: a LUN that holds what is not ours */

struct lv_pool {
	const struct store_settings *s; /* borrowed */
	const struct pool_kind *kind;
	virConnectPtr conn;
	virStoragePoolPtr pool;
	char *xml;
};

/*
 * PST_ENOTFOUND when there is no such pool or it is not active, with what to do; one that its administrator has
 * marked for autostart is started. Zeroed on failure.
 */
int pool_open(const struct store_settings *s, struct lv_pool *ret, struct pst_err *err);
/* Accepts a zeroed one. */
void pool_close(struct lv_pool *p);

/* 32 hexadecimal digits. PST_ENOTFOUND where what libvirt's pool stands on is away. */
int pool_mark(struct lv_pool *p, char out[STORE_MARK_SIZE], struct pst_err *err);

/* Each volume, borrowed for the call. Not 0 ends it. */
typedef int (*pool_visit)(const char *name, const virStorageVolInfo *info, void *arg, struct pst_err *err);
int pool_each(struct lv_pool *p, pool_visit visit, void *arg, struct pst_err *err);

/*
 * Makes r's volume and fills r's place (not its record). is_golden: its file is made read-only. Where the pool makes none,
 * r->volume must name a LUN of that size. PST_ENOSPC.
 */
int pool_volume_make(struct lv_pool *p, struct volume_record *r, uint64_t size, bool is_golden, struct pst_err *err);
/* The volume ends, or becomes a free LUN again; 0 when there is none. */
int pool_volume_remove(struct lv_pool *p, const struct volume_record *r, struct pst_err *err);
/* Bytes of the volume: as the kernel says of a device of this machine, else as libvirt saw it last. PST_ENOTFOUND. */
int pool_volume_size(struct lv_pool *p, const char *name, uint64_t *ret, struct pst_err *err);

/* pool_grow.c: false where the path is no block device of this machine. */
bool pool_device_size(const char *path, uint64_t *ret);
/*
 * pool_zfs.c; both leave alone what is no ZFS of this machine. The data set's own number becomes the mark's second half; PST_ENOTFOUND
 * when it is not there.
 */
int pool_zfs_mark(struct lv_pool *p, char mark[STORE_MARK_SIZE], struct pst_err *err);
/*
 * udev makes and removes the names of ZFS's volumes some time after them, and neither zfs(8) nor libvirt waits: until then a
 * volume's name leads nowhere, or to another one that has its number now. Returns when it is right. PST_ETIMEOUT.
 */
int pool_zfs_wait(const struct lv_pool *p, const char *path, struct pst_err *err);
/* pool_grow.c: to at least that many bytes; QEMU may have it open. PST_ENOSPC; PST_EUNSUPPORTED where the pool cannot. */
int pool_volume_grow(struct lv_pool *p, const struct volume_record *r, uint64_t size, struct pst_err *err);

/* Bytes that are in memory, to the volume's start. */
int pool_volume_put(struct lv_pool *p, const struct volume_record *r, const void *data, size_t len, struct pst_err *err);

/* A whole file to the volume's start, or its first len bytes into a new file. */
struct pool_copy {
	const struct volume_record *r;
	const char *file;
	uint64_t len;
	digest_cb go_on; /* or NULL */
	void *arg;
	int cancel_fd;   /* or -1 */
};

/* The whole of it has been written: from now on r names what takes no writes, where the pool has such a thing. */
int pool_volume_seal(struct lv_pool *p, struct volume_record *r, struct pst_err *err);
int pool_volume_send(struct lv_pool *p, const struct pool_copy *c, struct pst_err *err);
int pool_volume_fetch(struct lv_pool *p, const struct pool_copy *c, struct pst_err *err);

/*
 * pool_lun.c: a free LUN of at least size bytes, the smallest: one that no record of the datastore names, and which is empty or
 * carries our mark. What holds anything else is never touched, and noted in foreign/. PST_ENOSPC with what was seen.
 */
int pool_lun_choose(struct lv_pool *p, uint64_t size, char ret_name[VOLUME_NAME_SIZE], struct pst_err *err);
/* It has ended: our mark stands at its start. */
int pool_lun_release(struct lv_pool *p, const char *name, const struct disk_place *place, struct pst_err *err);
/* Does FOLDER/foreign have it? */
bool pool_lun_is_foreign(const struct lv_pool *p, const char *name);

/* The volumes that records name: of desktops and versions, those in the recycle bin too. */
struct lun_names {
	char (*list)[VOLUME_NAME_SIZE]; /* owned: free() */
	size_t n;
};

/* PST_EBUSY when a record cannot be read: it may name any. */
int pool_lun_names(const struct lv_pool *p, struct lun_names *ret, struct pst_err *err);
bool pool_lun_is_taken(const struct lun_names *names, const char *name);
