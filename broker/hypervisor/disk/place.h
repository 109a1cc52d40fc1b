/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where the bytes of a disk are, as a hypervisor reaches them: a file, a block device of the host, or a disk on
 * the network that QEMU opens by itself, without the kernel. Pure.
 *
 *	/srv/disk.qcow2    /dev/vg/disk    iscsi://HOST[:PORT]/TARGET/LUN    nfs://HOST/PATH    rbd:POOL/IMAGE[@SNAPSHOT][:id=USER]
 *
 * The last is QEMU's own name of a Ceph image (docs.ceph.com, "QEMU and block devices"); which cluster that is, /etc/ceph/ceph.conf says.
 */
#pragma once

#include "base/err.h"
#include "base/hash.h"
#include "broker/hypervisor/disk/qcow2.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLACE_URL_SIZE (QCOW2_BACKING_MAX + 1)
#define PLACE_OPTIONS_SIZE 3072
#define PLACE_LUN_MAX 16383

enum place_kind {
	PLACE_FILE,
	PLACE_BLOCK,
	PLACE_ISCSI,
	PLACE_NFS,
	PLACE_RBD,
};

struct disk_place {
	enum place_kind kind;
	char path[PLACE_URL_SIZE]; /* of a file, a device, or on the server; absolute */
	char host[256];            /* name or address; IPv6 without brackets */
	uint16_t port;             /* of iSCSI */
	char target[224];          /* iSCSI Qualified Name (RFC 7143, 4.2.7); of Ceph: POOL/IMAGE */
	uint32_t lun;
	char initiator[224];       /* who we are to the target, or to Ceph; "" leaves it to QEMU */
	char snapshot[32];         /* of Ceph: which takes no writes; "" is the image itself */
	char secret[PST_UUID_SIZE]; /* of Ceph: libvirt's name of that user's key; "" where there is none */
};

/* Is text a place on the network, or would QEMU take it for one? Told by its first bytes. */
bool place_is_remote(const char *text);

/* PST_EINVAL says what is wrong: no byte is in the result that would mean something to QEMU or to XML. */
int place_parse(const char *text, struct disk_place *ret, struct pst_err *err);

/* The name that stands in the header of an overlay of it. PST_ELIMIT. */
int place_url(const struct disk_place *p, char out[PLACE_URL_SIZE], struct pst_err *err);

/*
 * As options of QEMU's block layer, each key after prefix ("" or "file."): "driver=iscsi,transport=tcp,portal=…". PST_ELIMIT.
 */
int place_options(const struct disk_place *p, const char *prefix, char out[PLACE_OPTIONS_SIZE], struct pst_err *err);
