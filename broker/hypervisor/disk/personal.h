/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Personal disks: a user's own volume, which outlives the refresh of a desktop and is attached to
 * one desktop at a time. Any thread; who holds a disk is decided by one file system call.
 *
 *	FOLDER/personal/OWNER/NAME/disk.qcow2    with snapshots beside it (snapshot.h)
 *	FOLDER/personal/OWNER/NAME/disk.raw      in its place, where desktops share this machine's kernel: an ext4
 *	FOLDER/personal/OWNER/NAME/files/        or this, where disks have no size
 *	FOLDER/personal/OWNER/NAME/holder        a symbolic link whose text is the desktop's uuid
 *	FOLDER/personal/.held/UUID               and one whose text is OWNER/NAME, made before the holder, gone after it
 */
#pragma once

#include "base/err.h"
#include "base/hash.h"
#include "broker/hypervisor/disk/name.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PERSONAL_SERIAL_SIZE 21 /* a virtio disk tells 20 bytes */
#define PERSONAL_SIZE_MIN (UINT64_C(1) << 20)

/* owner and name: disk_name_valid. */
int personal_path(const char *folder, const char *owner, const char *name, char out[PATH_MAX], struct pst_err *err);

/*
 * What the guest sees as the disk's serial number: "puesto-" and 13 hexadecimal digits, always the same for
 * the same owner and name. Linux shows /dev/disk/by-id/virtio-SERIAL.
 */
void personal_serial(const char *owner, const char *name, char out[PERSONAL_SERIAL_SIZE]);

/* An empty disk of size bytes (a multiple of 512, PERSONAL_SIZE_MIN at least). PST_ECONFLICT when there is one. */
int personal_create(const char *folder, const char *owner, const char *name, uint64_t size, uid_t uid, gid_t gid,
	struct pst_err *err);

/* OWNER/NAME itself, for what keeps "files" in it. 0 also when it is there. */
int personal_folder_make(const char *folder, const char *owner, const char *name, struct pst_err *err);
int personal_folder(const char *folder, const char *owner, const char *name, char out[PATH_MAX], struct pst_err *err);

/*
 * desktop: a uuid. 0 also when that desktop has it already; PST_EBUSY, naming the holder, when another has, or
 * when the desktop has another disk; PST_ENOTFOUND without such a disk.
 */
int personal_attach(const char *folder, const char *owner, const char *name, const char *desktop,
	struct pst_err *err);

/* 0 also when nobody has it; PST_ECONFLICT when another desktop has. */
int personal_detach(const char *folder, const char *owner, const char *name, const char *desktop,
	struct pst_err *err);

/* "" for nobody. */
int personal_holder(const char *folder, const char *owner, const char *name, char out[PST_UUID_SIZE],
	struct pst_err *err);

/* What the desktop has; both "" for nothing. */
int personal_held(const char *folder, const char *desktop, char ret_owner[DISK_NAME_MAX + 1], char ret_name[DISK_NAME_MAX + 1],
	struct pst_err *err);
/* Whatever it has is nobody's: the desktop's machine does not run any more. */
int personal_release(const char *folder, const char *desktop, struct pst_err *err);

/*
 * personal_attach, also where the holder is a desktop that is no more: is_there tells. It is not asked of
 * a desktop that may be made at the same time.
 */
int personal_claim(const char *folder, const char *owner, const char *name, const char *desktop,
	bool (*is_there)(const char *desktop, void *arg), void *arg, struct pst_err *err);

/* Into the recycle bin (recycle.h), with its snapshots. PST_EBUSY while it is attached. */
int personal_remove(const char *folder, const char *owner, const char *name, const char *reason, int64_t now_ms,
	int64_t keep_ms, struct pst_err *err);

/* --- personal_file.c: the disk as the file of a QEMU --------------------------------------------- */

struct personal_wish {
	const char *folder, *owner, *name, *desktop;
	uint64_t size; /* bytes of a new one */
	uid_t uid;     /* whose a new one is */
	gid_t gid;
	bool (*is_there)(const char *desktop, void *arg); /* as of personal_claim */
	void *arg;
};

/* The disk is that desktop's, made where there is none, and its header leads to no other file: PST_ECONFLICT. ret_size: bytes that the guest sees. */
int personal_file_take(const struct personal_wish *w, char ret_path[PATH_MAX], uint64_t *ret_size, struct pst_err *err);

/* As personal_release, and the file is this process's own again. */
int personal_file_release(const char *folder, const char *desktop, struct pst_err *err);
