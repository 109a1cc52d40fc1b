/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What publications of disks and of container images share. */
#pragma once

#include "broker/hypervisor/disk/version.h"

int version_names_check(const char *image, const char *version, struct pst_err *err);

/* FOLDER/images/IMAGE/VERSION/NAME, or the version's folder with name "". */
int version_file(const char *folder, const char *image, const char *version, const char *name, char out[PATH_MAX],
	struct pst_err *err);

int version_folder_sync(const char *path, struct pst_err *err);

/* folder/manifest.json with the names and the time of p; m's other fields are filled before. */
int version_manifest_write(const struct version_params *p, const char *folder, struct manifest *m, struct pst_err *err);

/* version_oci.c: version_verify of a container image, whose manifest was read. */
int version_verify_oci(const char *folder, const struct manifest *m, bool deep, digest_cb go_on, void *arg, struct pst_err *err);
