/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The kernel grows a mounted ext4 by itself when it is told how large it shall be (EXT4_IOC_RESIZE_FS, linux/fs/ext4/ext4.h), so no program of e2fsprogs
 * has to be in the image.
 */
#include "broker/hypervisor/desktop/grow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define EXT4_MAGIC 0xef53
#define EXT4_RESIZE _IOW('f', 16, uint64_t)
#define SECTOR 512
#define WORTH_BYTES (UINT64_C(1) << 20) /* the metadata that statfs(2) does not count is less of a surprise than endless tries */

uint64_t grow_blocks(uint64_t device_bytes, uint32_t block_size, uint64_t blocks)
{
	uint64_t wanted = block_size ? device_bytes / block_size : 0;

	return wanted > blocks && (wanted - blocks) * block_size >= WORTH_BYTES ? wanted : 0;
}

static int number_read(const char *path, uint64_t *ret)
{
	FILE *f = fopen(path, "re");
	unsigned long long n;
	int ok = f && fscanf(f, "%llu", &n) == 1;

	if (f)
		fclose(f);
	if (ok)
		*ret = n;
	return ok ? 0 : -1;
}

/* All that the file system's superblock has, with what statfs(2) leaves out: bytes 4 and 336 of it, on the device itself (ext4, "The Super Block"). */
static int blocks_read(dev_t dev, uint64_t *ret)
{
	char link[64], path[300] = "", *name;
	uint8_t super[1024];
	int fd;
	ssize_t n;

	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(dev), minor(dev));
	n = readlink(link, path, sizeof(path) - 1);
	name = n > 0 ? strrchr(path, '/') : NULL;
	if (!name)
		return -1;
	snprintf(link, sizeof(link), "/dev/%.50s", name + 1);
	fd = open(link, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : pread(fd, super, sizeof(super), 1024);
	if (fd >= 0)
		close(fd);
	if (n != (ssize_t)sizeof(super))
		return -1;
	*ret = (uint64_t)super[4] | (uint64_t)super[5] << 8 | (uint64_t)super[6] << 16 | (uint64_t)super[7] << 24;
	*ret |= ((uint64_t)super[336] | (uint64_t)super[337] << 8 | (uint64_t)super[338] << 16 | (uint64_t)super[339] << 24) << 32;
	return 0;
}

int grow_file_system(const char *path)
{
	char size_path[96];
	struct statfs fs;
	struct stat st;
	uint64_t sectors, blocks, wanted;
	int fd, rc;

	if (stat(path, &st) < 0 || statfs(path, &fs) < 0 || fs.f_type != EXT4_MAGIC)
		return GROW_FOREIGN;
	snprintf(size_path, sizeof(size_path), "/sys/dev/block/%u:%u/size", major(st.st_dev), minor(st.st_dev));
	if (number_read(size_path, &sectors) < 0)
		return GROW_FOREIGN;
	/* What statfs(2) leaves out is metadata: only where that could hide it is the superblock read. */
	if (!grow_blocks(sectors * SECTOR, (uint32_t)fs.f_bsize, fs.f_blocks))
		return 0;
	if (blocks_read(st.st_dev, &blocks) < 0)
		blocks = fs.f_blocks;
	wanted = grow_blocks(sectors * SECTOR, (uint32_t)fs.f_bsize, blocks);
	if (!wanted)
		return 0;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = fd < 0 ? -1 : ioctl(fd, EXT4_RESIZE, &wanted);
	if (fd >= 0)
		close(fd);
	return rc < 0 ? GROW_FAILED : 1;
}
