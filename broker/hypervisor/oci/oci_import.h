/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A container image from an archive becomes a folder of our own that every driver of containers can use. The stranger's
 * bytes are parsed by puesto-unpack in a sandbox; what it says is checked again (tree_write.h). Any thread.
 *
 *	TARGET/image.tar    for engines (saved.h), root's, 0400
 *	TARGET/tree/        its layers, one over the other, for LXC and the local provider
 *	TARGET/layer/       empty: where versions of the local provider have their additions
 */
#pragma once

#include "base/err.h"
#include "base/hash.h"

#include <stdint.h>

#define OCI_IMAGE "image.tar"
#define OCI_TREE "tree"

struct oci_params {
	const char *program;  /* the path of puesto-unpack */
	const char *source;   /* absolute; a regular file */
	const char *target;   /* absolute; an empty folder of root's that nobody else enters */
	uint64_t bytes_max;   /* of both together */
	uint64_t entries_max;
	uint32_t timeout_ms;  /* of the whole */
	int cancel_fd;        /* readable: stop. -1: never */
	/* On the calling thread, 0 to 10,000, rising; false ends it with PST_ECLOSED. May be NULL. */
	bool (*progress)(void *arg, uint32_t basis_points);
	void *arg;
};

struct oci_result {
	char id[PST_SHA256_HEX_SIZE];     /* of the image, as engines have it */
	char sha256[PST_SHA256_HEX_SIZE]; /* of image.tar */
	uint64_t file_size;               /* of image.tar */
	uint64_t tree_size;               /* bytes of the layers' files */
	uint64_t left_out;                /* devices, pipes and sockets */
};

/*
 * On success both are whole and durable; on failure something may be left in target. PST_EINVAL for what is no such archive or
 * is damaged, PST_EUNSUPPORTED for another platform, PST_ELIMIT, PST_ENOSPC, PST_ETIMEOUT, PST_ECLOSED, PST_ENOTFOUND without the program.
 */
int oci_import_run(const struct oci_params *p, struct oci_result *ret, struct pst_err *err);
