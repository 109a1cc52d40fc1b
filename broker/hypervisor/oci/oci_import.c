/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Imports a container image: listed, found, copied, laid out. */
#include "broker/hypervisor/oci/oci_import.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/unixsock.h"
#include "broker/hypervisor/disk/digest.h"
#include "broker/hypervisor/oci/saved.h"
#include "broker/hypervisor/oci/tree_write.h"
#include "broker/hypervisor/oci/unpacked.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPIED 3000 /* basis points when the blobs are copied, and … */
#define LAID 9000   /* … when the layers are laid out; the digest has the rest */

struct oci_import {
	const struct oci_params *p;
	uint64_t deadline_ms;
	int source, image; /* descriptors: the archive, image.tar */
	char image_path[PATH_MAX], tree_path[PATH_MAX];
	uint64_t source_size, image_size; /* image_size: of the layers in image.tar */
	struct members members;
	struct oci_image found;
	struct tree_write tree;
	char digest[PST_SHA256_HEX_SIZE]; /* that the end of a layer told */
};

static int member_said(void *arg, const struct record *r, struct pst_err *err)
{
	struct oci_import *im = arg;

	return members_add(&im->members, r, im->source_size, err);
}

static int source_open(struct oci_import *im, struct pst_err *err)
{
	struct stat st;

	im->source = open(im->p->source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (im->source < 0 || fstat(im->source, &st) < 0)
		return pst_err_sys(err, errno == ENOENT ? PST_ENOTFOUND : PST_EIO, errno, "%.200s", im->p->source);
	if (!S_ISREG(st.st_mode))
		return pst_err_set(err, PST_EINVAL, "%.200s is no regular file", im->p->source);
	if ((uint64_t)st.st_size > im->p->bytes_max)
		return pst_err_set(err, PST_ELIMIT, "the archive has %llu MB, at most %llu MB are allowed here", (unsigned long long)st.st_size >> 20,
			(unsigned long long)im->p->bytes_max >> 20);
	im->source_size = (uint64_t)st.st_size;
	return 0;
}

static int archive_list(struct oci_import *im, struct pst_err *err)
{
	const char *const argv[] = { im->p->program, "list", im->p->source, NULL };
	const struct unpacked u = { .argv = argv, .fd = im->source, .deadline_ms = im->deadline_ms, .cancel_fd = im->p->cancel_fd, .record = member_said,
		.arg = im };

	return unpacked_run(&u, err);
}

static bool on_copied(void *arg, uint32_t basis_points)
{
	const struct oci_import *im = arg;

	return !im->p->progress || im->p->progress(im->p->arg, basis_points * COPIED / 10000);
}

/* A manifest may name one member as a layer many times, and each is copied. */
static int image_measure(struct oci_import *im, struct pst_err *err)
{
	for (size_t i = 0; i < im->found.n_layers; i++) {
		if (im->found.layers[i].size > im->p->bytes_max - im->image_size)
			return pst_err_set(err, PST_ELIMIT, "the image's layers take more than %llu MB", (unsigned long long)im->p->bytes_max >> 20);
		im->image_size += im->found.layers[i].size;
	}
	return 0;
}

static int image_copy(struct oci_import *im, struct pst_err *err)
{
	if (image_measure(im, err) < 0)
		return err->code;
	im->image = open(im->image_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);
	if (im->image < 0)
		return pst_err_sys(err, errno == ENOSPC ? PST_ENOSPC : PST_EIO, errno, "%.200s", im->image_path);
	return saved_write(im->source, &im->found, im->image, on_copied, im, err);
}

static int layer_said(void *arg, const struct record *r, struct pst_err *err)
{
	struct oci_import *im = arg;

	if (r->kind == RECORD_LIMIT)
		return pst_err_set(err, PST_ELIMIT, "the image takes more than %llu MB when it is unpacked", (unsigned long long)im->tree.limits.bytes >> 20);
	if (r->kind != RECORD_END)
		return tree_write_record(&im->tree, r, err);
	snprintf(im->digest, sizeof(im->digest), "%.64s", r->path);
	return 0;
}

static int layer_content(void *arg, const uint8_t *data, size_t len, struct pst_err *err)
{
	struct oci_import *im = arg;

	return tree_write_content(&im->tree, data, len, err);
}

static int layer_lay(struct oci_import *im, const struct oci_layer *l, struct pst_err *err)
{
	char offset[24], size[24], max[24];
	const char *const argv[] = { im->p->program, "layer", im->image_path, offset, size, max, NULL };
	const struct unpacked u = { .argv = argv, .fd = im->image, .deadline_ms = im->deadline_ms, .cancel_fd = im->p->cancel_fd, .record = layer_said,
		.content = layer_content, .arg = im };
	/* Of names and headers a tar is made, too. */
	uint64_t room = im->tree.limits.bytes - im->tree.bytes + 2048 * im->p->entries_max;

	snprintf(offset, sizeof(offset), "%llu", (unsigned long long)l->offset);
	snprintf(size, sizeof(size), "%llu", (unsigned long long)l->size);
	snprintf(max, sizeof(max), "%llu", (unsigned long long)room);
	if (unpacked_run(&u, err) < 0)
		return err->code;
	if (strcmp(im->digest, l->diff_id) != 0)
		return pst_err_set(err, PST_EINVAL, "a layer is not what the image's configuration says (%.16s…): the archive is damaged", l->diff_id);
	return 0;
}

static int layers_lay(struct oci_import *im, struct pst_err *err)
{
	struct tree_limits limits = { .bytes = im->p->bytes_max - im->image_size, .entries = im->p->entries_max };

	if (mkdir(im->tree_path, 0755) < 0)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", im->tree_path);
	if (tree_write_init(&im->tree, im->tree_path, &limits, err) < 0)
		return err->code;
	for (size_t i = 0; i < im->found.n_layers; i++) {
		if (layer_lay(im, &im->found.layers[i], err) < 0)
			return err->code;
		if (im->p->progress && !im->p->progress(im->p->arg, (uint32_t)(COPIED + (LAID - COPIED) * (i + 1) / im->found.n_layers)))
			return pst_err_set(err, PST_ECLOSED, "cancelled");
	}
	return 0;
}

static bool on_digested(void *arg, uint32_t basis_points)
{
	const struct oci_import *im = arg;

	return !im->p->progress || im->p->progress(im->p->arg, LAID + basis_points * (10000 - LAID) / 10000);
}

/* So many small files are made durable by one call for their file system. */
static int finish(struct oci_import *im, struct oci_result *ret, struct pst_err *err)
{
	char layer[PATH_MAX];

	if (path_make(layer, err, "%s/layer", im->p->target) < 0)
		return err->code;
	if (mkdir(layer, 0755) < 0 || fchown(im->image, 0, 0) < 0 || syncfs(im->tree.root) < 0)
		return pst_err_sys(err, errno == ENOSPC ? PST_ENOSPC : PST_EIO, errno, "%.200s", im->p->target);
	memcpy(ret->id, im->found.id, sizeof(ret->id));
	ret->tree_size = im->tree.bytes;
	ret->left_out = im->tree.left_out;
	return digest_file(im->image, on_digested, im, ret->sha256, &ret->file_size, err);
}

int oci_import_run(const struct oci_params *p, struct oci_result *ret, struct pst_err *err)
{
	struct oci_import *im = pst_zalloc(1, sizeof(*im));
	struct oci_result result = { .id = "" };
	int rc;

	if (!im)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	im->p = p;
	im->deadline_ms = pst_mono_ms() + p->timeout_ms;
	im->source = im->image = im->tree.root = im->tree.folder = im->tree.file = -1;
	rc = path_make(im->image_path, err, "%s/" OCI_IMAGE, p->target);
	if (rc == 0)
		rc = path_make(im->tree_path, err, "%s/" OCI_TREE, p->target);
	if (rc == 0)
		rc = source_open(im, err);
	if (rc == 0)
		rc = archive_list(im, err);
	if (rc == 0)
		rc = oci_image_find(im->source, &im->members, oci_architecture(), &im->found, err);
	if (rc == 0)
		rc = image_copy(im, err);
	if (rc == 0)
		rc = layers_lay(im, err);
	if (rc == 0)
		rc = finish(im, &result, err);
	tree_write_finish(&im->tree);
	oci_image_finish(&im->found);
	members_finish(&im->members);
	pst_fd_close(&im->image);
	pst_fd_close(&im->source);
	free(im);
	if (rc == 0)
		*ret = result;
	return rc;
}
