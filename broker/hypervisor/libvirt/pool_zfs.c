/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What libvirt does not tell of ZFS on this machine: whether the data set of a pool is there, which one it is, and when a volume's name leads to it. */
#include "broker/hypervisor/libvirt/pool.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/disk/child.h"
#include "broker/hypervisor/libvirt/xml.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define ZFS_NAME_SIZE 256
#define ZFS_NAME_OF _IOR(0x12, 125, char[ZFS_NAME_SIZE]) /* OpenZFS, sys/fs/zfs.h: BLKZNAME */
#define WAIT_MS 20000
#define POLL_MS 20

/* Its devices are this machine's: libvirt's URIs name a host otherwise. */
static bool is_here(const struct lv_pool *p)
{
	return strcmp(p->kind->type, "zfs") == 0 && strstr(p->s->uri, ":///");
}

static void number_take(void *arg, const char *text, size_t len)
{
	char *number = arg;
	size_t n = strlen(number);

	snprintf(number + n, 24 - n, "%.*s", (int)len, text);
}

int pool_zfs_mark(struct lv_pool *p, char mark[STORE_MARK_SIZE], struct pst_err *err)
{
	char name[ZFS_NAME_SIZE] = "", number[24] = "";
	const char *const argv[] = { "/sbin/zfs", "get", "-Hp", "-o", "value", "guid", name, NULL };
	const struct child_params child = { .argv = argv, .timeout_ms = WAIT_MS, .cancel_fd = -1, .said = number_take, .arg = number };
	const char *source = xml_find(p->xml, "source"), *tag = source ? xml_find(source, "name") : NULL;
	uint64_t guid;

	if (!is_here(p))
		return 0;
	if (!tag || !xml_text(tag, name, sizeof(name)) || name[0] == '-')
		return pst_err_set(err, PST_EPROTO, "libvirt does not say which data set of ZFS pool %s is", p->s->pool);
	/* libvirt goes on with what it knew when the pool of ZFS is gone. */
	if (child_run(&child, err) < 0) {
		err->code = PST_ENOTFOUND;
		return pst_err_wrap(err, "the data set of pool %s (is it imported?)", p->s->pool);
	}
	guid = strtoull(number, NULL, 10);
	snprintf(mark + STORE_MARK_SIZE - 17, 17, "%016llx", (unsigned long long)guid);
	return 0;
}

static bool leads_to(const char *path, const char *name)
{
	char found[ZFS_NAME_SIZE + 1] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool is_it = fd >= 0 && ioctl(fd, ZFS_NAME_OF, found) == 0 && strcmp(found, name) == 0;

	pst_fd_close(&fd);
	return is_it;
}

int pool_zfs_wait(const struct lv_pool *p, const char *path, struct pst_err *err)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	uint64_t end = pst_mono_ms() + WAIT_MS;

	if (!is_here(p) || !pst_str_starts(path, POOL_ZVOLS))
		return 0;
	while (!leads_to(path, path + strlen(POOL_ZVOLS))) {
		if (pst_mono_ms() >= end)
			return pst_err_set(err, PST_ETIMEOUT, "%.200s does not lead to its volume after %u s: is udev at work?", path, WAIT_MS / 1000);
		nanosleep(&pause, NULL); /* udev tells nobody when it has made a link */
	}
	return 0;
}
