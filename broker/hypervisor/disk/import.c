/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Imports disks: looked at by ourselves, asked of qemu-img, converted, looked at again. */
#include "broker/hypervisor/disk/import.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/unixsock.h"
#include "broker/hypervisor/disk/child.h"
#include "broker/hypervisor/disk/progress.h"
#include "broker/hypervisor/disk/temp.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INFO_MAX (256u * 1024) /* bytes of qemu-img's answer */
#define INFO_DEPTH 16
#define MEMORY_MAX (UINT64_C(2) << 30)
#define EXTENTS_MAX 64

struct import {
	const struct import_params *p;
	uint64_t deadline_ms;
	int folder, target; /* descriptors */
	int sources[DISK_CHAIN_MAX]; /* the source, and what it stands on */
	size_t n_sources;
	struct pst_err *err; /* of the walk over them */
	char temp[TEMP_SIZE], temp_path[PATH_MAX];
	const char *name; /* of the target in its folder */
	char *filename;   /* the source in QEMU's words, owned */
	struct progress progress;
	uint64_t size; /* virtual bytes, as qemu-img sees them */
};

static int refuse(struct pst_err *err, const char *what)
{
	return pst_err_set(err, PST_EDENIED, "the disk %s: bring it into one plain file first", what);
}

static int size_check(const struct import_params *p, uint64_t size, struct pst_err *err)
{
	if (size == 0)
		return pst_err_set(err, PST_EINVAL, "the disk is empty");
	if (size > p->size_max)
		return pst_err_set(err, PST_ELIMIT, "the disk has %llu bytes, at most %llu are allowed",
			(unsigned long long)size, (unsigned long long)p->size_max);
	return 0;
}

/* A VMDK tells its extents; each has to be the very file that we gave. */
static int extents_judge(const json_t *info, const char *source, struct pst_err *err)
{
	const json_t *extents = json_object_get(
		json_object_get(json_object_get(info, "format-specific"), "data"), "extents");
	size_t n = json_array_size(extents);

	if (n > EXTENTS_MAX)
		return refuse(err, "has too many extents");
	for (size_t i = 0; i < n; i++) {
		const char *name = pst_json_str(json_array_get(extents, i), "filename", PATH_MAX);

		if (!name || strcmp(name, source) != 0)
			return refuse(err, "has extents in other files");
	}
	return 0;
}

static int info_judge(const struct import_params *p, const json_t *info, uint64_t *ret_size,
	struct pst_err *err)
{
	const json_t *data = json_object_get(json_object_get(info, "format-specific"), "data");
	const char *format;
	int64_t size;

	if (pst_json_need_str(info, "format", 32, &format, err) < 0 ||
		pst_json_need_int(info, "virtual-size", 0, INT64_MAX, &size, err) < 0)
		return pst_err_wrap(err, "qemu-img info");
	if (strcmp(format, disk_format_name(p->format)) != 0)
		return pst_err_set(err, PST_EINVAL, "the disk is %.32s and not %s", format, disk_format_name(p->format));
	if (!p->within && (json_object_get(info, "backing-filename") || json_object_get(info, "full-backing-filename")))
		return refuse(err, "has a backing file");
	if (pst_json_bool(info, "encrypted", false))
		return refuse(err, "is encrypted");
	if (json_object_get(data, "data-file"))
		return refuse(err, "has its data in another file");
	if (extents_judge(info, p->source, err) < 0 || size_check(p, (uint64_t)size, err) < 0)
		return err->code;
	*ret_size = (uint64_t)size;
	return 0;
}

int import_judge(const struct import_params *p, const char *json, size_t len, uint64_t *ret_size,
	struct pst_err *err)
{
	json_t *info = pst_json_parse(json, len, INFO_DEPTH, err);
	int rc;

	if (!info)
		return pst_err_wrap(err, "qemu-img info");
	rc = info_judge(p, info, ret_size, err);
	json_decref(info);
	return rc;
}

static int source_open(struct import *im, const char *path, struct pst_err *err)
{
	int fd = disk_open(path, im->p->within, err);
	struct stat st;

	if (fd < 0)
		return fd;
	im->sources[im->n_sources++] = fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return pst_err_set(err, PST_EINVAL, "%.200s: is not a regular file", path);
	if (disk_has_writer(fd))
		return pst_err_set(err, PST_EBUSY, "%.200s: is in use", path);
	return 0;
}

