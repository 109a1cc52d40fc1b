/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is written beside a golden image: manifest.json. Pure. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "broker/hypervisor/disk/format.h"
#include "broker/hypervisor/disk/name.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MANIFEST_MAX 4096 /* bytes of its text */

struct manifest {
	char image[DISK_NAME_MAX + 1];
	char version[DISK_NAME_MAX + 1];
	bool is_oci;        /* a container image (oci_import.h) and no disk; format means nothing then */
	enum disk_format format;
	uint64_t size;      /* virtual bytes; of a container image, those of its files */
	uint64_t file_size; /* bytes */
	char sha256[PST_SHA256_HEX_SIZE]; /* of the file, lower case */
	char id[PST_SHA256_HEX_SIZE];     /* of a container image, as engines have it; else "" */
	char created[PST_RFC3339_SIZE];
};

/* Returns owned (free()); NULL on no memory. */
char *manifest_text(const struct manifest *m, size_t *ret_len);

/* Strict: every field is there ("id" of container images alone) and possible, none is unknown. PST_EINVAL. */
int manifest_parse(const char *text, size_t len, struct manifest *ret_manifest, struct pst_err *err);
