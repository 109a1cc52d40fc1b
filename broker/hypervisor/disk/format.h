/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The formats of a disk's file. A format is always told and never guessed: what a guest
 * writes at the start of its raw disk can look like any other format's header.
 */
#pragma once

enum disk_format {
	DISK_RAW,
	DISK_QCOW2,
	DISK_VMDK, /* read by an import only */
	DISK_VHDX, /* read by an import only */
};

/* As qemu-img, libvirt and a qcow2 header write it: "raw", "qcow2", ... */
const char *disk_format_name(enum disk_format format);

/* PST_EINVAL for a word that is none of them; ret is written only on success. */
int disk_format_parse(const char *name, enum disk_format *ret_format);