static int layer_look(const struct disk_info *info, struct pst_err *err)
{
	if (info->qcow2.is_encrypted)
		return refuse(err, "is encrypted");
	return info->qcow2.has_data_file ? refuse(err, "has its data in another file") : 0;
}

static int layer_visit(unsigned depth, const char *path, const struct disk_info *info, void *arg)
{
	struct import *im = arg;

	(void)depth;
	return source_open(im, path, im->err) < 0 ? im->err->code : layer_look(info, im->err);
}

/* What can be told without qemu-img, before it sees the file. */
static int source_look(struct import *im, struct pst_err *err)
{
	const struct import_params *p = im->p;
	struct disk_info info;
	int rc;

	im->err = err;
	if (p->within) {
		rc = disk_chain_walk(p->source, p->format, p->within, layer_visit, im, &info, err);
		return rc < 0 ? rc : size_check(p, info.size, err);
	}
	rc = source_open(im, p->source, err);
	if (rc < 0 || (p->format != DISK_RAW && p->format != DISK_QCOW2))
		return rc;
	if (disk_info_read(im->sources[0], p->format, &info, err) < 0)
		return err->code;
	if (info.qcow2.backing[0])
		return refuse(err, "has a backing file");
	rc = layer_look(&info, err);
	return rc < 0 ? rc : size_check(p, info.size, err);
}

/* The format is named; and unless it may stand on others, no backing file is opened whatever the header says. */
static char *filename_make(const struct import_params *p)
{
	json_t *node = json_pack("{s:s, s:{s:s, s:s}}", "driver", disk_format_name(p->format), "file", "driver",
		"file", "filename", p->source);
	char *text = NULL, *name = NULL;

	if (node && !p->within && (p->format == DISK_QCOW2 || p->format == DISK_VMDK) &&
		json_object_set_new(node, "backing", json_null()) < 0) {
		json_decref(node);
		return NULL;
	}
	text = node ? pst_json_text(node, NULL) : NULL;
	json_decref(node);
	if (text && asprintf(&name, "json:%s", text) < 0)
		name = NULL;
	free(text);
	return name;
}

