/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A volume becomes larger, in use or not: by itself, by libvirt, or by a program of LVM or ZFS, for which libvirt has no such call. */
#include "broker/hypervisor/libvirt/pool.h"

#include "base/unixsock.h"
#include "broker/hypervisor/disk/child.h"
#include "broker/hypervisor/libvirt/libvirt_priv.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>

#define EXTEND_MS 60000

bool pool_device_size(const char *path, uint64_t *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool is_device = fd >= 0 && ioctl(fd, BLKGETSIZE64, ret) == 0;

	pst_fd_close(&fd);
	return is_device;
}

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

/* The device is this machine's; its name, which has the desktop's uuid, is nobody else's. How large it is, the kernel knows: ZFS would make it smaller too. */
static int by_program(struct lv_pool *p, const struct volume_record *r, uint64_t size, struct pst_err *err)
{
	struct pool_extend extend;
	const struct child_params child = { .argv = extend.argv, .timeout_ms = EXTEND_MS, .cancel_fd = -1 };
	uint64_t have;

	if (!r->is_block || !pool_device_size(r->url, &have))
		return pst_err_set(err, PST_EUNSUPPORTED, "volume %s is no device of Puesto's machine, and libvirt makes none larger of a pool of the kind %s", r->volume,
			p->kind->type);
	if (have >= size)
		return 0;
	if (pool_extend_words(p->kind, r->url, size, &extend, err) < 0)
		return err->code;
	if (child_run(&child, err) < 0) {
		err->code = strstr(err->text, "nsufficient free space") || strstr(err->text, "out of space") ? PST_ENOSPC : err->code;
		return pst_err_wrap(err, "make volume %s larger", r->volume);
	}
	(void)virStoragePoolRefresh(p->pool, 0);
	return 0;
}

int pool_volume_grow(struct lv_pool *p, const struct volume_record *r, uint64_t size, struct pst_err *err)
{
	uint64_t have;

	/* A file becomes as long as what is written to it; and libvirt, which looks into it, would make the disk larger that it finds there. */
	if (!(p->kind->can & (POOL_BLOCK | POOL_NETWORK)))
		return 0;
	if (p->kind->can & POOL_EXTENDS)
		return by_program(p, r, size, err);
	if (pool_volume_size(p, r->volume, &have, err) < 0)
		return err->code;
	return have >= size ? 0 : by_libvirt(p, r, size, err);
}
