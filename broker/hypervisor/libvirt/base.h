/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a desktop's disk stands on: files here, a version that is a volume, or a disk on the network. Any thread; reads file systems. */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/libvirt/domain.h"

#include <stddef.h>
#include <stdint.h>

struct lv_base {
	struct lv_layer layers[LV_LAYERS_MAX]; /* the nearest first */
	size_t n;
	struct disk_place place; /* of the one layer, where it is no file */
	uint64_t size;           /* virtual bytes; 0 for a disk on the network until lv_base_size */
};

/* image: a machine_request's image_base; "image NAME: …" is said by the caller. ret stays where it is: it points into itself. */
int lv_base_find(const char *image, struct lv_base *ret, struct pst_err *err);

/* Asks the server where that is not known yet. tool: qemu-img. */
int lv_base_size(struct lv_base *b, const char *tool, struct pst_err *err);

/* Of a golden disk in a file, by its name: told, never probed. */
enum disk_format lv_base_format(const char *path);
