/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What differs between the documents of libvirt's drivers: one row for each type of domain
 * (https://libvirt.org/formatdomain.html, drvxen.html). Pure.
 */
#pragma once

#include <stdbool.h>

struct lv_form {
	const char *virt;      /* the domain's type */
	const char *disk, *bus; /* the guest's name of its disk, and what that is on; "" where domains have none */
	const char *personal;  /* the guest's name of its user's own disk; NULL: there is none */
	const char *disk_more; /* further attributes of its driver */
	const char *seed_file; /* in the desktop's folder: of fw_cfg, or a disk of its own (seed_disk) */
	const char *seed_disk; /* the guest's name of that disk; "" where fw_cfg is the way in */
	const char *seed_bus;  /* what that is on; NULL: where the disk is */
	const char *cmdline;   /* of an image without a boot loader; all that boot where needs_kernel */
	const char *platform;  /* elements between the system and the devices */
	const char *devices;   /* that each has beside disk and card */
	bool names_layers;     /* what lies below the disk is in the document */
	bool needs_kernel;     /* vmlinuz and initrd, beside the golden disk */
	const char *card;      /* its model; NULL: the hypervisor's own, which takes not all that a network may say, and nothing is said of screens */
	const char *video;     /* its model; NULL: the best of the host's */
	bool is_guarded;       /* filters and isolated ports hold for its card */
	bool is_saved_awake;   /* its memory can be saved only after its kernel has begun */
};

/* NULL for a type that is not carried. */
const struct lv_form *lv_form_of(const char *virt);
/* The same for Windows, with devices that it has drivers for (is_emulated) or that its image has. NULL: none of its own. */
const struct lv_form *lv_form_windows(const char *virt, bool is_emulated);
