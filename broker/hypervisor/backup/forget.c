/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Removes bitmaps, from a running QEMU or from the file. */
#include "broker/hypervisor/backup/forget.h"

#include "base/unixsock.h"
#include "broker/hypervisor/backup/daemon.h"
#include "broker/hypervisor/disk/info.h"

static const char *daemon_program = "/usr/bin/qemu-storage-daemon";

void backup_daemon_set(const char *program)
{
	daemon_program = program;
}

const char *backup_daemon(void)
{
	return daemon_program;
}

struct forgetting {
	const char *path;
};

static int on_talk(void *arg, const struct blocks *b, struct pst_err *err)
{
	const struct forgetting *f = arg;
	struct blocks_disk disk;

	return blocks_look(b, f->path, &disk, err) < 0 ? err->code : blocks_clear(b, &disk, 0, err);
}

static int has_bitmaps(const char *path, struct pst_err *err)
{
	struct disk_info info;
	int fd = disk_open(path, NULL, err), rc;

	if (fd < 0)
		return fd;
	rc = disk_info_read(fd, DISK_QCOW2, &info, err);
	pst_fd_close(&fd);
	return rc < 0 ? rc : info.qcow2.has_bitmaps;
}

int backup_forget(const char *path, const struct blocks *running, uint64_t deadline_ms, struct pst_err *err)
{
	struct forgetting f = { .path = path };
	struct daemon_params p = { .program = daemon_program, .disk = path, .target_fd = -1, .file_max = UINT64_MAX, .deadline_ms = deadline_ms,
		.talk = on_talk, .arg = &f };
	int rc;

	if (running)
		return on_talk(&f, running, err);
	rc = has_bitmaps(path, err);
	return rc > 0 ? daemon_run(&p, err) : rc;
}
