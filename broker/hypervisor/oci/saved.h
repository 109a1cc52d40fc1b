/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A container image in one file of ours: what `docker save` writes and every engine loads (POST /images/load),
 * with one image, for this machine, whose blobs were compared with their digests while they were copied. Any thread.
 *
 *	HEX.json       the configuration, byte for byte: its digest is the image's id
 *	00.tar …       the layers from the lowest on, as they came (plain, gzip, zstd)
 *	manifest.json  names them, and the image SAVED_REPO:HEX
 */
#pragma once

#include "broker/hypervisor/disk/digest.h"
#include "broker/hypervisor/oci/oci_layout.h"

#define SAVED_REPO "localhost/puesto-image"
#define SAVED_REFERENCE_SIZE (sizeof(SAVED_REPO) + PST_SHA256_HEX_SIZE)

/* "localhost/puesto-image:HEX" */
void saved_reference(const char *id, char out[SAVED_REFERENCE_SIZE]);

/*
 * Writes it from archive into target (both open, target empty); afterwards each layer's offset is that in target. PST_EINVAL when
 * bytes are not those of their digest, PST_ENOSPC, PST_ECLOSED when go_on says so.
 */
int saved_write(int archive, struct oci_image *image, int target, digest_cb go_on, void *arg, struct pst_err *err);
