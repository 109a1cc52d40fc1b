/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changes disks by qemu-img. */
#include "broker/hypervisor/disk/edit.h"

#include "base/mem.h"
#include "base/unixsock.h"
#include "broker/hypervisor/disk/child.h"
#include "broker/hypervisor/disk/info.h"
#include "broker/hypervisor/disk/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMORY_MAX (UINT64_C(2) << 30)

struct edit {
	const struct edit_params *p;
	struct disk_info info;
	struct stat st; /* of the file before */
	int fd;
	int below[DISK_CHAIN_MAX]; /* the files that it stands on */
	size_t n_below;
	struct pst_err *err;
	struct progress progress;
};

static int below_open(unsigned depth, const char *path, const struct disk_info *info, void *arg)
{
	struct edit *e = arg;

	(void)info;
	if (depth == 0)
		return 0;
	int fd = disk_open(path, e->p->within, e->err);
	if (fd < 0)
		return fd;
	e->below[e->n_below++] = fd;
	return 0;
}

/* Everything that qemu-img may touch is open before it starts: Landlock binds it to these very files. */
static int edit_open(struct edit *e, struct pst_err *err)
{
	int rc;

	e->err = err;
	rc = disk_chain_walk(e->p->path, DISK_QCOW2, e->p->within, below_open, e, &e->info, err);
	if (rc < 0)
		return rc;
	e->fd = disk_open(e->p->path, e->p->within, err);
	if (e->fd < 0)
		return e->fd;
	if (fstat(e->fd, &e->st) < 0 || !S_ISREG(e->st.st_mode))
		return pst_err_set(err, PST_EINVAL, "%.200s: is not a regular file", e->p->path);
	if (disk_has_writer(e->fd))
		return pst_err_set(err, PST_EBUSY, "%.200s: is in use", e->p->path);
	return 0;
}

static void edit_close(struct edit *e)
{
	for (size_t i = 0; i < e->n_below; i++)
		pst_fd_close(&e->below[i]);
	pst_fd_close(&e->fd);
}

static void edit_said(void *arg, const char *text, size_t len)
{
	struct edit *e = arg;

	if (progress_feed(&e->progress, text, len) && e->p->progress)
		e->p->progress(e->p->arg, e->progress.basis_points);
}

static int code_of(int rc, struct pst_err *err)
{
	if (rc == PST_EIO && strstr(err->text, strerror(ENOSPC)))
		err->code = PST_ENOSPC;
	else if (rc == PST_EIO && strstr(err->text, " lock"))
		err->code = PST_EBUSY;
	return rc < 0 ? err->code : 0;
}

static int edit_run(struct edit *e, const char *const *argv, struct pst_err *err)
{
	struct sandbox_params params = { .memory_max = MEMORY_MAX, .file_max = UINT64_MAX,
		.cpu_s_max = e->p->timeout_ms / 1000 + 1, .read_fds = e->below, .n_read = e->n_below, .write_fd = e->fd };
	struct child_params child = { .argv = argv, .timeout_ms = e->p->timeout_ms, .cancel_fd = e->p->cancel_fd,
		.said = edit_said, .arg = e };
	struct sandbox sandbox;
	int rc = sandbox_init(&sandbox, &params, err);

	if (rc < 0)
		return rc;
	child.sandbox = &sandbox;
	if (fchmod(e->fd, 0600) < 0)
		rc = pst_err_sys(err, PST_EIO, errno, "%.200s", e->p->path);
	else
		rc = code_of(child_run(&child, err), err);
	sandbox_finish(&sandbox);
	if ((fchown(e->fd, e->st.st_uid, e->st.st_gid) < 0 || fchmod(e->fd, e->st.st_mode & 07777) < 0 ||
		    fsync(e->fd) < 0) && rc == 0)
		rc = pst_err_sys(err, PST_EIO, errno, "%.200s", e->p->path);
	return rc;
}

static int grow(struct edit *e, uint64_t size, struct pst_err *err)
{
	char text[24];
	const char *const argv[] = { e->p->program, "resize", "-q", "-f", "qcow2", e->p->path, text, NULL };
	struct disk_info info;
	int rc;

	if (size % 512 != 0 || size < e->info.size)
		return pst_err_set(err, PST_EINVAL, "a disk of %" PRIu64 " bytes does not shrink to %" PRIu64,
			e->info.size, size);
	if (size > QCOW2_SIZE_MAX)
		return pst_err_set(err, PST_ELIMIT, "a disk has at most 64 TiB");
	if (size == e->info.size)
		return 0;
	snprintf(text, sizeof(text), "%" PRIu64, size);
	rc = edit_run(e, argv, err);
	if (rc < 0)
		return rc;
	rc = disk_info_read(e->fd, DISK_QCOW2, &info, err);
	if (rc == 0 && info.size != size)
		rc = pst_err_set(err, PST_EIO, "%.200s: did not grow", e->p->path);
	return rc;
}

int edit_grow(const struct edit_params *p, uint64_t size, struct pst_err *err)
{
	struct edit e = { .p = p, .fd = -1 };
	int rc = edit_open(&e, err);

	if (rc == 0)
		rc = grow(&e, size, err);
	edit_close(&e);
	return rc;
}

int edit_snapshot(const struct edit_params *p, enum edit_snapshot how, const char *name, struct pst_err *err)
{
	static const char *const options[] = { "-c", "-a", "-d" };
	char file[PATH_MAX]; /* with the format: that subcommand would guess it */
	const char *const argv[] = { p->program, "snapshot", "-q", options[how], name, "--image-opts", file, NULL };
	struct edit e = { .p = p, .fd = -1 };
	int rc = 0;

	if (name[0] == '-' || strchr(p->path, ','))
		rc = pst_err_set(err, PST_EINVAL, "\"%.100s\" of %.200s: qemu-img would read it as something else", name, p->path);
	else if (snprintf(file, sizeof(file), "driver=qcow2,file.driver=file,file.filename=%s", p->path) >= (int)sizeof(file))
		rc = pst_err_set(err, PST_ELIMIT, "%.200s: too long", p->path);
	if (rc == 0)
		rc = edit_open(&e, err);
	if (rc == 0)
		rc = edit_run(&e, argv, err);
	edit_close(&e);
	return rc;
}
