/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A volume becomes larger, in use or not: by itself, by libvirt, or by LVM, for which libvirt has no such call. */
#include "broker/hypervisor/libvirt/pool.h"

#include "broker/hypervisor/disk/child.h"
#include "broker/hypervisor/libvirt/libvirt_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LVEXTEND "/sbin/lvextend"
#define EXTEND_MS 60000

static int by_libvirt(struct lv_pool *p, const struct volume_record *r, uint64_t size, struct pst_err *err)
{
	virStorageVolPtr v = virStorageVolLookupByName(p->pool, r->volume);
	int rc = 0;

	if (!v || virStorageVolResize(v, size, p->kind->can & POOL_WHOLE ? VIR_STORAGE_VOL_RESIZE_ALLOCATE : 0) < 0)
		rc = lv_error(err, NULL, "make volume %s larger", r->volume);
	if (v)
		virStorageVolFree(v);
	return rc;
}

/* The device is this machine's; its name, which has the desktop's uuid, is nobody else's. */
static int by_lvm(struct lv_pool *p, const struct volume_record *r, uint64_t size, struct pst_err *err)
{
	char bytes[32];
	const char *const argv[] = { LVEXTEND, "-q", "-L", bytes, r->url, NULL };
	const struct child_params child = { .argv = argv, .timeout_ms = EXTEND_MS, .cancel_fd = -1 };
	struct pst_err why = PST_ERR_INIT;
	struct stat st;

	if (!r->is_block || stat(r->url, &st) < 0 || !S_ISBLK(st.st_mode))
		return pst_err_set(err, PST_EUNSUPPORTED, "volume %s is no device of Puesto's machine, and libvirt makes no logical volume larger", r->volume);
	snprintf(bytes, sizeof(bytes), "%" PRIu64 "b", size);
	/* It may have it already: what libvirt knows of the pool is as old as its last look, which it refuses in the middle of a copy. */
	if (child_run(&child, &why) < 0 && !strstr(why.text, "existing size"))
		return pst_err_set(err, strstr(why.text, "nsufficient free space") ? PST_ENOSPC : why.code, "make volume %s larger: %s", r->volume, why.text);
	(void)virStoragePoolRefresh(p->pool, 0);
	return 0;
}

int pool_volume_grow(struct lv_pool *p, const struct volume_record *r, uint64_t size, struct pst_err *err)
{
	uint64_t have;

	/* A file becomes as long as what is written to it; and libvirt, which looks into it, would make the disk larger that it finds there. */
	if (!(p->kind->can & (POOL_BLOCK | POOL_NETWORK)))
		return 0;
	if (pool_volume_size(p, r->volume, &have, err) < 0)
		return err->code;
	if (have >= size)
		return 0;
	return p->kind->can & POOL_EXTENDS ? by_lvm(p, r, size, err) : by_libvirt(p, r, size, err);
}
