/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A disk from somewhere else becomes a qcow2 file of our own, by qemu-img in a sandbox.
 * What it holds may be hostile, so its format is told by whoever imports it and never
 * probed, and disks that consist of more than the one file are refused. With within, the
 * same makes a whole disk of an overlay of our own: a capture of a desktop, a full clone. Any thread.
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/disk/format.h"
#include "broker/hypervisor/disk/info.h"

#include <stddef.h>
#include <stdint.h>

struct import_params {
	const char *program; /* the path of qemu-img */
	const char *source;  /* absolute; a regular file */
	enum disk_format format;
	const char *within;  /* NULL, or where the files lie that a qcow2 source may stand on (info.h) */
	const char *target;  /* absolute; must not exist, its folder must */
	uint64_t size_max;   /* virtual bytes */
	uint64_t file_max;   /* bytes of the new file */
	uint32_t timeout_ms; /* of the whole */
	int cancel_fd;       /* readable: stop. -1: never */
	/* On the calling thread, 0 to 10,000, rising. May be NULL. */
	void (*progress)(void *arg, uint32_t basis_points);
	void *arg;
};

/*
 * On success the target is whole, durable, root's with mode 0600, and needs no other file;
 * on failure there is none. PST_EDENIED for encrypted disks, backing files (without within, or
 * not below it) and foreign data files, PST_EBUSY while somebody writes to the source, PST_ELIMIT above a ceiling, PST_ECONFLICT when the target exists, PST_ETIMEOUT,
 * PST_ECLOSED (cancelled), PST_EIO with qemu-img's own words.
 */
int import_run(const struct import_params *p, struct disk_info *ret_info, struct pst_err *err);

/* Judges what `qemu-img info --output=json` says of the disk: hostile text. Pure. */
int import_judge(const struct import_params *p, const char *json, size_t len, uint64_t *ret_size,
	struct pst_err *err);
