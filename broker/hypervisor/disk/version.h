/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Golden images of a datastore, by versions. A version is published once, whole, and never
 * changes; it goes when nothing stands on it. Any thread; calls for the same version are not
 * made at the same time.
 *
 *	FOLDER/images/IMAGE/VERSION/disk.qcow2      sealed (seal.h)
 *	FOLDER/images/IMAGE/VERSION/manifest.json   manifest.h
 *
 * A container image has image.tar, tree/ and layer/ there instead of the disk (oci_import.h), in a folder that root
 * alone enters: its files have a stranger's owners and set-uid bits.
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/disk/digest.h"
#include "broker/hypervisor/disk/manifest.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct version_params {
	const char *folder; /* of the datastore, absolute */
	const char *image, *version;
	const char *source; /* absolute; a whole qcow2 file on the datastore: it is moved */
	int64_t now_ms;     /* wall clock */
	digest_cb go_on;    /* progress and cancel; may be NULL */
	void *arg;
};

/* Where the version's disk is, or would be: what an overlay names as its backing file. */
int version_disk_path(const char *folder, const char *image, const char *version, char out[PATH_MAX],
	struct pst_err *err);

/*
 * The source becomes the version: sealed, digested, described, durable, all at once. On failure
 * it is the source again. PST_ECONFLICT when the version exists; PST_EINVAL for a disk that
 * needs other files, is encrypted or waits for a repair; PST_EBUSY while it is open for writing.
 */
int version_publish(const struct version_params *p, struct manifest *ret_manifest, struct pst_err *err);

/*
 * What is in m of the file itself: sizes, format, digest. PST_EINVAL for a disk that is no golden image, as above.
 */
int version_describe(const char *path, digest_cb go_on, void *arg, struct manifest *m, struct pst_err *err);

/*
 * The same with a folder as source, which oci_import_run has filled; m: what that told (id, sizes, digest).
 * On failure the source is left where it is, for temp_sweep, unless the version is there.
 */
int version_publish_oci(const struct version_params *p, struct manifest *m, struct pst_err *err);

/* What the version is for drivers: its disk, or the tree of a container image. */
int version_base_path(const char *folder, const struct manifest *m, char out[PATH_MAX], struct pst_err *err);

int version_read(const char *folder, const char *image, const char *version, struct manifest *ret_manifest,
	struct pst_err *err);

/*
 * Manifest, seal and size agree; with deep the digest, too (go_on, arg: as above). PST_ECONFLICT
 * with what differs.
 */
int version_verify(const char *folder, const char *image, const char *version, bool deep, digest_cb go_on,
	void *arg, struct pst_err *err);

/* Each version that has a readable manifest, borrowed for the call. Not 0 ends it. */
typedef int (*version_cb)(const struct manifest *m, void *arg, struct pst_err *err);
int version_list(const char *folder, version_cb visit, void *arg, struct pst_err *err);

/*
 * Moves the version into the recycle bin (recycle.h). PST_EBUSY, naming one, while overlays stand
 * on it, or while a disk cannot be read that might; others: where such overlays may lie besides the
 * datastore, as in references.h.
 */
int version_remove(const char *folder, const char *const *others, const char *image, const char *version,
	const char *reason, int64_t now_ms, int64_t keep_ms, struct pst_err *err);

/*
 * Clears away what a crash has left of publications, while none is under way: a disk that was
 * on its way goes into the recycle bin. ret_n (may be NULL) gets how many.
 */
int version_sweep(const char *folder, int64_t now_ms, int64_t keep_ms, unsigned *ret_n, struct pst_err *err);