static int target_open(struct import *im, struct pst_err *err)
{
	const char *slash = strrchr(im->p->target, '/');
	char folder[PATH_MAX];

	if (im->p->target[0] != '/')
		return pst_err_set(err, PST_EINVAL, "%.200s: not an absolute path", im->p->target);
	im->name = slash + 1;
	if (path_make(folder, err, "%.*s", slash == im->p->target ? 1 : (int)(slash - im->p->target),
		    im->p->target) < 0 || temp_name(im->name, im->temp, err) < 0 ||
		path_make(im->temp_path, err, "%s/%s", folder, im->temp) < 0)
		return PST_EINVAL;
	im->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (im->folder < 0)
		return pst_err_sys(err, errno == ENOENT ? PST_ENOTFOUND : PST_EIO, errno, "%.200s", folder);
	if (faccessat(im->folder, im->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return pst_err_set(err, PST_ECONFLICT, "%.200s: exists already", im->p->target);
	im->target = openat(im->folder, im->temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (im->target < 0)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", im->p->target);
	return 0;
}

static void info_said(void *arg, const char *text, size_t len)
{
	pst_buf_append(arg, text, len);
}

static void convert_said(void *arg, const char *text, size_t len)
{
	struct import *im = arg;

	if (progress_feed(&im->progress, text, len) && im->p->progress)
		im->p->progress(im->p->arg, im->progress.basis_points);
}

/* Runs qemu-img with these words in a sandbox for the source and perhaps the target. */
static int qemu_img(struct import *im, const char *const *argv, bool writes,
	void (*said)(void *arg, const char *text, size_t len), void *arg, struct pst_err *err)
{
	uint64_t now = pst_mono_ms();
	struct sandbox_params params = { .memory_max = MEMORY_MAX, .file_max = writes ? im->p->file_max : 0,
		.cpu_s_max = im->p->timeout_ms / 1000 + 1, .read_fds = im->sources, .n_read = im->n_sources, .write_fd = writes ? im->target : -1 };
	struct sandbox sandbox;
	struct child_params child = { .argv = argv, .sandbox = &sandbox, .cancel_fd = im->p->cancel_fd, .said = said,
		.arg = arg };
	int rc;

	if (now >= im->deadline_ms)
		return pst_err_set(err, PST_ETIMEOUT, "the import takes too long");
	rc = sandbox_init(&sandbox, &params, err);
	if (rc < 0)
		return rc;
	child.timeout_ms = (uint32_t)(im->deadline_ms - now);
	rc = child_run(&child, err);
	sandbox_finish(&sandbox);
	/* It says so in words only. */
	if (rc == PST_EIO && strstr(err->text, strerror(ENOSPC)))
		rc = err->code = PST_ENOSPC;
	if (rc == PST_EIO && strstr(err->text, strerror(EFBIG)))
		rc = pst_err_set(err, PST_ELIMIT, "the imported disk takes more than %llu bytes",
			(unsigned long long)im->p->file_max);
	return rc;
}

static int source_ask(struct import *im, struct pst_err *err)
{
	const char *const argv[] = { im->p->program, "info", "--output=json", im->filename, NULL };
	struct pst_buf json;
	int rc;

	pst_buf_init(&json, INFO_MAX);
	rc = qemu_img(im, argv, false, info_said, &json, err);
	if (rc == 0 && json.failed)
		rc = pst_err_set(err, PST_ELIMIT, "qemu-img says too much of the disk");
	if (rc == 0)
		rc = import_judge(im->p, (const char *)json.data, json.len, &im->size, err);
	pst_buf_finish(&json);
	return rc;
}

static int convert(struct import *im, struct pst_err *err)
{
	const char *const argv[] = { im->p->program, "convert", "-p", "-O", "qcow2", "-o", "compat=1.1",
		im->filename, im->temp_path, NULL };

	return qemu_img(im, argv, true, convert_said, im, err);
}

/* The new file is believed only after a look, too: a stranger's bytes went through its writer. */
static int target_look(struct import *im, struct disk_info *ret_info, struct pst_err *err)
{
	struct disk_info info;

	if (disk_info_read(im->target, DISK_QCOW2, &info, err) < 0)
		return pst_err_wrap(err, "what qemu-img wrote");
	if (info.qcow2.backing[0] || info.qcow2.has_data_file || info.qcow2.is_encrypted ||
		info.size / 512 != (im->size + 511) / 512)
		return pst_err_set(err, PST_EIO, "what qemu-img wrote is another disk");
	if (fchown(im->target, 0, 0) < 0 || fchmod(im->target, 0600) < 0 || fsync(im->target) < 0)
		return pst_err_sys(err, errno == ENOSPC ? PST_ENOSPC : PST_EIO, errno, "%.200s", im->p->target);
	*ret_info = info;
	return 0;
}

static int target_publish(struct import *im, struct pst_err *err)
{
	int rc = temp_publish(im->folder, im->temp, im->name, err);

	if (rc < 0)
		return rc;
	im->temp[0] = '\0';
	if (fsync(im->folder) < 0)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", im->p->target);
	return 0;
}

static int import_steps(struct import *im, struct disk_info *ret_info, struct pst_err *err)
{
	struct disk_info info;

	if (source_look(im, err) < 0)
		return err->code;
	im->filename = filename_make(im->p);
	if (!im->filename)
		return pst_err_set(err, PST_ENOMEM, "out of memory");
	if (target_open(im, err) < 0 || source_ask(im, err) < 0 || convert(im, err) < 0 ||
		target_look(im, &info, err) < 0 || target_publish(im, err) < 0)
		return err->code;
	*ret_info = info;
	return 0;
}

int import_run(const struct import_params *p, struct disk_info *ret_info, struct pst_err *err)
{
	struct import im = { .p = p, .deadline_ms = pst_mono_ms() + p->timeout_ms, .folder = -1, .target = -1 };
	int rc = import_steps(&im, ret_info, err);

	if (im.target >= 0 && im.temp[0])
		unlinkat(im.folder, im.temp, 0);
	for (size_t i = 0; i < im.n_sources; i++)
		pst_fd_close(&im.sources[i]);
	pst_fd_close(&im.target);
	pst_fd_close(&im.folder);
	free(im.filename);
	return rc;
}
