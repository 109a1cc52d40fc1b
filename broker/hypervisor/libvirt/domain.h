/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The domain's document, as libvirt takes it (https://libvirt.org/formatdomain.html). Pure. */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/disk/place.h"
#include "broker/hypervisor/libvirt/form.h"
#include "broker/hypervisor/libvirt/net.h"
#include "broker/hypervisor/libvirt/record.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#define LV_DOMAIN_PREFIX "puesto-" /* of a domain's name; the desktop's uuid follows */

#define LV_LAYERS_MAX 15
#define LV_PERSONAL_ALIAS "ua-personal" /* of a user's own disk in a running domain */

/* A disk that is only read: the golden one, and what that stands on. */
struct lv_layer {
	char path[PATH_MAX];
	const struct disk_place *place; /* NULL: it is the file at path */
	const char *format;
};

/* Every text is borrowed; "" or NULL leaves its part out. */
struct lv_domain {
	const struct lv_form *form;
	const char *os, *machine, *arch, *video; /* os: what kind of guest it is to the hypervisor, "hvm" */
	const char *disk;    /* path of a qcow2 file */
	const struct disk_place *place; /* of a qcow2 disk that is no file, instead of its path; or NULL */
	const struct lv_layer *layers; /* below it, the nearest first */
	size_t layers_n;
	const char *seed;    /* path of the file that the guest reads as opt/org.puesto/seed, or of a disk with it */
	const char *kernel, *initrd, *cmdline; /* for images without a boot loader */
	bool is_parent;      /* of instant clones: nobody's desktop, without a record; it waits for a seed on its port */
	bool is_efi;         /* the disk starts by UEFI: libvirt gives it firmware, and makes its variables */
	bool is_secure;      /* firmware with Secure Boot, which has Microsoft's keys */
	const char *variables; /* path of these; "" or NULL: where libvirt has them */
	const struct lv_net *net; /* NULL: no card */
	bool has_console;
	bool has_display;    /* beside it, over D-Bus */
	bool has_tpm;        /* a TPM 2.0 that libvirt emulates beside it */
	bool has_ports;      /* PCI Express: root ports are kept for what is plugged in while it runs */
	const struct lv_record *record;
};

/* Returns owned; NULL with err. */
char *lv_domain_xml(const struct lv_domain *d, struct pst_err *err);

/* A user's own disk, a qcow2 file on nothing else, as a device of that form's. Returns owned; NULL on no memory. */
char *lv_personal_xml(const struct lv_form *form, const char *path, const char *serial);

/* A snapshot's document. Returns owned; NULL on no memory. */
char *lv_snapshot_xml(const char *name);
