/* SPDX-License-Identifier: GPL-3.0-or-later */
/* qemu-img's command lines for disks on the network. */
#include "broker/hypervisor/disk/place_io.h"

#include "base/buf.h"
#include "base/json.h"
#include "broker/hypervisor/disk/child.h"
#include "broker/hypervisor/disk/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define WINDOW_SIZE (PLACE_OPTIONS_SIZE + 100)
#define INFO_MS 20000
#define INFO_MAX (64u << 10)

/* The raw bytes from at to at + len. */
static int window_put(const struct place_io *io, char out[WINDOW_SIZE], struct pst_err *err)
{
	char options[PLACE_OPTIONS_SIZE];

	if (place_options(io->place, "file.", options, err) < 0)
		return err->code;
	snprintf(out, WINDOW_SIZE, "driver=raw,offset=%" PRIu64 ",size=%" PRIu64 ",%s", io->at, io->len, options);
	return 0;
}

struct hearing {
	const struct place_io *io;
	struct progress progress;
};

static void on_said(void *arg, const char *text, size_t len)
{
	struct hearing *h = arg;

	if (progress_feed(&h->progress, text, len) && h->io->progress)
		h->io->progress(h->io->arg, h->progress.basis_points);
}

static int convert(const struct place_io *io, const char *const *argv, struct pst_err *err)
{
	struct hearing h = { .io = io };
	struct child_params p = { .argv = argv, .timeout_ms = io->timeout_ms, .cancel_fd = io->cancel_fd, .said = on_said, .arg = &h };
	char url[PLACE_URL_SIZE] = "";
	struct pst_err ignored = PST_ERR_INIT;

	if (child_run(&p, err) == 0)
		return 0;
	place_url(io->place, url, &ignored);
	return pst_err_wrap(err, "%.200s", url);
}

int place_read(const struct place_io *io, struct pst_err *err)
{
	char window[WINDOW_SIZE];
	const char *const argv[] = { io->tool, "convert", "-p", "--image-opts", "-O", "raw", window, io->file, NULL };

	return window_put(io, window, err) < 0 ? err->code : convert(io, argv, err);
}

/* -n: the disk is there. Zeros are written too, since the old bytes may be any. */
int place_write(const struct place_io *io, struct pst_err *err)
{
	char window[WINDOW_SIZE];
	const char *const argv[] = { io->tool, "convert", "-p", "-n", "-f", "raw", "--target-image-opts", io->file, window, NULL };

	return window_put(io, window, err) < 0 ? err->code : convert(io, argv, err);
}

int place_seal(const char *tool, const struct disk_place *p, const char *name, struct pst_err *err)
{
	char options[PLACE_OPTIONS_SIZE], image[WINDOW_SIZE], url[PLACE_URL_SIZE] = "";
	const char *const argv[] = { tool, "snapshot", "-c", name, "--image-opts", image, NULL };
	const struct child_params child = { .argv = argv, .timeout_ms = INFO_MS, .cancel_fd = -1 };
	struct pst_err ignored = PST_ERR_INIT;

	if (place_options(p, "file.", options, err) < 0)
		return err->code;
	snprintf(image, sizeof(image), "driver=raw,%s", options);
	if (child_run(&child, err) == 0)
		return 0;
	place_url(p, url, &ignored);
	return pst_err_wrap(err, "snapshot of %.200s", url);
}

static void on_info(void *arg, const char *text, size_t len)
{
	pst_buf_append(arg, text, len);
}

static int size_of(const struct pst_buf *b, uint64_t *ret, struct pst_err *err)
{
	json_t *o = b->failed ? NULL : pst_json_parse((const char *)b->data, b->len, PST_JSON_DEPTH, err);
	int64_t size = o ? pst_json_int(o, "virtual-size", 1, (int64_t)QCOW2_SIZE_MAX, 0) : 0;
	bool has_backing = o && json_object_get(o, "backing-filename");

	json_decref(o);
	if (size <= 0 || has_backing)
		return pst_err_set(err, PST_EINVAL, "it is no whole disk of at most 64 TiB");
	*ret = (uint64_t)size;
	return 0;
}

int place_size(const char *tool, const struct disk_place *p, enum disk_format format, uint64_t *ret, struct pst_err *err)
{
	char options[PLACE_OPTIONS_SIZE], image[WINDOW_SIZE], url[PLACE_URL_SIZE] = "";
	const char *const argv[] = { tool, "info", "--output=json", "--image-opts", image, NULL };
	struct pst_err ignored = PST_ERR_INIT;
	struct child_params child = { .argv = argv, .timeout_ms = INFO_MS, .cancel_fd = -1, .said = on_info };
	struct pst_buf b;
	int rc;

	if (place_options(p, "file.", options, err) < 0)
		return err->code;
	/* Whatever a header names beside the disk itself is not opened. */
	snprintf(image, sizeof(image), "driver=%s,%s", disk_format_name(format), options);
	pst_buf_init(&b, INFO_MAX);
	child.arg = &b;
	rc = child_run(&child, err);
	if (rc == 0)
		rc = size_of(&b, ret, err);
	pst_buf_finish(&b);
	place_url(p, url, &ignored);
	return rc < 0 ? pst_err_wrap(err, "%.200s", url) : 0;
}
