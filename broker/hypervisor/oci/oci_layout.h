/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which image an archive holds: an OCI image layout (image-spec, image-layout.md) or what `docker save` writes. Of several
 * platforms this machine's is taken; several images are refused. Every document is read with a ceiling and compared
 * with the digest that names it. Any thread.
 */
#pragma once

#include "base/err.h"
#include "base/hash.h"
#include "broker/hypervisor/oci/oci_record.h"

#include <stddef.h>
#include <stdint.h>

#define LAYOUT_LAYERS_MAX 128 /* as container engines have it */

/* The members of an archive. */
struct members {
	struct member {
		char *name; /* without "./" */
		char *link; /* NULL, or where a link leads */
		uint64_t offset, size;
	} *list;
	size_t n, room;
};

/* Takes what a listing says: PST_ELIMIT above its ceiling, PST_EINVAL for a name that comes twice or bytes beyond file_size. */
int members_add(struct members *m, const struct record *r, uint64_t file_size, struct pst_err *err);
void members_finish(struct members *m);

struct oci_layer {
	uint64_t offset, size;              /* in the archive */
	char digest[PST_SHA256_HEX_SIZE];   /* of these bytes; "" when nobody says */
	char diff_id[PST_SHA256_HEX_SIZE];  /* of its tar, unpacked */
};

struct oci_image {
	char *config; /* owned, zero-terminated */
	size_t config_len;
	char id[PST_SHA256_HEX_SIZE]; /* the digest of config: what engines call the image's id */
	struct oci_layer layers[LAYOUT_LAYERS_MAX];
	size_t n_layers;
};

/* What an OCI platform calls this machine's processor, "amd64". */
const char *oci_architecture(void);

/* fd: the archive. Ended by oci_image_finish, also after a failure. PST_EINVAL with the reason, PST_EUNSUPPORTED. */
int oci_image_find(int fd, const struct members *m, const char *architecture, struct oci_image *ret, struct pst_err *err);
void oci_image_finish(struct oci_image *i);
